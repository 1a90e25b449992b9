/** One trivial task: what a trigger costs. */
import { Bundle, Dag } from "@updraft/sdk/airflow";

const dag = new Dag("bench_one", { isPausedUponCreation: false, maxActiveRuns: 100, tags: ["bench"] });
dag.task("hello", () => "ok")();
await new Bundle(dag).serve();
