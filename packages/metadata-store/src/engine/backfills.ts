/**
 * Backfills as people start and stop them.
 *
 *   request ──► plan of dag-core ──► one row for each date, all in one transaction (backfill_dag_run.is_pending)
 *                                         └──► runs, batch by batch (advance-backfills.ts), here or by the scheduler
 *
 * Once the request is answered nothing of it can be lost: whoever comes next goes on where the last one stopped.
 */
import { type BackfillPlan, backfillVerdict, type DagRunState, planBackfill, type RunInfo } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import type { BackfillDryRun, BackfillRejection, BackfillRequest } from "../backfill-rows.ts";
import type { DagPlan } from "../dag-plan.ts";
import { at, type Queryable } from "../database.ts";
import type { Announcement } from "../store.ts";
import { advanceBackfill } from "./advance-backfills.ts";
import type { Engine } from "./context.ts";
import { joined } from "./due-runs.ts";
import { lockRuns } from "./runs.ts";
import { Turn } from "./turn.ts";

type Created = { readonly kind: "created"; readonly id: number; readonly announcement: Announcement };

export async function createBackfill(engine: Engine, request: BackfillRequest): Promise<Created | BackfillRejection> {
  const planned = await engine.db.transaction(async (tx) => {
    const found = await planOf(engine, tx, request);
    if (found.kind === "rejected") return found;
    const id = await insertBackfill(tx, found.plan, request, engine);
    if (id === null) {
      const message = `There is already a running backfill for dag ${request.dag_id}`;
      return { kind: "rejected" as const, reason: "already_running" as const, message };
    }
    await insertDates(tx, id, found.runs);
    return { kind: "planned" as const, id };
  });
  if (planned.kind === "rejected") return planned;
  const told: Announcement = { ...NOTHING, dags: [{ dag_id: request.dag_id }], wake_scheduler: true };
  // The first batch at once, so that a usual backfill is there when the request is answered.
  const step = await advanceBackfill(engine, planned.id);
  return { kind: "created", id: planned.id, announcement: joined(told, step.announcement) };
}

export async function dryRunBackfill(engine: Engine, request: BackfillRequest): Promise<BackfillDryRun> {
  const found = await planOf(engine, engine.db, request);
  if (found.kind === "rejected") return found;
  const dates = found.runs.map(({ logical_date }) => logical_date);
  const existing = await engine.db.rows<{ logical_date: number; state: DagRunState }>({
    text: "SELECT logical_date, state FROM dag_run WHERE dag_id = $1 AND logical_date = ANY($2::timestamptz[])",
    values: [request.dag_id, dates.map(at)],
  });
  const states = new Map(existing.map(({ logical_date, state }) => [logical_date, state]));
  const acts = (date: number) => {
    const verdict = backfillVerdict(states.get(date), request.reprocess_behavior);
    return verdict === "create" || verdict === "reprocess";
  };
  return { kind: "planned", logical_dates: dates.filter(acts) };
}

type Planned = { readonly kind: "planned"; readonly plan: DagPlan; readonly runs: readonly RunInfo[] };

async function planOf(engine: Engine, tx: Queryable, request: BackfillRequest): Promise<Planned | BackfillRejection> {
  const [dag] = await tx.rows<{ dag_version_id: string }>({
    name: "dag_to_backfill",
    text: "SELECT dag_version_id FROM dag WHERE dag_id = $1 AND NOT is_stale FOR KEY SHARE",
    values: [request.dag_id],
  });
  if (dag === undefined)
    return { kind: "rejected", reason: "dag_not_found", message: `Could not find dag ${request.dag_id}` };
  const plan = await engine.plans.loadOne(tx, dag.dag_version_id);
  const planned: BackfillPlan = planBackfill(plan.dag, request, engine.clock.now());
  if (planned.kind === "refused") return { ...planned, kind: "rejected" };
  return { kind: "planned", plan, runs: planned.runs };
}

