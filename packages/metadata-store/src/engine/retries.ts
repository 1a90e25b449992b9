/** Retries that are due, and scheduled tasks that fit now: both are enqueued by the scheduler. */
import { NOTHING, Tidings } from "../announcement.ts";
import { at, type Queryable, type Transaction } from "../database.ts";
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
 * read, so that a thousand tasks that can't run never hide one that can. Limits of single tasks stand in the DAG's form:
 * tasks that are found full by them are left out of the next read.
 */
export async function enqueueScheduled(engine: Engine): Promise<SchedulingStep> {
  return engine.db.transaction(async (tx) => {
    const full = new Set<string>();
    for (;;) {
      const waiting = await readWaiting(engine, tx, [...full]);
      if (waiting.length === 0) return { announcement: NOTHING, more: false };
      const tidings = await enqueueWaiting(engine, tx, waiting);
      const isWhole = waiting.length === BATCH;
      if (tidings.queued.length > 0 || !isWhole)
        return { announcement: tidings, more: isWhole && tidings.queued.length > 0 };
      for (const { dag_run, task_id } of waiting) full.add(`${dag_run}/${task_id}`);
    }
  });
}

function readWaiting(engine: Engine, tx: Queryable, full: readonly string[]): Promise<Waiting[]> {
  return tx.rows<Waiting>({
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
        AND t.dag_run || '/' || t.task_id <> ALL($2::text[])
      ORDER BY t.priority_weight DESC, r.run_after, t.dag_run, t.map_index
      LIMIT ${BATCH} FOR UPDATE OF t SKIP LOCKED`,
    values: [engine.parallelism, full],
  });
}

async function enqueueWaiting(engine: Engine, tx: Transaction, waiting: readonly Waiting[]): Promise<Tidings> {
  const plans = await engine.plans.load(
    tx,
    waiting.map(({ dag_version_id }) => dag_version_id),
  );
  const runs = waiting.flatMap((run) => {
    const plan = plans.get(run.dag_version_id);
    return plan === undefined ? [] : [[run.dag_run, { plan, run }] as const];
  });
  const tidings = new Tidings();
  const now = engine.clock.now();
  await enqueue(engine, tx, { ready: [], waiting, occupancy: new Map(), runs: new Map(runs), tidings, now });
  return tidings;
}
