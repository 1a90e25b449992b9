/** From queued to running: one guarded statement for all claims that arrive together. */
import { hasRetriesLeft, type Instant, type SerializedTask } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import { type DagPlan, taskOf } from "../dag-plan.ts";
import { at } from "../database.ts";
import { RUN_COLUMNS } from "../reads/columns.ts";
import type { Announcement, ClaimedTry, ClaimRequest, ClaimResult, DagRunRow } from "../store.ts";
import { consumedEvents } from "./asset-queue.ts";
import { inactiveAssets } from "./asset-references.ts";
import { readInputs, type TryInputs } from "./claim-inputs.ts";
import type { Engine } from "./context.ts";
import { loopPositions } from "./loop-positions.ts";

interface ClaimedRow extends Omit<DagRunRow, "dag_version_number"> {
  readonly ti_id: string;
  readonly dag_run: number;
  readonly task_id: string;
  readonly map_index: number;
  readonly try_number: number;
  readonly max_tries: number;
  readonly dag_version_id: string;
  readonly next_method: string | null;
  readonly next_kwargs: ClaimedTry["next_kwargs"];
  /** Set where the try was rescheduled before. */
  readonly reschedule_date: Instant | null;
  readonly try_start_date: Instant | null;
  readonly hostname: string;
  readonly pid: number;
}

/**
 * The same process of the same host may claim again: its first answer was lost. Of several processes that claim a try
 * together, as when its message was doubled, only the one whose name is written has it.
 */
export async function claimTries(engine: Engine, requests: readonly ClaimRequest[]): Promise<ClaimResult[]> {
  const unique = [...new Map(requests.map((request) => [keyOf(request), request])).values()];
  const rows = await engine.db.rows<ClaimedRow>({
    name: "claim_tries",
    text: `UPDATE task_instance t
      SET state = 'running', cause = 'Running on ' || c.hostname, hostname = c.hostname, unixname = c.unixname,
          pid = c.pid, start_date = CASE WHEN t.state = 'queued' AND (t.next_method IS NULL OR t.start_date IS NULL) THEN $6 ELSE t.start_date END,
          last_heartbeat_at = clock_timestamp()
      FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::integer[])
             AS c (id, try_number, hostname, unixname, pid),
           dag_run r
      WHERE t.id = c.id AND r.id = t.dag_run AND t.try_number = c.try_number
        AND (t.state = 'queued' OR (t.state = 'running' AND t.hostname = c.hostname AND t.pid = c.pid))
      RETURNING t.id AS ti_id, t.dag_run, t.task_id, t.map_index, t.try_number, t.max_tries, r.dag_version_id,
        t.next_method, t.next_kwargs, t.reschedule_date, t.start_date AS try_start_date, t.hostname, t.pid,
        ${RUN_COLUMNS}`,
    values: [
      unique.map(({ ti_id }) => ti_id),
      unique.map(({ try_number }) => try_number),
      unique.map(({ hostname }) => hostname),
      unique.map(({ unixname }) => unixname),
      unique.map(({ pid }) => pid),
      at(engine.clock.now()),
    ],
  });
  const described = await describeAll(engine, rows);
  const claimed = new Map(rows.map((row, index) => [keyOf(row), described[index]]));
  const refused = unique.filter((request) => !claimed.has(keyOf(request)));
  const states = await statesOf(engine, refused);
  return requests.map((request) => {
    const row = claimed.get(keyOf(request));
    if (row !== undefined) return { kind: "claimed", try: row, announcement: announcementOf(row) };
    const state = states.get(request.ti_id);
    return state === undefined
      ? { kind: "rejected", reason: "not_found" }
      : { kind: "rejected", reason: "invalid_state", state };
  });
}

function keyOf({ ti_id, try_number, hostname, pid }: Omit<ClaimRequest, "unixname">): string {
  return `${ti_id}/${try_number}/${pid}/${hostname}`;
}

