/**
 * What a DAG's timetable brings. Each tick becomes a run or a recorded skipped tick with its cause.
 *
 *   due, room below max_active_runs ──► run; the next tick is looked up
 *   due, no room ──► gated: the tick waits. A newer tick makes it a skipped one (catch-up keeps them all)
 */
import {
  generateRunId,
  hasBeat,
  type Instant,
  intervalOfTick,
  missedTicks,
  nextRun,
  type RunInfo,
  refusedRunType,
  type ScheduleFacts,
  type SerializedDag,
  tickOf,
  timePart,
} from "@updraft/dag-core";
import { NOTHING, Tidings } from "../announcement.ts";
import type { DagPlan } from "../dag-plan.ts";
import { at, type Queryable } from "../database.ts";
import type { Announcement, SchedulingStep } from "../store.ts";
import { consumeGate, isGateOpen } from "./asset-gate.ts";
import type { Engine } from "./context.ts";
import { createRun } from "./create-run.ts";
import { ACTIVE_RUNS } from "./runs.ts";
import { Turn } from "./turn.ts";

const BATCH = 20;
/** Counting further is of no use to people. */
const MOST_COUNTED_TICKS = 100_000;
const LATE = "No scheduler was running, or it came too late";

interface DueDag {
  readonly dag_id: string;
  readonly is_paused: boolean;
  readonly max_active_runs: number;
  readonly is_gated: boolean;
  readonly skip_cause: string | null;
  readonly last_tick_start: Instant | null;
  readonly last_tick_end: Instant | null;
  /** What was planned when this DAG was last looked at. */
  readonly next_dagrun_logical_date: Instant | null;
  readonly next_dagrun_data_interval_start: Instant | null;
  readonly next_dagrun_data_interval_end: Instant | null;
  readonly next_dagrun_run_after: Instant | null;
  readonly dag_version_id: string;
  readonly active_runs: number;
}

