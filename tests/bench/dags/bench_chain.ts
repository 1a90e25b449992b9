/** Forty trivial tasks, one after the other: what a hand-over costs. */
import { Bundle, Dag, type TaskRef } from "@updraft/sdk/airflow";

const dag = new Dag("bench_chain", { isPausedUponCreation: false });
let last: TaskRef | null = null;
for (let n = 0; n < 40; n++) {
  const next = dag.task(`t${String(n).padStart(2, "0")}`, () => undefined)();
  last?.before(next);
  last = next;
}
await new Bundle(dag).serve();
