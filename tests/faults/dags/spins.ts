/** A task that never yields: nothing in its own process can end it. Its second try ends at once. */
import { Bundle, Dag, getContext } from "@updraft/sdk/airflow";

const dag = new Dag("spins", { isPausedUponCreation: false });
dag.task(
  "spin",
  () => {
    if (getContext().tryNumber > 1) return;
    console.log("spinning");
    for (;;);
  },
  { retries: 1, retryDelay: 0 },
)();
await new Bundle(dag).serve();
