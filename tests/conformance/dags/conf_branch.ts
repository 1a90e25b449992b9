/** A condition that takes one side, and a join that survives the skip. */
import { Bundle, Dag } from "@updraft/sdk/airflow";

const dag = new Dag("conf_branch");
const probe = dag.task("probe", () => 0);
const yes = dag.task("yes", () => "y")();
const no = dag.task("no", () => "n")();
const anyRows = ({ n }: { n: number }) => n > 0;
dag.if(anyRows, { n: probe() }).then(yes).else(no);
dag
  .task("join", () => undefined, { triggerRule: "none_failed_min_one_success" })()
  .after(yes, no);
await new Bundle(dag).serve();
