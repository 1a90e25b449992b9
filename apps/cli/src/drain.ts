/** `dags drain`: let a DAG finish what it has and pause it then. */
import type { Command } from "./commands.ts";
import { UsageError } from "./usage-error.ts";
import { withStore } from "./with-store.ts";

export const dagsDrain: Command = {
  name: "dags drain",
  summary: "Make no scheduled runs of a DAG any more, and pause it when its last run has ended",
  options: { "dag-id": { type: "string" }, stop: { type: "boolean" } },
  optionHelp: { "dag-id": "the DAG to drain", stop: "go on instead, as if it had never been drained" },
  examples: ["updraft dags drain --dag-id etl", "updraft dags drain --dag-id etl --stop"],
  run: (values) => {
    const dagId = values["dag-id"];
    if (typeof dagId !== "string" || dagId === "") throw new UsageError("--dag-id is missing.");
    return drain(dagId, values.stop !== true);
  },
};

function drain(dagId: string, draining: boolean): Promise<number> {
  return withStore("dags drain", async ({ store, announce }) => {
    const announcement = await store.setDagDraining(dagId, draining);
    if (announcement === null) {
      process.stderr.write(`There is no DAG ${dagId}.\n`);
      return 1;
    }
    await announce(announcement);
    const told = draining ? "drains; it is paused when its last run has ended" : "goes on";
    process.stdout.write(`DAG ${dagId} ${told}.\n`);
    return 0;
  });
}
