/** One trivial task: what a trigger costs. */
import { Bundle, Dag } from "@updraft/sdk/airflow";

const dag = new Dag("bench_single", { isPausedUponCreation: false, maxActiveRuns: 64 });
dag.task("only", () => undefined)();
await new Bundle(dag).serve();
