/** A thousand tasks as a hundred DAGs that are binary trees of ten. */
import { Bundle, Dag, type TaskRef } from "@updraft/sdk";

const dags = Array.from({ length: 100 }, (_, number) => {
  const dag = new Dag(`bench_tree10_${number}`, { isPausedUponCreation: false, tags: ["bench"] });
  const tasks: TaskRef[] = [];
  for (let n = 0; n < 10; n++) {
    const task = dag.task(`t${n}`, () => n)();
    tasks[(n - 1) >> 1]?.before(task);
    tasks.push(task);
  }
  return dag;
});
await new Bundle(...dags).serve();
