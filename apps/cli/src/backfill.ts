/** `backfill create`: the same as over REST, with the database at hand. */
import { BACKFILL_MAX_ACTIVE_RUNS, REPROCESS_BEHAVIORS } from "@updraft/contract";
import type { BackfillRequest, MetadataStore } from "@updraft/metadata-store";
import type { Command } from "./commands.ts";
import { UsageError } from "./usage-error.ts";
import { type OpenStore, withStore } from "./with-store.ts";

type Values = Readonly<Record<string, unknown>>;

export const backfillCreate: Command = {
  name: "backfill create",
  summary: "Run a DAG for every date of a range",
  options: {
    "dag-id": { type: "string" },
    "from-date": { type: "string" },
    "to-date": { type: "string" },
    "dag-run-conf": { type: "string" },
    "run-backwards": { type: "boolean" },
    "max-active-runs": { type: "string" },
    "reprocess-behavior": { type: "string" },
    "no-run-on-latest-version": { type: "boolean" },
    "dry-run": { type: "boolean" },
  },
  optionHelp: {
    "dag-id": "the DAG to backfill",
    "from-date": "earliest logical date, such as 2026-01-01 or 2026-01-01T06:00:00Z (UTC where it names no offset)",
    "to-date": "latest logical date",
    "dag-run-conf": "conf of the runs, as JSON",
    "run-backwards": "the newest date first",
    "max-active-runs": `how many of its runs may run at once (${BACKFILL_MAX_ACTIVE_RUNS})`,
    "reprocess-behavior": "which existing runs run again: none, failed or completed (none)",
    "no-run-on-latest-version": "runs that run again keep the version they have",
    "dry-run": "only show the logical dates",
  },
  examples: [
    "updraft backfill create --dag-id etl --from-date 2026-01-01 --to-date 2026-01-31 --dry-run",
    "updraft backfill create --dag-id etl --from-date 2026-01-01 --to-date 2026-01-31 --reprocess-behavior failed",
  ],
  run: createBackfill,
};

function createBackfill(values: Values): Promise<number> {
  const request = requestOf(values);
  return withStore("backfill create", (opened) =>
    values["dry-run"] === true ? showDates(opened.store, request) : create(opened, request),
  );
}

async function showDates(store: MetadataStore, request: BackfillRequest): Promise<number> {
  const planned = await store.dryRunBackfill(request);
  if (planned.kind === "rejected") return refuse(planned.message);
  const dates = planned.logical_dates.map((date) => `  ${new Date(date).toISOString()}\n`);
  process.stdout.write(`Logical dates of ${dates.length} runs that would be made:\n${dates.join("")}`);
  return 0;
}

async function create({ store, announce }: OpenStore, request: BackfillRequest): Promise<number> {
  const result = await store.createBackfill(request);
  if (result.kind === "rejected") return refuse(result.message);
  await announce(result.announcement);
  const { id, dag_id } = result.backfill;
  process.stdout.write(`Backfill ${id} of ${dag_id} was created; the scheduler starts its runs.\n`);
  return 0;
}

function refuse(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}

function requestOf(values: Values): BackfillRequest {
  return {
    dag_id: textOf(values, "dag-id"),
    from_date: dateOf(values, "from-date"),
    to_date: dateOf(values, "to-date"),
    run_backwards: values["run-backwards"] === true,
    reprocess_behavior: behaviorOf(values["reprocess-behavior"] ?? "none"),
    max_active_runs: countOf(values["max-active-runs"] ?? String(BACKFILL_MAX_ACTIVE_RUNS)),
    dag_run_conf: confOf(values["dag-run-conf"]),
    run_on_latest_version: values["no-run-on-latest-version"] === true ? false : null,
    triggering_user_name: null,
  };
}

function textOf(values: Values, name: string): string {
  const value = values[name];
  if (typeof value === "string" && value !== "") return value;
  throw new UsageError(`--${name} is missing.`);
}

function dateOf(values: Values, name: string): number {
  const text = textOf(values, name);
  const hasOffset = /(Z|[+-]\d\d:?\d\d)$/i.test(text);
  const instant = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) || hasOffset ? text : `${text}Z`);
  if (Number.isNaN(instant))
    throw new UsageError(`--${name} "${text}" is no date; write 2026-01-31 or 2026-01-31T06:00:00Z.`);
  return instant;
}

function behaviorOf(text: unknown): BackfillRequest["reprocess_behavior"] {
  const known = REPROCESS_BEHAVIORS.find((one) => one === text);
  if (known !== undefined) return known;
  throw new UsageError(`--reprocess-behavior "${text}" is none of ${REPROCESS_BEHAVIORS.join(", ")}.`);
}

function countOf(text: unknown): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new UsageError(`--max-active-runs "${text}" is no whole number from 1.`);
}

function confOf(text: unknown): BackfillRequest["dag_run_conf"] {
  if (typeof text !== "string") return null;
  try {
    const conf = JSON.parse(text);
    if (typeof conf === "object" && conf !== null && !Array.isArray(conf)) return conf;
  } catch {
    // Told below, as for JSON that is no object.
  }
  throw new UsageError(`--dag-run-conf must be a JSON object, such as '{"n": 1}', not ${text}`);
}
