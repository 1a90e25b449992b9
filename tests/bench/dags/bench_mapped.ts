/** One task, then as many mapped ones as its list is long, then one that waits for all. */
import { Bundle, Dag } from "@updraft/sdk";

const dags = [1000, 10_000].map((width) => {
  const dag = new Dag(`bench_map${width}`, { isPausedUponCreation: false, maxActiveTasks: 64, tags: ["bench"] });
  const list = dag.task("list", () => Array.from({ length: width }, (_, n) => n))();
  const each = dag.task("each", ({ n: _n }: { n: number }) => undefined).expand({ n: list });
  dag
    .task("join", () => undefined)()
    .after(each);
  return dag;
});
await new Bundle(...dags).serve();
