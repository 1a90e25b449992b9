/** Queued runs become running as `max_active_runs` of their DAG or backfill allows. */

import { at, type Queryable } from "../database.ts";
import type { SchedulingStep } from "../store.ts";
import type { Engine } from "./context.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import { lockOccupancy, runsKeyOf } from "./occupancy.ts";
import { type LockedRun, lockRuns } from "./runs.ts";
import { Turn } from "./turn.ts";

const BATCH = 50;
/** As the indexes of active runs have it. */
const ACTIVE = "r.state IN ('queued', 'running')";

export async function startQueuedRuns(engine: Engine): Promise<SchedulingStep> {
  return engine.db.transaction(async (tx) => {
    const candidates = await startable(engine, tx);
    const locked = await lockRuns(
      tx,
      engine.plans,
      candidates.map(({ id }) => id),
    );
    const turn = new Turn(engine, tx, locked);
    const started = await pickStartable(tx, locked, candidates);
    for (const { run } of started) turn.setRunState(run.id, "running", "Started");
    await decideAll(
      turn,
      started.map(({ run }) => run.id),
    );
    return { announcement: await turn.settle(), more: started.length > 0 && candidates.length === BATCH };
  });
}

/** Decides every instance without a state of runs that just became running, or were changed by hand. */
export async function decideAll(turn: Turn, runIds: readonly number[]): Promise<void> {
  if (runIds.length === 0) return;
  const instances = await turn.tx.rows<EngineInstance>({
    name: "undecided",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = ANY($1::bigint[]) AND t.state IS NULL ORDER BY t.id FOR UPDATE`,
    values: [runIds],
  });
  await turn.move(await turn.decide(instances));
}

interface Startable {
  readonly id: number;
  readonly dag_id: string;
  /** How many such runs may run at once. */
  readonly max_active_runs: number;
}

/**
 * A few of each DAG and backfill with room, so that a long queue of one hides no other: those of backfills last and in
 * their order, then those of the DAG with the fewest running ones, then the oldest. Recursion finds the DAGs and
 * backfills by one index probe each.
 */
function startable(engine: Engine, tx: Queryable): Promise<Startable[]> {
  return tx.rows<Startable>({
    name: "startable_runs",
    text: `WITH RECURSIVE dags (dag_id) AS (
        SELECT (SELECT min(r.dag_id) FROM dag_run r WHERE ${ACTIVE} AND r.state = 'queued')
        UNION ALL SELECT (SELECT min(r.dag_id) FROM dag_run r WHERE ${ACTIVE} AND r.state = 'queued' AND r.dag_id > dags.dag_id)
          FROM dags WHERE dags.dag_id IS NOT NULL),
      backfills (id) AS (
        SELECT (SELECT min(r.backfill_id) FROM dag_run r WHERE ${ACTIVE} AND r.state = 'queued' AND r.backfill_id IS NOT NULL)
        UNION ALL SELECT (SELECT min(r.backfill_id) FROM dag_run r
            WHERE ${ACTIVE} AND r.state = 'queued' AND r.backfill_id IS NOT NULL AND r.backfill_id > backfills.id)
          FROM backfills WHERE backfills.id IS NOT NULL),
      own AS (
        SELECT q.*, d.dag_id, d.max_active_runs, coalesce(o.used, 0) AS used, NULL::integer AS sort_ordinal
        FROM dags JOIN dag d USING (dag_id) LEFT JOIN occupancy o ON o.key = 'runs:' || d.dag_id
        CROSS JOIN LATERAL (SELECT r.id, r.run_after FROM dag_run r
          WHERE ${ACTIVE} AND r.state = 'queued' AND r.dag_id = d.dag_id AND coalesce(r.backfill_id, 0) = 0 AND r.run_after <= $1
          ORDER BY r.run_after, r.id LIMIT least(${BATCH}, greatest(d.max_active_runs - coalesce(o.used, 0), 0))) q
        WHERE NOT d.is_paused AND NOT d.is_stale),
      of_backfills AS (
        SELECT q.id, q.run_after, d.dag_id, b.max_active_runs, coalesce(o.used, 0) AS used, q.sort_ordinal
        FROM backfills JOIN backfill b USING (id) JOIN dag d USING (dag_id) LEFT JOIN occupancy o ON o.key = 'backfill:' || b.id
        CROSS JOIN LATERAL (SELECT r.id, r.run_after, r.sort_ordinal FROM dag_run r
          WHERE ${ACTIVE} AND r.state = 'queued' AND r.backfill_id = b.id
          ORDER BY r.sort_ordinal LIMIT least(${BATCH}, greatest(b.max_active_runs - coalesce(o.used, 0), 0))) q
        WHERE NOT (b.is_paused AND b.completed_at IS NULL) AND NOT d.is_paused AND NOT d.is_stale)
      SELECT id, dag_id, max_active_runs FROM (SELECT * FROM own UNION ALL SELECT * FROM of_backfills) candidate
      ORDER BY sort_ordinal NULLS FIRST, used, run_after, id LIMIT ${BATCH}`,
    values: [at(engine.clock.now())],
  });
}

/** In the order of the candidates, as far as the limits of their DAGs and backfills go. */
async function pickStartable(
  tx: Queryable,
  locked: readonly LockedRun[],
  candidates: readonly Startable[],
): Promise<LockedRun[]> {
  const queued = new Map(
    locked.filter(({ run }) => run.state === "queued" && !run.is_paused).map((one) => [one.run.id, one]),
  );
  if (queued.size === 0) return [];
  const counters = await lockOccupancy(
    tx,
    [...queued.values()].map(({ run }) => runsKeyOf(run)),
  );
  const used = new Map([...counters].map(([key, counter]) => [key, counter.used]));
  return candidates.flatMap(({ id, max_active_runs }) => {
    const one = queued.get(id);
    if (one === undefined) return [];
    const key = runsKeyOf(one.run);
    const running = used.get(key) ?? 0;
    if (running >= max_active_runs) return [];
    used.set(key, running + 1);
    return [one];
  });
}
