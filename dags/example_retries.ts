/** A task that fails at first and is tried again with growing delays; it keeps its progress between the tries. */
import { Bundle, Dag, getClient, getContext, getLogger } from "@updraft/sdk";

const dag = new Dag("example_retries", { tags: ["example"], description: "Two failures, then a success" });

const unsteady = dag.task(
  "unsteady",
  async () => {
    const state = getClient().taskStateStore;
    const attempts = ((await state.get<number>("attempts")) ?? 0) + 1;
    await state.set("attempts", attempts);
    getLogger().info(`Try ${getContext().tryNumber}: the service was asked ${attempts} times so far`);
    if (attempts < 3) throw new Error("The service is not ready yet");
    return attempts;
  },
  { retries: 4, retryDelay: 1, retryExponentialBackoff: 2, maxRetryDelay: 5 },
);
const cleanUp = dag.task("clean_up", () => undefined, { triggerRule: "all_done" });

unsteady().before(cleanUp());

await new Bundle(dag).serve();
