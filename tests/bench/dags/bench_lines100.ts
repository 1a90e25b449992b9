/** A thousand tasks as ten DAGs of a hundred in a line. */
import { Bundle, Dag } from "@updraft/sdk";

const dags = Array.from({ length: 10 }, (_, number) => {
  const dag = new Dag(`bench_line100_${number}`, { isPausedUponCreation: false, tags: ["bench"] });
  const tasks = Array.from({ length: 100 }, (_, n) => dag.task(`t${n}`, () => n)());
  tasks.reduce((previous, next) => {
    previous.before(next);
    return next;
  });
  return dag;
});
await new Bundle(...dags).serve();
