/**
 * A run goes on by another version of its DAG: instances of tasks that vanished become `removed`, those of a task that
 * returned are restored, new tasks get their instances, and everybody counts its upstream anew.
 */
import { NOTHING } from "../announcement.ts";
import type { DagPlan } from "../dag-plan.ts";
import type { Queryable } from "../database.ts";
import type { Announcement } from "../store.ts";
import type { Engine } from "./context.ts";
import { insertInstances, tasksIn } from "./create-run.ts";
import { joined } from "./due-runs.ts";
import { ENGINE_COLUMNS, type EngineInstance, keepTries } from "./instance.ts";
import { recount } from "./recount.ts";
import { lockRuns } from "./runs.ts";
import { decideAll } from "./start-runs.ts";
import { Turn } from "./turn.ts";

/** Moves a run whose lock the turn has. Whatever may run now is decided by the caller. */
export async function moveToVersion(engine: Engine, turn: Turn, runId: number, to: DagPlan): Promise<void> {
  const run = turn.runOf(runId);
  if (run.dag_version_id === to.version_id) return;
  const from = await engine.plans.loadOne(turn.tx, run.dag_version_id);
  const instances = await turn.tx.rows<EngineInstance>({
    name: "instances_of_run",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = $1 ORDER BY t.id FOR UPDATE`,
    values: [runId],
  });
  await turn.tx.rows({
    name: "set_dag_version",
    text: "UPDATE dag_run SET dag_version_id = $2 WHERE id = $1",
    values: [runId, to.version_id],
  });
  turn.setPlan(runId, to);
  await removeVanished(turn, instances, to);
  const present = new Set(instances.map(({ task_id }) => task_id));
  const missing = tasksIn(to, run).filter(({ task_id }) => !present.has(task_id));
  const added = missing.length === 0 ? [] : await insertInstances(engine, turn.tx, to, turn.runOf(runId), missing);
  turn.patchRun(runId, { unfinished: turn.runOf(runId).unfinished + added.length });
  await refreshInstances(turn.tx, runId, to);
  // Edges may have changed, so that the kept counts say nothing.
  await recount(turn.tx, runId, to, to.tasks.keys());
  await restoreReturned(turn, instances, from, to);
}

async function removeVanished(turn: Turn, instances: readonly EngineInstance[], to: DagPlan): Promise<void> {
  const cause = `The task is not in version ${to.version_number} of the DAG`;
  await turn.move(
    instances
      .filter(({ task_id, state }) => state !== "removed" && !to.tasks.has(task_id))
      .map((instance) => ({ instance, state: "removed", cause, end_date: turn.now })),
  );
}

async function restoreReturned(
  turn: Turn,
  instances: readonly EngineInstance[],
  from: DagPlan,
  to: DagPlan,
): Promise<void> {
  const returned = instances.filter(
    ({ task_id, state }) => state === "removed" && !from.tasks.has(task_id) && to.tasks.has(task_id),
  );
  keepTries(
    turn.tx,
    returned.map(({ id }) => id),
  );
  const cause = `The task is back in version ${to.version_number} of the DAG`;
  await turn.move(returned.map((instance) => ({ instance, state: null, cause, start_date: null, end_date: null })));
}

/** What the author may have changed about a task; what holds a slot keeps the pool it counts in. */
async function refreshInstances(tx: Queryable, runId: number, { dag: { tasks }, weights }: DagPlan): Promise<void> {
  await tx.rows({
    name: "refresh_instances",
    text: `UPDATE task_instance t
      SET pool = n.pool, pool_slots = n.pool_slots, queue = n.queue, priority_weight = n.priority_weight,
          operator = n.operator, max_tries = CASE WHEN t.try_number = 0 THEN n.retries ELSE t.max_tries END
      FROM unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::integer[], $7::text[], $8::integer[])
        AS n (task_id, pool, pool_slots, queue, priority_weight, operator, retries)
      WHERE t.dag_run = $1 AND t.task_id = n.task_id
        AND (t.state IS NULL OR t.state NOT IN ('queued', 'running', 'restarting', 'deferred', 'awaiting_input'))`,
    values: [
      runId,
      tasks.map(({ task_id }) => task_id),
      tasks.map(({ pool }) => pool),
      tasks.map(({ pool_slots }) => pool_slots),
      tasks.map(({ queue }) => queue),
      tasks.map(({ task_id }) => weights.get(task_id) ?? 1),
      tasks.map(({ operator_name }) => operator_name),
      tasks.map(({ retries }) => retries),
    ],
  });
}

const BATCH = 100;

/** Unversioned bundles: unfinished runs follow the newest version, each in a transaction of its own. */
export async function followNewestVersion(engine: Engine, dagIds: readonly string[]): Promise<Announcement> {
  let announcement = NOTHING;
  for (let last = 0; ; ) {
    const behind = await engine.db.rows<{ id: number; newest: string }>({
      text: `SELECT r.id, d.dag_version_id AS newest FROM dag_run r JOIN dag d USING (dag_id)
        WHERE r.dag_id = ANY($1::text[]) AND r.state IN ('queued', 'running') AND r.dag_version_id <> d.dag_version_id
          AND r.id > $2 ORDER BY r.id LIMIT ${BATCH}`,
      values: [dagIds, last],
    });
    for (const { id, newest } of behind) announcement = joined(announcement, await follow(engine, id, newest));
    last = behind.at(-1)?.id ?? last;
    if (behind.length < BATCH) return announcement;
  }
}

function follow(engine: Engine, runId: number, newest: string): Promise<Announcement> {
  return engine.db.transaction(async (tx) => {
    const turn = new Turn(engine, tx, await lockRuns(tx, engine.plans, [runId]));
    await moveToVersion(engine, turn, runId, await engine.plans.loadOne(tx, newest));
    await decideAll(turn, [runId]);
    return turn.settle();
  });
}