async function describeAll(engine: Engine, rows: readonly ClaimedRow[]): Promise<ClaimedTry[]> {
  const plans = await engine.plans.load(
    engine.db,
    rows.map(({ dag_version_id }) => dag_version_id),
  );
  // Each version was just loaded, or loading it would have thrown.
  const placed = rows.map((row) => ({ ...row, plan: plans.get(row.dag_version_id) as DagPlan }));
  const [inputs, loops] = await Promise.all([readInputs(engine.db, placed), loopPositions(engine.db, placed)]);
  return Promise.all(
    placed.map(async ({ plan, ...row }, n) => {
      const loop = loops[n];
      const described = await describe(engine, plan, row, inputs[n] as TryInputs);
      return loop === undefined ? described : { ...described, loop };
    }),
  );
}

async function describe(engine: Engine, plan: DagPlan, row: ClaimedRow, inputs: TryInputs): Promise<ClaimedTry> {
  const task = taskOf(plan, row.task_id);
  const { ti_id, task_id, map_index, try_number, max_tries, next_method, next_kwargs, ...rest } = row;
  const { dag_run: _run, dag_version_id: _version, hostname: _host, pid: _pid, ...kept } = rest;
  const { reschedule_date, try_start_date, ...dagRun } = kept;
  return {
    ti_id,
    dag_id: row.dag_id,
    run_id: row.run_id,
    task_id,
    map_index,
    try_number,
    max_tries,
    should_retry: hasRetriesLeft(row, task),
    artefact_hash: plan.artefact_hash,
    operator_name: task.operator_name,
    execution_timeout: task.execution_timeout,
    do_xcom_push: task.do_xcom_push,
    isolation: task.isolation,
    next_method,
    next_kwargs,
    ...(reschedule_date === null ? NEVER_RESCHEDULED : await reschedulesOf(engine, row)),
    start_date: try_start_date,
    ...inputs,
    dag_run: { ...dagRun, dag_version_number: plan.version_number },
    ...(await assetFacts(engine, row, plan, task)),
  };
}

/** Most tasks have to do with no asset, and pay nothing. */
async function assetFacts(
  { db }: Engine,
  { dag_run, run_type }: ClaimedRow,
  { dag }: DagPlan,
  { inlets, outlets }: SerializedTask,
): Promise<Pick<ClaimedTry, "consumed_asset_events" | "inactive_assets">> {
  const mayConsume = run_type === "asset_triggered" || dag.timetable.type === "asset_and_time";
  const consumed = mayConsume ? await consumedEvents(db, dag_run) : [];
  const inactive = await inactiveAssets(db, [...inlets, ...outlets]);
  return {
    ...(consumed.length === 0 ? {} : { consumed_asset_events: consumed }),
    ...(inactive.length === 0 ? {} : { inactive_assets: inactive }),
  };
}

type Reschedules = Pick<ClaimedTry, "task_reschedule_count" | "first_task_reschedule_start_date">;
const NEVER_RESCHEDULED: Reschedules = { task_reschedule_count: 0, first_task_reschedule_start_date: null };

async function reschedulesOf({ db }: Engine, { ti_id, try_number }: ClaimedRow): Promise<Reschedules> {
  const [row] = await db.rows<Reschedules>({
    name: "claim_reschedules",
    text: `SELECT count(*)::integer AS task_reschedule_count, min(start_date) AS first_task_reschedule_start_date
      FROM task_reschedule WHERE ti_id = $1 AND try_number = $2`,
    values: [ti_id, try_number],
  });
  return row ?? NEVER_RESCHEDULED;
}

async function statesOf(engine: Engine, refused: readonly ClaimRequest[]) {
  if (refused.length === 0) return new Map();
  const rows = await engine.db.rows<{ id: string; state: Extract<ClaimResult, { reason: "invalid_state" }>["state"] }>({
    name: "claim_states",
    text: "SELECT id, state FROM task_instance WHERE id = ANY($1::uuid[])",
    values: [refused.map(({ ti_id }) => ti_id)],
  });
  return new Map(rows.map(({ id, state }) => [id, state]));
}

function announcementOf({ dag_id, run_id, task_id, map_index, try_number }: ClaimedTry): Announcement {
  const change = { dag_id, run_id, task_id, map_index, try_number, state: "running" as const };
  return { ...NOTHING, task_instances: [change] };
}
