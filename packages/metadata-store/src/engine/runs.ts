/** DAG runs as the engine reads and writes them. The only code that writes `dag_run.state`. */
import { type DagRunState, type DagRunType, type Instant, type RunRetries, runStateEffect } from "@updraft/dag-core";
import type { DagPlan, DagPlans } from "../dag-plan.ts";
import { at, type Queryable, type Transaction } from "../database.ts";

export interface EngineRun {
  readonly id: number;
  readonly dag_id: string;
  readonly run_id: string;
  readonly run_type: DagRunType;
  readonly logical_date: Instant | null;
  readonly run_after: Instant;
  readonly state: DagRunState;
  readonly queued_at: Instant | null;
  readonly start_date: Instant | null;
  readonly end_date: Instant | null;
  readonly timeout_at: Instant | null;
  readonly clear_number: number;
  readonly unfinished: number;
  readonly dag_version_id: string;
  /** Some undecided instance waits although everything upstream of it is over. */
  readonly is_stuck: boolean;
  readonly retries: RunRetries | null;
  readonly backfill_id: number | null;
  readonly is_paused: boolean;
}

/**
 * The active runs of `dag d` without those of its backfills, which `max_active_runs` limits. Counted as far as it
 * matters, so that a long queue costs nothing.
 */
export const ACTIVE_RUNS = `(SELECT count(*)::integer FROM (SELECT FROM dag_run r
  WHERE r.dag_id = d.dag_id AND r.state IN ('queued', 'running') AND coalesce(r.backfill_id, 0) = 0
  LIMIT d.max_active_runs) active)`;

export interface LockedRun {
  readonly run: EngineRun;
  readonly plan: DagPlan;
}

const COLUMNS = `r.id, r.dag_id, r.run_id, r.run_type, r.logical_date, r.run_after, r.state, r.queued_at, r.start_date,
  r.end_date, r.timeout_at, r.clear_number, r.unfinished, r.dag_version_id, r.is_stuck, r.retries, r.backfill_id,
  d.is_paused`;

/** Locks runs in the order of their ids, so that two deciders never wait for each other in a circle. */
export async function lockRuns(tx: Queryable, plans: DagPlans, ids: readonly number[]): Promise<readonly LockedRun[]> {
  const runs = await tx.rows<EngineRun>({
    name: "lock_runs",
    text: `SELECT ${COLUMNS} FROM dag_run r JOIN dag d USING (dag_id) WHERE r.id = ANY($1::bigint[]) ORDER BY r.id FOR UPDATE OF r`,
    values: [ids],
  });
  return withPlans(tx, plans, runs);
}

/** Locks the runs of some task instances. */
export async function lockRunsOf(
  tx: Queryable,
  plans: DagPlans,
  instanceIds: readonly string[],
): Promise<readonly LockedRun[]> {
  const runs = await tx.rows<EngineRun>({
    name: "lock_runs_of",
    text: `SELECT ${COLUMNS} FROM dag_run r JOIN dag d USING (dag_id)
      WHERE r.id IN (SELECT dag_run FROM task_instance WHERE id = ANY($1::uuid[])) ORDER BY r.id FOR UPDATE OF r`,
    values: [instanceIds],
  });
  return withPlans(tx, plans, runs);
}

export async function lockRunNamed(
  tx: Queryable,
  plans: DagPlans,
  dagId: string,
  runId: string,
): Promise<LockedRun | null> {
  const runs = await tx.rows<EngineRun>({
    name: "lock_run_named",
    text: `SELECT ${COLUMNS} FROM dag_run r JOIN dag d USING (dag_id) WHERE r.dag_id = $1 AND r.run_id = $2 FOR UPDATE OF r`,
    values: [dagId, runId],
  });
  return (await withPlans(tx, plans, runs))[0] ?? null;
}

async function withPlans(tx: Queryable, plans: DagPlans, runs: readonly EngineRun[]): Promise<LockedRun[]> {
  const loaded = await plans.load(
    tx,
    runs.map(({ dag_version_id }) => dag_version_id),
  );
  return runs.map((run) => ({ run, plan: loaded.get(run.dag_version_id) as DagPlan }));
}

/** The run as it is after a change of its state; the caller holds its lock. */
export function withState({ run, plan }: LockedRun, to: DagRunState, now: Instant): EngineRun {
  const changed = { ...run, ...runStateEffect(run.state, to, run.start_date, now), state: to };
  const timeout = plan.dag.dagrun_timeout;
  const timeout_at = to === "running" && timeout !== null ? (changed.start_date ?? now) + timeout * 1000 : null;
  return { ...changed, timeout_at };
}

export interface RunWrite {
  readonly run: EngineRun;
  readonly cause: string | null;
  /** The keys of its own counters, which go when it has ended. */
  readonly counters: readonly string[];
}

/** Writes runs whose locks the caller holds. A null cause keeps the old one. */
export function writeRuns(tx: Transaction, writes: readonly RunWrite[], now: Instant): void {
  if (writes.length === 0) return;
  const runs = writes.map(({ run }) => run);
  const ended = writes.filter(({ run }) => isEnded(run.state));
  if (ended.length > 0) {
    tx.send({
      name: "remove_counters",
      text: "DELETE FROM occupancy WHERE key = ANY($1::text[])",
      values: [ended.flatMap(({ counters }) => counters)],
    });
    tx.send({
      name: "wake_conditions",
      // Conditions over runs of the DAG are looked at now; those that somebody else has in hand are looked at again anyway.
      text: `UPDATE trigger SET due_at = $2 WHERE id IN (
        SELECT id FROM trigger WHERE waits_for_dag_id = ANY($1::text[]) FOR UPDATE SKIP LOCKED)`,
      values: [ended.map(({ run }) => run.dag_id), at(now)],
    });
  }
  tx.send({
    name: "write_runs",
    text: `UPDATE dag_run r
      SET state = w.state, cause = coalesce(w.cause, r.cause), queued_at = w.queued_at, start_date = w.start_date,
          end_date = w.end_date, timeout_at = w.timeout_at, unfinished = w.unfinished, clear_number = w.clear_number,
          is_stuck = w.is_stuck, retries = w.retries::json, last_scheduling_decision = $10, updated_at = $10
      FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                  $7::timestamptz[], $8::integer[], $9::integer[], $11::boolean[], $12::text[])
        AS w (id, state, cause, queued_at, start_date, end_date, timeout_at, unfinished, clear_number, is_stuck, retries)
      WHERE r.id = w.id`,
    values: [
      runs.map(({ id }) => id),
      runs.map(({ state }) => state),
      writes.map(({ cause }) => cause),
      runs.map(({ queued_at }) => at(queued_at)),
      runs.map(({ start_date }) => at(start_date)),
      runs.map(({ end_date }) => at(end_date)),
      runs.map(({ timeout_at }) => at(timeout_at)),
      runs.map(({ unfinished }) => unfinished),
      runs.map(({ clear_number }) => clear_number),
      at(now),
      runs.map(({ is_stuck }) => is_stuck),
      runs.map(({ retries }) => (retries === null ? null : JSON.stringify(retries))),
    ],
  });
}

/** Nothing of it runs any more, so that it needs no counter. */
export function isEnded(state: DagRunState): boolean {
  return state === "success" || state === "failed";
}

export function runChange(run: EngineRun) {
  const { dag_id, run_id, state, run_type, logical_date, start_date, end_date } = run;
  return { dag_id, run_id, state, run_type, logical_date, start_date, end_date };
}
