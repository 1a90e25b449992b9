/** Independent trivial tasks side by side. */
import { Bundle, Dag } from "@updraft/sdk";

const dags = [10, 100, 1000].map((width) => {
  const dag = new Dag(`bench_fan${width}`, { isPausedUponCreation: false, maxActiveTasks: 64, tags: ["bench"] });
  for (let n = 0; n < width; n++) dag.task(`f${String(n).padStart(4, "0")}`, () => n)();
  return dag;
});
await new Bundle(...dags).serve();
