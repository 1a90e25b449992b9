/** `tasks failed-deps`: why a task instance does not run. */
import type { MetadataStore } from "@updraft/metadata-store";
import type { Command } from "./commands.ts";
import { UsageError } from "./usage-error.ts";
import { withStore } from "./with-store.ts";

export const failedDeps: Command = {
  name: "tasks failed-deps",
  summary: "Say why a task instance does not run: every reason that holds now",
  positionals: ["dag_id", "task_id", "logical_date_or_run_id"],
  options: { "map-index": { type: "string" } },
  optionHelp: { "map-index": "index of a mapped task (-1: not mapped)" },
  examples: [
    "updraft tasks failed-deps etl load manual__2026-01-31T06:00:00+00:00",
    "updraft tasks failed-deps etl load 2026-01-31T06:00:00Z --map-index 3",
  ],
  run: (values) =>
    withStore("tasks failed-deps", async ({ store }) => {
      const [dag_id, task_id] = [String(values.dag_id), String(values.task_id)];
      const run_id = await runIdOf(store, dag_id, String(values.logical_date_or_run_id));
      if (run_id === null) return refuse(`DAG ${dag_id} has no run ${String(values.logical_date_or_run_id)}.`);
      const address = { dag_id, run_id, task_id, map_index: indexOf(values["map-index"] ?? "-1") };
      const reasons = await store.blockingReasons(address);
      if (reasons === null) return refuse(`Run ${run_id} of ${dag_id} has no task instance ${task_id}.`);
      if (reasons.length === 0) process.stdout.write("Task instance dependencies are all met.\n");
      else process.stdout.write(`Task instance dependencies not met:\n${reasons.map(lineOf).join("")}`);
      return 0;
    }),
};

function lineOf({ name, reason }: { readonly name: string; readonly reason: string }): string {
  return `${name}: ${reason}\n`;
}

async function runIdOf(store: MetadataStore, dagId: string, text: string): Promise<string | null> {
  const run = await store.getDagRun(dagId, text);
  if (run !== null) return run.run_id;
  const date = Date.parse(text);
  if (Number.isNaN(date)) return null;
  const page = { limit: 1, offset: 0, order_by: [] };
  const { rows } = await store.listDagRuns({ dag_id: dagId, logical_date: { gte: date, lte: date } }, page);
  return rows[0]?.run_id ?? null;
}

function indexOf(text: unknown): number {
  const index = Number(text);
  if (Number.isSafeInteger(index) && index >= -1) return index;
  throw new UsageError(`--map-index "${String(text)}" is no whole number from -1.`);
}

function refuse(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}
