/**
 * The dates of backfills become runs: new ones, or those that exist and run again. A batch is one transaction; a date is
 * dealt with once, by whoever holds the lock of its backfill.
 */
import { backfillVerdict, type DagRunState, generateRunId, type Instant, type JsonValue } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import type { BackfillRow } from "../backfill-rows.ts";
import type { DagPlan } from "../dag-plan.ts";
import { at, type Transaction } from "../database.ts";
import type { Announcement, SchedulingStep } from "../store.ts";
import { clearInstances, resetRun } from "./clear.ts";
import type { Engine } from "./context.ts";
import { createQueuedRuns, type NewRun } from "./create-run.ts";
import { joined } from "./due-runs.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import { backfillRunsKey } from "./occupancy.ts";
import { lockRuns } from "./runs.ts";
import { Turn } from "./turn.ts";
import { moveToVersion } from "./version-move.ts";

/** Task instances that a batch makes, about; and runs at most. */
const BATCH_INSTANCES = 2000;
const MOST_RUNS = 500;
const MOST_BACKFILLS = 10;

/** One batch of each backfill that has dates left; those whose last run ended are completed. */
export async function advanceBackfills(engine: Engine): Promise<SchedulingStep> {
  const open = await engine.db.rows<{ id: number }>({
    name: "open_backfills",
    text: `SELECT b.id FROM backfill b WHERE b.completed_at IS NULL
        AND EXISTS (SELECT FROM backfill_dag_run p WHERE p.backfill_id = b.id AND p.is_pending)
      ORDER BY b.id LIMIT ${MOST_BACKFILLS}`,
  });
  let announcement: Announcement = NOTHING;
  let more = false;
  for (const { id } of open) {
    const step = await advanceBackfill(engine, id);
    announcement = joined(announcement, step.announcement);
    more ||= step.more;
  }
  return { announcement: joined(announcement, await completeBackfills(engine)), more };
}

interface OpenBackfill extends Pick<BackfillRow, "id" | "dag_id" | "dag_run_conf" | "reprocess_behavior"> {
  readonly run_on_latest_version: boolean;
  readonly triggering_user_name: string | null;
  readonly dag_version_id: string;
  readonly is_paused: boolean;
  readonly max_active_runs: number;
}

interface PendingDate {
  readonly id: number;
  readonly logical_date: Instant;
  readonly data_interval_start: Instant;
  readonly data_interval_end: Instant;
  readonly run_after: Instant;
  readonly sort_ordinal: number;
  /** The run that has this logical date. */
  readonly existing_id: number | null;
  readonly existing_state: DagRunState | null;
}

/** What became of a date. */
interface Outcome {
  readonly date: PendingDate;
  readonly dag_run_id: number | null;
  readonly exception_reason: string | null;
}

/** One batch; `more` tells that dates are left. */
export function advanceBackfill(engine: Engine, id: number): Promise<SchedulingStep> {
  return engine.db.transaction(async (tx) => {
    const [backfill] = await tx.rows<OpenBackfill>({
      name: "lock_backfill",
      text: `SELECT b.id, b.dag_id, b.dag_run_conf, b.reprocess_behavior, b.run_on_latest_version, b.triggering_user_name,
          d.dag_version_id, d.is_paused, d.max_active_runs
        FROM backfill b JOIN dag d USING (dag_id) WHERE b.id = $1 AND b.completed_at IS NULL FOR UPDATE OF b SKIP LOCKED`,
      values: [id],
    });
    if (backfill === undefined) return { announcement: NOTHING, more: false };
    const plan = await engine.plans.loadOne(tx, backfill.dag_version_id);
    const size = Math.min(Math.max(Math.floor(BATCH_INSTANCES / Math.max(plan.dag.tasks.length, 1)), 1), MOST_RUNS);
    const dates = await readDates(tx, backfill, size);
    const turn = new Turn(engine, tx, []);
    const verdicts = dates.map((date) => ({
      date,
      verdict: backfillVerdict(date.existing_state ?? undefined, backfill.reprocess_behavior),
    }));
    const named = (wanted: string) => verdicts.filter(({ verdict }) => verdict === wanted).map(({ date }) => date);
    const outcomes = [
      ...(await createRuns(engine, turn, { backfill, plan }, named("create"))),
      ...(await reprocess(engine, turn, { backfill, plan }, named("reprocess"))),
      ...verdicts
        .filter(({ verdict }) => verdict === "in flight" || verdict === "already exists")
        .map(({ date, verdict }) => ({ date, dag_run_id: null, exception_reason: verdict })),
    ];
    writeOutcomes(tx, outcomes);
    raiseLastTick(tx, backfill, dates);
    return { announcement: await turn.settle(), more: dates.length === size };
  });
}

function readDates(tx: Transaction, { id, dag_id }: OpenBackfill, size: number): Promise<PendingDate[]> {
  return tx.rows<PendingDate>({
    name: "backfill_dates",
    text: `SELECT p.id, p.logical_date, p.data_interval_start, p.data_interval_end, p.run_after, p.sort_ordinal,
        r.id AS existing_id, r.state AS existing_state
      FROM (SELECT * FROM backfill_dag_run WHERE backfill_id = $1 AND is_pending ORDER BY sort_ordinal LIMIT $3) p
        LEFT JOIN dag_run r ON r.dag_id = $2 AND r.logical_date = p.logical_date
      ORDER BY p.sort_ordinal`,
    values: [id, dag_id, size],
  });
}

interface Work {
  readonly backfill: OpenBackfill;
  readonly plan: DagPlan;
}

