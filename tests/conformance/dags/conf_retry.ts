/** Fails once, then succeeds; tells its try in the log. */
import { Bundle, Dag, getContext } from "@updraft/sdk/airflow";

const dag = new Dag("conf_retry");
dag.task(
  "flaky",
  () => {
    const { tryNumber } = getContext();
    console.log(`this is try ${tryNumber}`);
    if (tryNumber === 1) throw new Error("the first try always fails");
    return tryNumber;
  },
  { retries: 1, retryDelay: 0 },
)();
await new Bundle(dag).serve();
