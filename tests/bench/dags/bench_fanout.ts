/** One task, then a hundred trivial ones side by side, then one that waits for all. */
import { Bundle, Dag } from "@updraft/sdk/airflow";

const dag = new Dag("bench_fanout", { isPausedUponCreation: false, maxActiveTasks: 100 });
const start = dag.task("start", () => undefined)();
const join = dag.task("join", () => undefined)();
for (let n = 0; n < 100; n++) {
  const branch = dag.task(`b${String(n).padStart(3, "0")}`, () => undefined)();
  start.before(branch);
  branch.before(join);
}
await new Bundle(dag).serve();