async function createRuns(
  engine: Engine,
  turn: Turn,
  { backfill, plan }: Work,
  dates: readonly PendingDate[],
): Promise<Outcome[]> {
  const { id, dag_id, triggering_user_name } = backfill;
  const conf: Readonly<Record<string, JsonValue>> = backfill.dag_run_conf ?? {};
  const runs = dates.map(
    ({ logical_date, data_interval_start, data_interval_end, run_after, sort_ordinal }): NewRun => ({
      dag_id,
      run_id: generateRunId("backfill", run_after, null),
      logical_date,
      data_interval_start,
      data_interval_end,
      run_after,
      run_type: "backfill",
      triggered_by: "backfill",
      triggering_user_name,
      conf,
      note: null,
      backfill: { id, sort_ordinal },
    }),
  );
  const created = await createQueuedRuns(engine, turn, plan, backfill, runs);
  return dates.map((date, index) => {
    const run = created[index] ?? null;
    // Somebody else was faster, or has a run of that id.
    return { date, dag_run_id: run?.id ?? null, exception_reason: run === null ? "in flight" : null };
  });
}

/** Runs that ended are cleared and become runs of the backfill. */
async function reprocess(
  engine: Engine,
  turn: Turn,
  { backfill, plan }: Work,
  dates: readonly PendingDate[],
): Promise<Outcome[]> {
  const { tx } = turn;
  const existing = dates.flatMap(({ existing_id }) => existing_id ?? []);
  const locked = await lockRuns(tx, engine.plans, existing);
  for (const one of locked) turn.hold(one);
  const states = new Map(locked.map(({ run }) => [run.id, run.state]));
  const outcomes: Outcome[] = [];
  for (const date of dates) {
    const run = date.existing_id;
    // Looked at again under its lock.
    const verdict = run === null ? "in flight" : backfillVerdict(states.get(run), backfill.reprocess_behavior);
    if (run === null || verdict !== "reprocess") {
      outcomes.push({ date, dag_run_id: null, exception_reason: verdict });
      continue;
    }
    turn.patchRun(run, { run_type: "backfill", backfill_id: backfill.id });
    if (backfill.run_on_latest_version) await moveToVersion(engine, turn, run, plan);
    const instances = await tx.rows<EngineInstance>({
      name: "instances_of_run",
      text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = $1 ORDER BY t.id FOR UPDATE`,
      values: [run],
    });
    await clearInstances(
      turn,
      instances.filter((instance) => turn.planOf(instance).tasks.has(instance.task_id)),
    );
    resetRun(turn, run);
    outcomes.push({ date, dag_run_id: run, exception_reason: null });
  }
  adoptRuns(tx, backfill, outcomes);
  return outcomes;
}

function adoptRuns(tx: Transaction, backfill: OpenBackfill, outcomes: readonly Outcome[]): void {
  const adopted = outcomes.filter(({ dag_run_id }) => dag_run_id !== null);
  if (adopted.length === 0) return;
  tx.send({
    name: "adopt_runs",
    text: `UPDATE dag_run r SET run_type = 'backfill', triggered_by = 'backfill', backfill_id = $1, sort_ordinal = a.sort_ordinal,
        triggering_user_name = $2, conf = coalesce($3::json, r.conf)
      FROM unnest($4::bigint[], $5::integer[]) AS a (id, sort_ordinal) WHERE r.id = a.id`,
    values: [
      backfill.id,
      backfill.triggering_user_name,
      backfill.dag_run_conf === null ? null : JSON.stringify(backfill.dag_run_conf),
      adopted.map(({ dag_run_id }) => dag_run_id),
      adopted.map(({ date }) => date.sort_ordinal),
    ],
  });
}

function writeOutcomes(tx: Transaction, outcomes: readonly Outcome[]): void {
  tx.send({
    name: "write_backfill_dates",
    text: `UPDATE backfill_dag_run p SET is_pending = false, dag_run_id = o.dag_run_id, exception_reason = o.reason
      FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS o (id, dag_run_id, reason) WHERE p.id = o.id`,
    values: [
      outcomes.map(({ date }) => date.id),
      outcomes.map(({ dag_run_id }) => dag_run_id),
      outcomes.map(({ exception_reason }) => exception_reason),
    ],
  });
}

/** The timetable goes on after the newest run that it or a backfill made. */
function raiseLastTick(tx: Transaction, { dag_id }: OpenBackfill, dates: readonly PendingDate[]): void {
  const newest = dates.toSorted((left, right) => right.logical_date - left.logical_date)[0];
  if (newest === undefined) return;
  tx.send({
    name: "raise_last_tick",
    text: `UPDATE dag SET last_tick_start = $2, last_tick_end = $3
      WHERE dag_id = $1 AND (last_tick_start IS NULL OR last_tick_start < $2)`,
    values: [dag_id, at(newest.data_interval_start), at(newest.data_interval_end)],
  });
}

async function completeBackfills(engine: Engine): Promise<Announcement> {
  const completed = await engine.db.rows<{ id: number; dag_id: string }>({
    name: "complete_backfills",
    text: `UPDATE backfill b SET completed_at = $1, updated_at = $1 WHERE b.completed_at IS NULL
        AND NOT EXISTS (SELECT FROM backfill_dag_run p WHERE p.backfill_id = b.id AND p.is_pending)
        AND NOT EXISTS (SELECT FROM dag_run r WHERE r.backfill_id = b.id AND r.state IN ('queued', 'running'))
      RETURNING b.id, b.dag_id`,
    values: [at(engine.clock.now())],
  });
  if (completed.length === 0) return NOTHING;
  await engine.db.rows({
    name: "drop_backfill_counters",
    text: "DELETE FROM occupancy WHERE key = ANY($1::text[]) AND used = 0",
    values: [completed.map(({ id }) => backfillRunsKey(id))],
  });
  return { ...NOTHING, dags: completed.map(({ dag_id }) => ({ dag_id })) };
}
