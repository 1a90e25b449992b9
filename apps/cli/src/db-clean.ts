/** `db clean`: deletes what is older than a date, in batches that never make the roles wait. */
import { createInterface } from "node:readline/promises";
import { CLEANABLE_TABLES, type CleanableTable, type CleanRequest, type MetadataStore } from "@updraft/metadata-store";
import { nearest } from "@updraft/service-kit";
import type { Command } from "./commands.ts";
import { UsageError } from "./usage-error.ts";
import { withStore } from "./with-store.ts";

type Values = Readonly<Record<string, unknown>>;

const DEFAULT_BATCH = 500;

export const dbClean: Command = {
  name: "db clean",
  summary: "Delete finished runs and records that are older than a date",
  options: {
    "clean-before-timestamp": { type: "string" },
    tables: { type: "string", short: "t" },
    "dag-ids": { type: "string" },
    "exclude-dag-ids": { type: "string" },
    "batch-size": { type: "string" },
    "dry-run": { type: "boolean" },
    "skip-archive": { type: "boolean" },
    yes: { type: "boolean", short: "y" },
  },
  optionHelp: {
    "clean-before-timestamp": "delete what is older, such as 2026-01-31 or 2026-01-31T06:00:00Z",
    tables: `some of ${CLEANABLE_TABLES.join(", ")} (all)`,
    "dag-ids": "only these DAGs, separated by commas; tables that know no DAG are left alone",
    "exclude-dag-ids": "all DAGs but these",
    "batch-size": `rows of one transaction (${DEFAULT_BATCH})`,
    "dry-run": "only count what would be deleted",
    "skip-archive": "for scripts written for Airflow: nothing is archived in any case",
    yes: "don't ask",
  },
  examples: [
    "updraft db clean --clean-before-timestamp 2026-01-01 --dry-run",
    "updraft db clean --clean-before-timestamp 2026-01-01 --tables dag_run,log --exclude-dag-ids billing --yes",
  ],
  run: clean,
};

async function clean(values: Values): Promise<number> {
  const before = beforeOf(values["clean-before-timestamp"]);
  const tables = tablesOf(values.tables);
  const batchSize = batchSizeOf(values["batch-size"] ?? String(DEFAULT_BATCH));
  const request = { before, dag_ids: namesOf(values["dag-ids"]), exclude_dag_ids: namesOf(values["exclude-dag-ids"]) };
  return withStore("db clean", async ({ store }) => {
    const counts = await countAll(store, tables, request);
    if (values["dry-run"] === true) return 0;
    if (counts === 0) return 0;
    if (values.yes !== true && !(await isConfirmed(counts))) return 1;
    for (const table of tables) {
      let deleted = 0;
      for (let batch = batchSize; batch === batchSize; ) {
        batch = await store.cleanBatch(table, request, batchSize);
        deleted += batch;
      }
      if (deleted > 0) process.stdout.write(`Deleted ${deleted} of ${table}.\n`);
    }
    return 0;
  });
}

async function countAll(
  store: MetadataStore,
  tables: readonly CleanableTable[],
  request: CleanRequest,
): Promise<number> {
  let all = 0;
  process.stdout.write(`Older than ${new Date(request.before).toISOString()}:\n`);
  for (const table of tables) {
    const count = await store.countOld(table, request);
    all += count;
    process.stdout.write(`  ${table.padEnd(22)} ${count}\n`);
  }
  return all;
}

async function isConfirmed(count: number): Promise<boolean> {
  if (!process.stdin.isTTY) {
    process.stderr.write("Nothing was deleted: there is nobody to ask. Add --yes.\n");
    return false;
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(`Delete ${count} rows, and all that belongs to the runs among them? (y/N) `);
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}

function beforeOf(text: unknown): number {
  if (typeof text !== "string") throw new UsageError("--clean-before-timestamp is missing.");
  const hasOffset = /(Z|[+-]\d\d:?\d\d)$/i.test(text);
  const instant = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) || hasOffset ? text : `${text}Z`);
  if (Number.isNaN(instant))
    throw new UsageError(`--clean-before-timestamp "${text}" is no date; write 2026-01-31 or 2026-01-31T06:00:00Z.`);
  return instant;
}

function tablesOf(text: unknown): readonly CleanableTable[] {
  const names = namesOf(text);
  for (const name of names) {
    if ((CLEANABLE_TABLES as readonly string[]).includes(name)) continue;
    const meant = nearest(name, CLEANABLE_TABLES);
    const hint = meant === undefined ? `It cleans ${CLEANABLE_TABLES.join(", ")}.` : `Did you mean "${meant}"?`;
    throw new UsageError(`Table "${name}" can't be cleaned. ${hint}`);
  }
  return names.length === 0 ? CLEANABLE_TABLES : CLEANABLE_TABLES.filter((table) => names.includes(table));
}

function namesOf(text: unknown): readonly string[] {
  return typeof text !== "string"
    ? []
    : text
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "");
}

function batchSizeOf(text: unknown): number {
  const size = Number(text);
  if (Number.isSafeInteger(size) && size > 0) return size;
  throw new UsageError(`--batch-size "${String(text)}" is no whole number from 1.`);
}
