/**
 * What became of tries that say nothing: lost messages are offered again, tries without a heartbeat end as lost, and
 * runs that take longer than `dagrun_timeout` are ended. Leases are measured by the database's clock alone.
 */
import { isoText, stuckEffect, timeoutEffect } from "@updraft/dag-core";
import { NOTHING, Tidings } from "../announcement.ts";
import { taskOf } from "../dag-plan.ts";
import { at } from "../database.ts";
import type { SchedulingStep } from "../store.ts";
import type { Engine } from "./context.ts";
import { loseTries } from "./finish.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import { lockRuns } from "./runs.ts";
import { Turn } from "./turn.ts";

const BATCH = 100;
/** A worker that reported within this time lives. */
const WORKER_LEASE_SECONDS = 10;

const FREE_WORKER = `EXISTS (SELECT FROM job j WHERE j.job_type = 'WorkerJob' AND j.state = 'running'
  AND j.latest_heartbeat > clock_timestamp() - interval '${WORKER_LEASE_SECONDS} seconds'
  AND t.queue = ANY(j.queues) AND j.running < j.concurrency)`;

export async function offerAgain(
  engine: Engine,
  limits: { readonly offer_after_seconds: number; readonly queued_timeout_seconds: number },
): Promise<SchedulingStep> {
  const failed = await requeueStuck(engine, limits.queued_timeout_seconds);
  const now = engine.clock.now();
  return engine.db.transaction(async (tx) => {
    const rows = await tx.rows<EngineInstance & { dag_version_id: string }>({
      name: "offer_again",
      text: `UPDATE task_instance t SET offer_number = t.offer_number + 1, last_offer_at = $1
        FROM dag_run r WHERE r.id = t.dag_run AND t.id IN (
          SELECT t.id FROM task_instance t WHERE t.state = 'queued' AND t.last_offer_at < $2 AND ${FREE_WORKER}
          ORDER BY t.last_offer_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
        RETURNING ${ENGINE_COLUMNS}, r.dag_version_id`,
      values: [at(now), at(now - limits.offer_after_seconds * 1000)],
    });
    const plans = await engine.plans.load(
      tx,
      rows.map(({ dag_version_id }) => dag_version_id),
    );
    const queued = rows.flatMap((row) => {
      const plan = plans.get(row.dag_version_id);
      if (plan === undefined) return [];
      const { id: ti_id, dag_id, run_id, task_id, map_index, try_number, offer_number, queue, priority_weight } = row;
      const { isolation } = taskOf(plan, task_id);
      const offer = { ti_id, dag_id, run_id, task_id, map_index, try_number, offer_number, queue, priority_weight };
      return [{ ...offer, artefact_hash: plan.artefact_hash, isolation }];
    });
    return { announcement: { ...failed, queued: [...failed.queued, ...queued] }, more: rows.length === BATCH };
  });
}

/** Queued for too long although a worker of its queue has free slots: its place in the queue may be lost for good. */
function requeueStuck(engine: Engine, seconds: number): Promise<SchedulingStep["announcement"]> {
  const limit = at(engine.clock.now() - seconds * 1000);
  return engine.db.transaction(async (tx) => {
    const found = await tx.rows<{ id: string; dag_run: number }>({
      text: `SELECT t.id, t.dag_run FROM task_instance t WHERE t.state = 'queued' AND t.queued_when < $1 AND ${FREE_WORKER} LIMIT ${BATCH}`,
      values: [limit],
    });
    if (found.length === 0) return NOTHING;
    const runs = found.map(({ dag_run }) => dag_run);
    const turn = new Turn(engine, tx, await lockRuns(tx, engine.plans, runs));
    const stuck = await tx.rows<EngineInstance & { readonly requeues_so_far: number }>({
      text: `SELECT ${ENGINE_COLUMNS}, CASE WHEN t.requeues_of_try = t.try_number THEN t.requeues ELSE 0 END AS requeues_so_far
        FROM task_instance t WHERE t.id = ANY($1::uuid[]) AND t.state = 'queued' AND t.queued_when < $2 ORDER BY t.id FOR UPDATE`,
      values: [found.map(({ id }) => id), limit],
    });
    const effects = stuck.map((instance) => ({ instance, effect: stuckEffect(instance.requeues_so_far, seconds) }));
    const again = effects.flatMap(({ instance, effect }) =>
      effect.kind === "requeue" ? [{ instance, state: "scheduled" as const, cause: effect.cause }] : [],
    );
    const lost = new Map(
      effects.flatMap(({ instance, effect }) =>
        effect.kind === "lost" ? [[instance.id, effect.detail] as const] : [],
      ),
    );
    await tx.rows({
      text: `UPDATE task_instance SET requeues = CASE WHEN requeues_of_try = try_number THEN requeues + 1 ELSE 1 END,
        requeues_of_try = try_number WHERE id = ANY($1::uuid[])`,
      values: [again.map(({ instance }) => instance.id)],
    });
    await loseTries(
      turn,
      stuck.filter(({ id }) => lost.has(id)),
      ({ id }) => lost.get(id) ?? "",
    );
    // What it held is free again, so that the end of the turn queues it where it still fits.
    await turn.move(again);
    return turn.settle();
  });
}

