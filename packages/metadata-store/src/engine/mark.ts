/** People's and operators' decisions over runs and DAGs: marking, skipping, pausing. */
import { isFinished, markRunEffect, skipRequestEffect } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import { at, type Queryable } from "../database.ts";
import type { Announcement, SkipRequest } from "../store.ts";
import { clearInstances, resetRun } from "./clear.ts";
import type { Engine } from "./context.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import { lockRunNamed, lockRunsOf } from "./runs.ts";
import { decideAll } from "./start-runs.ts";
import { Turn } from "./turn.ts";

function instancesOf(tx: Queryable, run: number): Promise<EngineInstance[]> {
  return tx.rows<EngineInstance>({
    name: "instances_of_run",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = $1 ORDER BY t.id FOR UPDATE`,
    values: [run],
  });
}

/** A decider skips successors of its own, a mapped one those of its index; what runs or ended stays. */
export async function skipDownstream(
  engine: Engine,
  { ti_id, try_number, task_ids }: SkipRequest,
): Promise<Announcement> {
  return engine.db.transaction(async (tx) => {
    const [locked] = await lockRunsOf(tx, engine.plans, [ti_id]);
    if (locked === undefined) return NOTHING;
    const turn = new Turn(engine, tx, [locked]);
    // What a try says that was lost, cleared or marked meanwhile comes too late: another one decides.
    const instances = await tx.rows<EngineInstance>({
      name: "instances_named",
      text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t JOIN task_instance decider ON decider.id = $3
        WHERE t.dag_run = $1 AND t.task_id = ANY($2::text[]) AND (decider.map_index < 0 OR t.map_index = decider.map_index)
          AND decider.state = 'running' AND decider.try_number = $4
        ORDER BY t.id FOR UPDATE OF t`,
      values: [locked.run.id, task_ids, ti_id, try_number],
    });
    await turn.move(
      instances.flatMap((instance) => {
        const state = skipRequestEffect(instance.state);
        const cause = "A decider upstream chose another way";
        return state === null ? [] : [{ instance, state, cause, start_date: turn.now, end_date: turn.now }];
      }),
    );
    return turn.settle();
  });
}

export interface RunPatch {
  readonly state?: "queued" | "success" | "failed";
  readonly note?: string | null;
}

export async function patchDagRun(
  engine: Engine,
  dagId: string,
  runId: string,
  patch: RunPatch,
): Promise<Announcement | null> {
  return engine.db.transaction(async (tx) => {
    const locked = await lockRunNamed(tx, engine.plans, dagId, runId);
    if (locked === null) return null;
    const { run } = locked;
    const turn = new Turn(engine, tx, [locked]);
    if (patch.note !== undefined) {
      await tx.rows({ text: "UPDATE dag_run SET note = $2 WHERE id = $1", values: [run.id, patch.note] });
    }
    if (patch.state === "queued") {
      await clearInstances(turn, await instancesOf(tx, run.id));
      resetRun(turn, run.id);
      await decideAll(turn, [run.id]);
    } else if (patch.state !== undefined) {
      await markRun(turn, run.id, patch.state);
    }
    return turn.settle();
  });
}

/**
 * Teardowns still run, so that what the setups made is taken away; until the last of them ended the run goes on, and
 * ends by its leaves.
 */
async function markRun(turn: Turn, id: number, target: "success" | "failed"): Promise<void> {
  const cause = `The run was marked as ${target} by a user`;
  const instances = await instancesOf(turn.tx, id);
  const isTeardown = ({ task_id }: EngineInstance) => turn.planOfRun(id).tasks.get(task_id)?.is_teardown === true;
  const waitsForTeardown = instances.some((instance) => isTeardown(instance) && !isFinished(instance.state));
  if (!waitsForTeardown) turn.setRunState(id, target, cause);
  await turn.move(
    instances.flatMap((instance) => {
      const state = isTeardown(instance) ? null : markRunEffect(instance.state, target);
      return state === null ? [] : [{ instance, state, cause, end_date: turn.now }];
    }),
  );
}

/** Ticks that pass while a DAG is paused are recorded as skipped when it goes on. */
export async function setDagPaused(engine: Engine, dagId: string, paused: boolean): Promise<Announcement | null> {
  const rows = await engine.db.rows<{ dag_id: string }>({
    text: `WITH looks AS (
        INSERT INTO run_look (dag_run, due_at, of_next)
        SELECT id, $3, false FROM dag_run WHERE dag_id = $1 AND state = 'running' AND NOT $2)
      UPDATE dag SET is_paused = $2, pause_cause = NULL, is_draining = false,
        skip_cause = CASE WHEN is_paused AND NOT $2 THEN 'The DAG was paused' ELSE skip_cause END,
        evaluate_at = CASE WHEN is_paused AND NOT $2 THEN $3 ELSE evaluate_at END,
        next_dagrun_run_after = CASE WHEN is_paused AND NOT $2 THEN NULL ELSE next_dagrun_run_after END
      WHERE dag_id = $1 RETURNING dag_id`,
    values: [dagId, paused, at(engine.clock.now())],
  });
  if (rows.length === 0) return null;
  return { ...NOTHING, dags: [{ dag_id: dagId, is_paused: paused }], wake_scheduler: true };
}
