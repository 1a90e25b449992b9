/** Two short tasks every second: something is always under way. */
import { Bundle, Dag } from "@updraft/sdk";

const dag = new Dag("beats", { schedule: { every: 1 }, isPausedUponCreation: false, maxActiveRuns: 16 });
const first = dag.task("first", async () => new Promise((done) => setTimeout(done, 200)), {
  retries: 3,
  retryDelay: 0,
})();
const second = dag.task("second", async () => new Promise((done) => setTimeout(done, 200)), {
  retries: 3,
  retryDelay: 0,
})();
first.before(second);
await new Bundle(dag).serve();
