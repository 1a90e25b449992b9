/** Retries that are due, and scheduled tasks that fit now: both are enqueued by the scheduler. */
import { NOTHING, Tidings } from "../announcement.ts";
import { at } from "../database.ts";
import type { SchedulingStep } from "../store.ts";
import type { Engine } from "./context.ts";
import { enqueue } from "./enqueue.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import { lockRuns } from "./runs.ts";
import { Turn } from "./turn.ts";

const BATCH = 100;

export async function startDueRetries(engine: Engine): Promise<SchedulingStep> {
  const now = at(engine.clock.now());
  return engine.db.transaction(async (tx) => {
    const due = await tx.rows<{ id: string; dag_run: number }>({
      name: "due_retries",
      text: `SELECT t.id, t.dag_run FROM task_instance t JOIN dag d USING (dag_id) JOIN dag_run r ON r.id = t.dag_run
        WHERE t.state = 'up_for_retry' AND t.next_retry_at <= $1 AND NOT d.is_paused AND r.state = 'running'
        ORDER BY t.next_retry_at LIMIT ${BATCH}`,
      values: [now],
    });
    if (due.length === 0) return { announcement: NOTHING, more: false };
    const turn = new Turn(
      engine,
      tx,
      await lockRuns(
        tx,
        engine.plans,
        due.map(({ dag_run }) => dag_run),
      ),
    );
    const instances = await tx.rows<EngineInstance>({
      name: "lock_due_retries",
      text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t
        WHERE t.id = ANY($1::uuid[]) AND t.state = 'up_for_retry' AND t.next_retry_at <= $2 ORDER BY t.id FOR UPDATE`,
      values: [due.map(({ id }) => id), now],
    });
    turn.makeReady(instances);
    return { announcement: await turn.settle(), more: due.length === BATCH };
  });
}

interface Waiting extends EngineInstance {
  readonly dag_version_id: string;
  readonly run_after: number;
  readonly is_paused: boolean;
}

/**
 * Takes what waits and fits, over all runs. Full pools, runs at `max_active_tasks` and paused DAGs are left out of the
 * read, so that a thousand tasks that can't run never hide one that can.
 */
export async function enqueueScheduled(engine: Engine): Promise<SchedulingStep> {
  return engine.db.transaction(async (tx) => {
    const waiting = await tx.rows<Waiting>({
      name: "enqueueable",
      text: `SELECT ${ENGINE_COLUMNS}, r.dag_version_id, r.run_after, d.is_paused
        FROM task_instance t JOIN dag_run r ON r.id = t.dag_run JOIN dag d ON d.dag_id = t.dag_id
          JOIN slot_pool p ON p.pool = t.pool
          LEFT JOIN occupancy po ON po.key = 'pool:' || t.pool
          LEFT JOIN occupancy ro ON ro.key = 'run:' || t.dag_run
        WHERE t.state = 'scheduled' AND r.state = 'running' AND NOT d.is_paused
          AND (p.slots = -1 OR coalesce(po.used, 0) + t.pool_slots <= p.slots)
          AND coalesce(ro.used, 0) < d.max_active_tasks
          AND (SELECT used FROM occupancy WHERE key = 'parallelism') < $1
        ORDER BY t.priority_weight DESC, r.run_after, t.dag_run, t.map_index
        LIMIT ${BATCH} FOR UPDATE OF t SKIP LOCKED`,
      values: [engine.parallelism],
    });
    if (waiting.length === 0) return { announcement: NOTHING, more: false };
    const plans = await engine.plans.load(
      tx,
      waiting.map(({ dag_version_id }) => dag_version_id),
    );
    const tidings = new Tidings();
    const runs = waiting.flatMap((run) => {
      const plan = plans.get(run.dag_version_id);
      return plan === undefined ? [] : [[run.dag_run, { plan, run }] as const];
    });
    await enqueue(engine, tx, {
      ready: [],
      waiting,
      occupancy: new Map(),
      runs: new Map(runs),
      tidings,
      now: engine.clock.now(),
    });
    return { announcement: tidings, more: waiting.length === BATCH && tidings.queued.length > 0 };
  });
}