/** Null where the DAG has an active one. */
async function insertBackfill(
  tx: Queryable,
  { dag }: DagPlan,
  request: BackfillRequest,
  { clock, rerunWithLatestVersion }: Engine,
): Promise<number | null> {
  const latest = request.run_on_latest_version ?? dag.rerun_with_latest_version ?? rerunWithLatestVersion ?? true;
  const [row] = await tx.rows<{ id: number }>({
    name: "insert_backfill",
    text: `INSERT INTO backfill (dag_id, from_date, to_date, dag_run_conf, reprocess_behavior, max_active_runs,
        run_on_latest_version, triggering_user_name, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT DO NOTHING RETURNING id`,
    values: [
      request.dag_id,
      at(request.from_date),
      at(request.to_date),
      request.dag_run_conf === null ? null : JSON.stringify(request.dag_run_conf),
      request.reprocess_behavior,
      request.max_active_runs,
      latest,
      request.triggering_user_name,
      at(clock.now()),
    ],
  });
  return row?.id ?? null;
}

async function insertDates(tx: Queryable, id: number, runs: readonly RunInfo[]): Promise<void> {
  await tx.rows({
    name: "insert_backfill_dates",
    text: `INSERT INTO backfill_dag_run (backfill_id, logical_date, data_interval_start, data_interval_end, run_after, sort_ordinal)
      SELECT $1, u.* FROM unnest($2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
        WITH ORDINALITY AS u`,
    values: [
      id,
      runs.map(({ logical_date }) => at(logical_date)),
      runs.map(({ data_interval_start }) => at(data_interval_start)),
      runs.map(({ data_interval_end }) => at(data_interval_end)),
      runs.map(({ run_after }) => at(run_after)),
    ],
  });
}

type Changed =
  | { readonly kind: "changed"; readonly announcement: Announcement }
  | { readonly kind: "rejected"; readonly reason: "not_found" | "completed" };

/** A paused one starts no runs; those that run go on. */
export async function pauseBackfill(engine: Engine, id: number, paused: boolean): Promise<Changed> {
  const [changed] = await engine.db.rows<{ dag_id: string }>({
    name: "pause_backfill",
    text: "UPDATE backfill SET is_paused = $2, updated_at = $3 WHERE id = $1 AND completed_at IS NULL RETURNING dag_id",
    values: [id, paused, at(engine.clock.now())],
  });
  if (changed === undefined) return { kind: "rejected", reason: await whyNot(engine.db, id) };
  return { kind: "changed", announcement: { ...NOTHING, dags: [changed], wake_scheduler: true } };
}

export async function cancelBackfill(engine: Engine, id: number): Promise<Changed> {
  return engine.db.transaction(async (tx) => {
    const now = at(engine.clock.now());
    const [ended] = await tx.rows<{ dag_id: string }>({
      name: "cancel_backfill",
      text: `UPDATE backfill SET is_paused = true, completed_at = $2, updated_at = $2
        WHERE id = $1 AND completed_at IS NULL RETURNING dag_id`,
      values: [id, now],
    });
    if (ended === undefined) return { kind: "rejected", reason: await whyNot(tx, id) };
    await tx.rows({
      name: "cancel_backfill_dates",
      text: "UPDATE backfill_dag_run SET is_pending = false, exception_reason = 'cancelled' WHERE backfill_id = $1 AND is_pending",
      values: [id],
    });
    const queued = await tx.rows<{ id: number }>({
      name: "queued_of_backfill",
      text: "SELECT id FROM dag_run WHERE backfill_id = $1 AND state = 'queued'",
      values: [id],
    });
    const locked = await lockRuns(
      tx,
      engine.plans,
      queued.map((run) => run.id),
    );
    const turn = new Turn(engine, tx, locked);
    for (const { run } of locked)
      if (run.state === "queued") turn.setRunState(run.id, "failed", "The backfill was cancelled");
    turn.tidings.dags.push(ended);
    return { kind: "changed", announcement: await turn.settle() };
  });
}

async function whyNot(tx: Queryable, id: number): Promise<"not_found" | "completed"> {
  const found = await tx.rows({ text: "SELECT FROM backfill WHERE id = $1", values: [id] });
  return found.length === 0 ? "not_found" : "completed";
}