/** Each DAG is a transaction of its own, so that a broken one doesn't keep the others. */
export async function createDueRuns(engine: Engine): Promise<SchedulingStep> {
  const due = await engine.db.rows<{ dag_id: string }>({
    name: "due_dags",
    text: `SELECT dag_id FROM dag d WHERE NOT is_paused AND NOT is_stale AND NOT is_draining
        AND (evaluate_at <= $1 OR (is_gated AND ${ACTIVE_RUNS} < max_active_runs))
      ORDER BY evaluate_at, last_tick_end NULLS FIRST, dag_id LIMIT ${BATCH}`,
    values: [at(engine.clock.now())],
  });
  let announcement: Announcement = NOTHING;
  const failures: unknown[] = [];
  for (const { dag_id } of due) {
    try {
      announcement = joined(announcement, await evaluateDag(engine, dag_id));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0 && failures.length === due.length)
    throw new AggregateError(failures, "no due DAG could be evaluated");
  return { announcement, more: due.length > 0 && failures.length === 0 };
}

async function evaluateDag(engine: Engine, dagId: string): Promise<Announcement> {
  return engine.db.transaction(async (tx) => {
    const [dag] = await tx.rows<DueDag>({
      name: "due_dag",
      text: `SELECT d.dag_id, d.is_paused, d.max_active_runs, d.is_gated, d.skip_cause, d.last_tick_start, d.last_tick_end,
          d.next_dagrun_logical_date, d.next_dagrun_data_interval_start, d.next_dagrun_data_interval_end,
          d.next_dagrun_run_after, d.dag_version_id, ${ACTIVE_RUNS} AS active_runs
        FROM dag d WHERE d.dag_id = $1 AND NOT d.is_paused AND NOT d.is_stale AND NOT d.is_draining FOR NO KEY UPDATE SKIP LOCKED`,
      values: [dagId],
    });
    if (dag === undefined) return NOTHING;
    const plan = await engine.plans.loadOne(tx, dag.dag_version_id);
    const turn = new Turn(engine, tx, []);
    const facts = factsOf(plan, dag, turn.now);
    const next = nextOf(plan, dag, facts);
    if (next === null || next.run_after > turn.now) {
      const { last_tick_start, last_tick_end } = dag;
      await writeDag(tx, dagId, {
        next,
        evaluate_at: next?.run_after ?? null,
        is_gated: false,
        skip_cause: dag.skip_cause,
        last_tick_start,
        last_tick_end,
      });
      turn.tidings.dags.push({ dag_id: dagId });
      return turn.tidings;
    }
    await evaluateTick(engine, turn, { dag, plan, facts, next });
    return turn.settle();
  });
}

function nextOf(plan: DagPlan, dag: DueDag, facts: ScheduleFacts): RunInfo | null {
  if (refusedRunType(plan.dag, "scheduled") !== null) return null;
  return plannedRun(plan, dag, facts) ?? nextRun(plan.dag.timetable, facts);
}

/**
 * A planned run that came due stays the next one until its successor is due too. Timetables that count from the
 * present (deltas, events) would otherwise forget it a millisecond later.
 */
function plannedRun(plan: DagPlan, dag: DueDag, facts: ScheduleFacts): RunInfo | null {
  const timetable = timePart(plan.dag.timetable);
  const { next_dagrun_logical_date: logical_date, next_dagrun_run_after: run_after } = dag;
  const { next_dagrun_data_interval_start: start, next_dagrun_data_interval_end: end } = dag;
  if (facts.catchup || logical_date === null || run_after === null || start === null || end === null) return null;
  if (run_after > facts.now || (facts.latest !== null && start > facts.latest)) return null;
  const planned = { logical_date, data_interval_start: start, data_interval_end: end, run_after };
  if (facts.last !== null && tickOf(timetable, planned) <= tickOf(timetable, facts.last)) return null;
  const following = nextRun(timetable, { ...facts, last: planned });
  return following === null || following.run_after > facts.now ? planned : null;
}

interface DueTick {
  readonly dag: DueDag;
  readonly plan: DagPlan;
  readonly facts: ScheduleFacts;
  readonly next: RunInfo;
}

async function evaluateTick(engine: Engine, turn: Turn, { dag, plan, facts, next }: DueTick): Promise<void> {
  const { catchup } = plan.dag;
  const timetable = timePart(plan.dag.timetable);
  if (!(await isGateOpen(turn.tx, plan.dag))) {
    const { last_tick_start, last_tick_end } = dag;
    const skip_cause = "The tick waited for the assets of the schedule until a newer one came";
    const waiting = { next, evaluate_at: null, is_gated: false, skip_cause, last_tick_start, last_tick_end };
    await writeDag(turn.tx, dag.dag_id, waiting);
    turn.tidings.dags.push({ dag_id: dag.dag_id });
    return;
  }
  const missed =
    catchup || facts.last === null
      ? null
      : missedTicks(timetable, tickOf(timetable, facts.last), tickOf(timetable, next), MOST_COUNTED_TICKS);
  if (missed !== null) {
    await recordSkipped(turn, {
      dag_id: dag.dag_id,
      ...missed,
      cause: dag.skip_cause ?? LATE,
      previous: facts.last === null ? null : tickOf(timetable, facts.last),
    });
  }
  const after = nextRun(timetable, { ...facts, last: next });
  if (dag.active_runs >= dag.max_active_runs) {
    const newest = missed === null ? facts.last : intervalOfTick(timetable, missed.last);
    await writeDag(turn.tx, dag.dag_id, {
      next,
      evaluate_at: !catchup && hasBeat(timetable) ? (after?.run_after ?? null) : null,
      is_gated: true,
      skip_cause: `max_active_runs: ${dag.active_runs} of at most ${dag.max_active_runs} runs were active`,
      last_tick_start: newest?.data_interval_start ?? null,
      last_tick_end: newest?.data_interval_end ?? null,
    });
    turn.tidings.dags.push({ dag_id: dag.dag_id });
    return;
  }
  await createTick(engine, turn, { dag, plan, facts, next });
  await writeDag(turn.tx, dag.dag_id, {
    next: after,
    // A DAG that has more to catch up on comes after those that are due and were not looked at yet.
    evaluate_at: after === null ? null : Math.max(after.run_after, turn.now),
    is_gated: false,
    skip_cause: null,
    last_tick_start: next.data_interval_start,
    last_tick_end: next.data_interval_end,
  });
  turn.tidings.dags.push({ dag_id: dag.dag_id });
}

async function createTick(engine: Engine, turn: Turn, { dag, plan, next }: DueTick): Promise<void> {
  const run = await createRun(engine, turn, plan, dag, {
    dag_id: dag.dag_id,
    run_id: generateRunId("scheduled", next.run_after, null),
    ...next,
    run_type: "scheduled",
    triggered_by: "timetable",
    triggering_user_name: null,
    conf: {},
    note: null,
  });
  if (run !== null) return consumeGate(turn.tx, plan.dag, run.id);
  const tick = tickOf(timePart(plan.dag.timetable), next);
  const cause = "A run with this logical date or run id exists already";
  await recordSkipped(turn, { dag_id: dag.dag_id, first: tick, last: tick, count: 1, cause, previous: null });
}

interface Skipped {
  readonly dag_id: string;
  readonly first: Instant;
  readonly last: Instant;
  readonly count: number;
  readonly cause: string;
  /** The tick before the first, if it is the newest recorded one these join it. */
  readonly previous: Instant | null;
}

async function recordSkipped(turn: Turn, { dag_id, first, last, count, cause, previous }: Skipped): Promise<void> {
  const joined = await turn.tx.rows({
    name: "extend_skipped",
    text: `UPDATE skipped_tick SET last_tick = $2, count = count + $3, recorded_at = $4
      WHERE id = (SELECT id FROM skipped_tick WHERE dag_id = $1 ORDER BY last_tick DESC LIMIT 1)
        AND cause = $5 AND last_tick = $6 RETURNING id`,
    values: [dag_id, at(last), count, at(turn.now), cause, at(previous)],
  });
  if (joined.length > 0) return;
  await turn.tx.rows({
    name: "insert_skipped",
    text: "INSERT INTO skipped_tick (dag_id, first_tick, last_tick, count, cause, recorded_at) VALUES ($1, $2, $3, $4, $5, $6)",
    values: [dag_id, at(first), at(last), count, cause, at(turn.now)],
  });
}

function factsOf({ dag }: DagPlan, { last_tick_start, last_tick_end }: DueDag, now: Instant): ScheduleFacts {
  const starts = [dag.start_date, ...dag.tasks.map(({ start_date }) => start_date)].filter((start) => start !== null);
  const last =
    last_tick_start === null || last_tick_end === null
      ? null
      : { data_interval_start: last_tick_start, data_interval_end: last_tick_end };
  const earliest = starts.length === 0 ? null : Math.min(...starts);
  return { last, earliest, latest: latestOf(dag), catchup: dag.catchup, now };
}

/** The end of the DAG, or that of its last task where every task has one. */
function latestOf({ end_date, tasks }: SerializedDag): Instant | null {
  const ends = tasks.map((task) => task.end_date).filter((end) => end !== null);
  if (end_date !== null || ends.length === 0 || ends.length < tasks.length) return end_date;
  return Math.max(...ends);
}

interface DagSchedule {
  readonly next: RunInfo | null;
  readonly evaluate_at: Instant | null;
  readonly is_gated: boolean;
  readonly skip_cause: string | null;
  readonly last_tick_start: Instant | null;
  readonly last_tick_end: Instant | null;
}

async function writeDag(tx: Queryable, dagId: string, schedule: DagSchedule): Promise<void> {
  const { next, evaluate_at, is_gated, skip_cause, last_tick_start, last_tick_end } = schedule;
  await tx.rows({
    name: "write_schedule",
    text: `UPDATE dag SET next_dagrun_logical_date = $2, next_dagrun_data_interval_start = $3,
        next_dagrun_data_interval_end = $4, next_dagrun_run_after = $5, evaluate_at = $6, is_gated = $7, skip_cause = $8,
        last_tick_start = $9, last_tick_end = $10
      WHERE dag_id = $1`,
    values: [
      dagId,
      at(next?.logical_date ?? null),
      at(next?.data_interval_start ?? null),
      at(next?.data_interval_end ?? null),
      at(next?.run_after ?? null),
      at(evaluate_at),
      is_gated,
      skip_cause,
      at(last_tick_start),
      at(last_tick_end),
    ],
  });
}

/** Two announcements as one. */
export function joined(left: Announcement, right: Announcement): Announcement {
  if (left === NOTHING) return right;
  const both = new Tidings();
  for (const one of [left, right]) {
    both.queued.push(...one.queued);
    both.task_instances.push(...one.task_instances);
    both.dag_runs.push(...one.dag_runs);
    both.dags.push(...one.dags);
    both.import_errors.push(...one.import_errors);
    both.wake_scheduler ||= one.wake_scheduler;
  }
  return both;
}
