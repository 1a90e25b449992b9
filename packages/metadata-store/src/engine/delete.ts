/** Deleting runs and task instances: what they hold is given back first, so that the counters stay right. */
import { isFinished } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import type { Announcement, XComAddress } from "../store.ts";
import type { Engine } from "./context.ts";
import { joined } from "./due-runs.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import { runsAfter } from "./looks.ts";
import { leaveLooks } from "./noted-looks.ts";
import { runKey, taskInRunKey } from "./occupancy.ts";
import { recount } from "./recount.ts";
import { lockRunNamed } from "./runs.ts";
import { Turn } from "./turn.ts";

/** A running run is refused: it would start tasks while it goes. */
export async function deleteDagRun(
  engine: Engine,
  dagId: string,
  runId: string,
): Promise<Announcement | "running" | null> {
  return engine.db.transaction(async (tx) => {
    const locked = await lockRunNamed(tx, engine.plans, dagId, runId);
    if (locked === null) return null;
    const { run } = locked;
    if (run.state === "running") return "running";
    const turn = new Turn(engine, tx, [locked]);
    const instances = await tx.rows<EngineInstance>({
      name: "instances_of_run",
      text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = $1 ORDER BY t.id FOR UPDATE`,
      values: [run.id],
    });
    await turn.move(
      instances
        .filter(({ state }) => !isFinished(state))
        .map((instance) => ({ instance, state: "removed", cause: "Its run was deleted", end_date: turn.now })),
    );
    const told = await turn.settle();
    const after = locked.plan.waitingInNextRun.size === 0 ? [] : await runsAfter(tx, [{ dag_run: run.id }]);
    await tx.rows({ text: "DELETE FROM dag_run WHERE id = $1", values: [run.id] });
    // Another run is now the one before theirs.
    leaveLooks(
      tx,
      after.map(({ id }) => ({ dag_run: id, due_at: turn.now, task_ids: null, of_next: false })),
    );
    await tx.rows({
      text: "DELETE FROM occupancy WHERE key = $1 OR starts_with(key, $2)",
      values: [runKey(run.id), taskInRunKey(run.id, "")],
    });
    return joined(told, { ...NOTHING, dags: [{ dag_id: dagId }], wake_scheduler: after.length > 0 });
  });
}

/** Its successors no longer wait for it; a try that runs is ended by its next heartbeat. */
export async function deleteTaskInstance(
  engine: Engine,
  { dag_id, run_id, task_id, map_index }: Omit<XComAddress, "key">,
): Promise<Announcement | null> {
  return engine.db.transaction(async (tx) => {
    const locked = await lockRunNamed(tx, engine.plans, dag_id, run_id);
    if (locked === null) return null;
    const turn = new Turn(engine, tx, [locked]);
    const [instance] = await tx.rows<EngineInstance>({
      text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t
        WHERE t.dag_run = $1 AND t.task_id = $2 AND t.map_index = $3 FOR UPDATE`,
      values: [locked.run.id, task_id, map_index],
    });
    if (instance === undefined) return null;
    if (!isFinished(instance.state))
      await turn.move([{ instance, state: "removed", cause: "Deleted by a user", end_date: turn.now }]);
    await tx.rows({ text: "DELETE FROM task_instance WHERE id = $1", values: [instance.id] });
    await tx.rows({
      text: "DELETE FROM xcom WHERE dag_run = $1 AND task_id = $2 AND map_index = $3",
      values: [locked.run.id, task_id, map_index],
    });
    await recount(tx, locked.run.id, locked.plan, locked.plan.downstream.get(task_id) ?? []);
    return joined(await turn.settle(), { ...NOTHING, dags: [{ dag_id }] });
  });
}
