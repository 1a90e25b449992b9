/** One trivial task every five seconds. */
import { Bundle, Dag } from "@updraft/sdk";

const dag = new Dag("bench_tick5s", {
  schedule: { every: 5 },
  startDate: new Date("2026-01-01T00:00:00Z"),
  catchup: false,
  isPausedUponCreation: true,
  tags: ["bench"],
});
dag.task("tick", () => "ok")();
await new Bundle(dag).serve();
