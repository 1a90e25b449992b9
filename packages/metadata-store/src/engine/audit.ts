/**
 * The safety net: counters are recounted from the rows they count, and a run in which nothing can happen any more is
 * found. In a correct engine it never has anything to do; what it corrects is logged as an error.
 */
import { NOTHING } from "../announcement.ts";
import { at, type Queryable } from "../database.ts";
import type { Announcement } from "../store.ts";
import type { Engine } from "./context.ts";
import { joined } from "./due-runs.ts";
import { findDeadlock } from "./end-runs.ts";
import { changeOccupancy } from "./occupancy.ts";
import { recount } from "./recount.ts";
import { lockRuns } from "./runs.ts";
import { decideAll } from "./start-runs.ts";
import { Turn } from "./turn.ts";

const MOST_RUNS = 50;
/** A run that was looked at more recently than this is left to its own turns. */
const QUIET_SECONDS = 30;

/** State by state, as each has an index of its own: what is finished is never read. */
const ACTIVE = ["= 'queued'", "= 'running'", "IN ('deferred', 'awaiting_input')"]
  .map((states) => `SELECT state, pool, pool_slots, dag_run, dag_id, task_id FROM task_instance WHERE state ${states}`)
  .join(" UNION ALL ");

const RECOUNT = `
  SELECT 'parallelism' AS key, count(*)::integer AS used FROM active WHERE state IN ('queued', 'running')
  UNION ALL SELECT 'pool:' || t.pool, sum(t.pool_slots)::integer FROM active t LEFT JOIN slot_pool p USING (pool)
    WHERE t.state IN ('queued', 'running') OR (t.state = 'deferred' AND p.include_deferred) GROUP BY t.pool
  UNION ALL SELECT 'run:' || dag_run, count(*)::integer FROM active WHERE state IN ('queued', 'running') GROUP BY dag_run
  UNION ALL SELECT CASE WHEN backfill_id IS NULL THEN 'runs:' || dag_id ELSE 'backfill:' || backfill_id END, count(*)::integer
    FROM dag_run WHERE state = 'running' GROUP BY 1
  UNION ALL SELECT 'task:' || dag_id || '/' || task_id, count(*)::integer FROM active GROUP BY dag_id, task_id
  UNION ALL SELECT o.key, count(t.task_id)::integer FROM occupancy o
      LEFT JOIN active t ON o.key = 'taskrun:' || t.dag_run || '/' || t.task_id
    WHERE o.key LIKE 'taskrun:%' GROUP BY o.key`;

/** The lock lets every transition that changed a counter commit first, so that rows and counters are of one moment. */
export async function auditOccupancy(engine: Engine): Promise<readonly string[]> {
  return engine.db.transaction(async (tx) => {
    await tx.rows({ text: "LOCK TABLE occupancy IN EXCLUSIVE MODE" });
    const wrong = await tx.rows<{ key: string; used: number; counted: number }>({
      text: `WITH active AS MATERIALIZED (${ACTIVE})
        SELECT key, coalesce(o.used, 0) AS used, coalesce(c.used, 0) AS counted
        FROM occupancy o FULL JOIN (${RECOUNT}) c USING (key)
        WHERE coalesce(o.used, 0) <> coalesce(c.used, 0)`,
    });
    changeOccupancy(tx, new Map(wrong.map(({ key, used, counted }) => [key, counted - used])));
    return wrong.map(({ key, used, counted }) => `${key} was ${used}, is ${counted}`);
  });
}

/** Triggers that no instance waits for any more. */
export async function auditTriggers({ db }: Engine): Promise<readonly string[]> {
  const rows = await db.rows<{ id: number }>({
    text: `DELETE FROM trigger g USING task_instance t WHERE t.id = g.task_instance AND t.trigger_id IS DISTINCT FROM g.id
      RETURNING g.id`,
  });
  return rows.map(({ id }) => `trigger ${id} was left without a task instance that waits for it`);
}

/** Looks again at running runs in which nothing is under way. */
export async function auditRuns(engine: Engine): Promise<{ announcement: Announcement; corrected: readonly string[] }> {
  const quiet = await engine.db.rows<{ id: number }>({
    text: `SELECT r.id FROM dag_run r JOIN dag d USING (dag_id)
      WHERE r.state = 'running' AND NOT d.is_paused
        AND r.last_scheduling_decision < $1
        AND NOT EXISTS (SELECT FROM task_instance t WHERE t.dag_run = r.id AND t.state IS NOT NULL
          AND t.state NOT IN ('success', 'failed', 'skipped', 'upstream_failed', 'removed'))
      ORDER BY r.id LIMIT ${MOST_RUNS}`,
    values: [at(engine.clock.now() - QUIET_SECONDS * 1000)],
  });
  let announcement = NOTHING;
  const corrected: string[] = [];
  for (const { id } of quiet) {
    const found = await auditRun(engine, id);
    announcement = joined(announcement, found.announcement);
    corrected.push(...found.corrected);
  }
  return { announcement, corrected };
}

function auditRun(engine: Engine, id: number) {
  return engine.db.transaction(async (tx) => {
    const [locked] = await lockRuns(tx, engine.plans, [id]);
    if (locked === undefined) return { announcement: NOTHING, corrected: [] };
    const { run } = locked;
    const turn = new Turn(engine, tx, [locked]);
    await recount(tx, id, locked.plan, locked.plan.tasks.keys());
    const deadlock = await findDeadlock(tx, locked);
    const unfinished = await countUnfinished(tx, id);
    turn.patchRun(id, { unfinished });
    if (deadlock !== null) turn.setRunState(id, "failed", deadlock.cause);
    else await decideAll(turn, [id]);
    const announcement = await turn.settle();
    const after = turn.runOf(id);
    const changed = after.state !== run.state || announcement.queued.length > 0 || unfinished !== run.unfinished;
    return { announcement, corrected: changed ? [`run ${run.run_id} of ${run.dag_id} stood still`] : [] };
  });
}

async function countUnfinished(tx: Queryable, run: number): Promise<number> {
  const [row] = await tx.rows<{ count: number }>({
    text: `SELECT count(*)::integer AS count FROM task_instance WHERE dag_run = $1
      AND (state IS NULL OR state NOT IN ('success', 'failed', 'skipped', 'upstream_failed', 'removed'))`,
    values: [run],
  });
  return row?.count ?? 0;
}