export async function rescueLost(engine: Engine, leaseSeconds: number): Promise<SchedulingStep> {
  const silent =
    "t.state IN ('running', 'restarting') AND t.last_heartbeat_at < clock_timestamp() - make_interval(secs =>";
  const announcement = await endLost(engine, {
    find: `SELECT t.id, t.dag_run FROM task_instance t WHERE ${silent} $1) LIMIT ${BATCH}`,
    stillLost: `${silent} $2)`,
    values: [leaseSeconds],
    detailOf: ({ hostname, last_heartbeat_at }) =>
      `its process on ${hostname ?? "an unknown host"} sent no heartbeat since ${last_heartbeat_at === null ? "it started" : isoText(last_heartbeat_at)}`,
  });
  return { announcement, more: false };
}

interface LostInstance extends EngineInstance {
  readonly hostname: string | null;
  readonly last_heartbeat_at: number | null;
}

interface LostQuery {
  readonly find: string;
  /** The same test again under the locks; its parameter is $2. */
  readonly stillLost: string;
  readonly values: readonly [unknown];
  readonly detailOf: (instance: LostInstance) => string;
}

async function endLost(engine: Engine, { find, stillLost, values, detailOf }: LostQuery) {
  return engine.db.transaction(async (tx) => {
    const found = await tx.rows<{ id: string; dag_run: number }>({ text: find, values });
    if (found.length === 0) return NOTHING;
    const turn = new Turn(
      engine,
      tx,
      await lockRuns(
        tx,
        engine.plans,
        found.map(({ dag_run }) => dag_run),
      ),
    );
    const instances = await tx.rows<LostInstance>({
      text: `SELECT ${ENGINE_COLUMNS}, t.hostname, t.last_heartbeat_at FROM task_instance t
        WHERE t.id = ANY($1::uuid[]) AND ${stillLost} ORDER BY t.id FOR UPDATE`,
      values: [found.map(({ id }) => id), ...values],
    });
    const byId = new Map(instances.map((instance) => [instance.id, instance]));
    await loseTries(turn, instances, ({ id }) => detailOf(byId.get(id) as LostInstance));
    return turn.settle();
  });
}

export async function timeOutRuns(engine: Engine): Promise<SchedulingStep> {
  return engine.db.transaction(async (tx) => {
    const due = await tx.rows<{ id: number }>({
      name: "timed_out_runs",
      text: `SELECT id FROM dag_run WHERE state = 'running' AND timeout_at <= $1 ORDER BY timeout_at LIMIT ${BATCH}`,
      values: [at(engine.clock.now())],
    });
    if (due.length === 0) return { announcement: new Tidings(), more: false };
    const locked = await lockRuns(
      tx,
      engine.plans,
      due.map(({ id }) => id),
    );
    const turn = new Turn(engine, tx, locked);
    for (const { run, plan } of locked) {
      if (run.state !== "running" || run.timeout_at === null || run.timeout_at > turn.now) continue;
      const cause = `Running for longer than dagrun_timeout of ${plan.dag.dagrun_timeout} s`;
      turn.setRunState(run.id, "failed", cause);
      const unfinished = await tx.rows<EngineInstance>({
        name: "instances_of_run",
        text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = $1 ORDER BY t.id FOR UPDATE`,
        values: [run.id],
      });
      await turn.move(
        unfinished.flatMap((instance) => {
          const effect = timeoutEffect(instance.state);
          return effect === null ? [] : [{ instance, state: effect, cause, end_date: turn.now }];
        }),
      );
    }
    return { announcement: await turn.settle(), more: due.length === BATCH };
  });
}
