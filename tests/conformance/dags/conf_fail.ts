/** A failure: its successor is upstream_failed, a cleanup with all_done still runs, and the run fails by its other leaf. */
import { Bundle, Dag } from "@updraft/sdk/airflow";

const dag = new Dag("conf_fail");
const breaks = dag.task("breaks", () => {
  throw new Error("broken on purpose");
})();
const never = dag.task("never", () => undefined)();
const cleanup = dag.task("cleanup", () => "clean", { triggerRule: "all_done" })();
breaks.before(never, cleanup);
await new Bundle(dag).serve();
