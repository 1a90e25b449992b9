/**
 * Clearing: task instances run again, and their runs with them.
 *
 *   request ──► runs ──► instances selected, without locks ──► chunks of bounded size, each a transaction of its own
 *
 * A run whose instances fill several chunks is put back into the queue by the last one, so that it never starts half
 * cleared.
 */
import { clearRunEffect, clearScope, clearSelects, clearTaskEffect } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import type { DagPlan } from "../dag-plan.ts";
import type { Queryable } from "../database.ts";
import type { Announcement, ClearRequest, ClearResult } from "../store.ts";
import type { Engine } from "./context.ts";
import { joined } from "./due-runs.ts";
import { ENGINE_COLUMNS, type EngineInstance, keepTries } from "./instance.ts";
import { restartLoops } from "./loop-restarts.ts";
import { lockRuns } from "./runs.ts";
import { seatPlaceholders } from "./seat-placeholders.ts";
import { type Chunk, chunksOf, findRuns, newestPlan, type Run, readRows, selectInstances } from "./selection.ts";
import { decideAll } from "./start-runs.ts";
import { Turn } from "./turn.ts";
import { moveToVersion } from "./version-move.ts";

export async function clearTaskInstances(engine: Engine, request: ClearRequest): Promise<ClearResult> {
  const newest = await newestPlan(engine, request.dag_id);
  if (newest === null) return { kind: "not_found", what: "dag", id: request.dag_id };
  const runs = await findRuns(engine.db, request);
  if ("kind" in runs) return runs;
  const target = movesToNewest(engine, request, newest) ? newest : null;
  const selected = request.only_new
    ? []
    : await selectInstances(engine, runs, (dag) => clearScope(dag, request), {
        target,
        selects: ({ state }) => clearSelects(state, request),
      });
  const busy = request.prevent_running_task ? selected.find(({ state }) => isUnderWay(state)) : undefined;
  if (busy !== undefined) return { kind: "task_running", task_id: busy.task_id, run_id: busy.run_id };
  const new_tasks = request.only_new ? await newTasks(engine, runs, newest) : [];
  let announcement: Announcement = NOTHING;
  if (!request.dry_run) {
    const concerned = request.only_new && new_tasks.length > 0 ? runs.map(({ id }) => id) : [];
    for (const chunk of chunksOf(selected, concerned))
      announcement = joined(announcement, await clearChunk(engine, chunk, request, target));
  }
  return { kind: "cleared", task_instances: await readRows(engine.db, selected), new_tasks, announcement };
}

function movesToNewest(engine: Engine, request: ClearRequest, { dag }: DagPlan): boolean {
  if (request.only_new) return true;
  return request.run_on_latest_version ?? dag.rerun_with_latest_version ?? engine.rerunWithLatestVersion ?? false;
}

async function newTasks({ db, plans }: Engine, runs: readonly Run[], newest: DagPlan): Promise<string[]> {
  const loaded = await plans.load(
    db,
    runs.map(({ dag_version_id }) => dag_version_id),
  );
  const isNew = (id: string) => [...loaded.values()].some(({ tasks }) => !tasks.has(id));
  return newest.dag.tasks.map(({ task_id }) => task_id).filter(isNew);
}

function clearChunk(
  engine: Engine,
  { ids, runs, completes }: Chunk,
  request: ClearRequest,
  target: DagPlan | null,
): Promise<Announcement> {
  return engine.db.transaction(async (tx) => {
    const turn = new Turn(engine, tx, await lockRuns(tx, engine.plans, runs));
    if (target !== null) for (const id of runs) await moveToVersion(engine, turn, id, target);
    const instances = await tx.rows<EngineInstance>({
      name: "instances_by_id",
      text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR UPDATE`,
      values: [ids],
    });
    const open = instances.filter(
      (instance) => turn.planOf(instance).tasks.has(instance.task_id) && clearSelects(instance.state, request),
    );
    await clearInstances(turn, open);
    await seatPlaceholders(engine, turn, open);
    if (!request.keep_task_state) await dropTaskState(tx, open);
    if (request.reset_dag_runs) for (const id of completes) resetRun(turn, id);
    await decideAll(turn, completes);
    const announcement = await turn.settle();
    if (request.note !== null) await noteInstances(tx, open, request.note);
    return announcement;
  });
}

function isUnderWay(state: EngineInstance["state"]): boolean {
  return state === "running" || state === "restarting";
}

/** Takes back the states of instances; what depends on them counts anew. */
export async function clearInstances(turn: Turn, all: readonly EngineInstance[], why = "Cleared"): Promise<void> {
  await restartLoops(turn, all);
  await takeBack(turn, all, why);
}

/** The same where loops stay in their iterations. */
export async function takeBack(turn: Turn, all: readonly EngineInstance[], why: string): Promise<void> {
  // What another version of the DAG left behind stays removed.
  const instances = all.filter((instance) => turn.planOf(instance).tasks.has(instance.task_id));
  keepTries(
    turn.tx,
    instances.filter(({ state }) => state !== null && !isUnderWay(state)).map(({ id }) => id),
  );
  await turn.move(
    instances.map((instance) => {
      const { state, max_tries } = clearTaskEffect(instance, turn.taskOf(instance).retries);
      const cause = state === "restarting" ? `${why} while running` : why;
      return state === null
        ? { instance, state, cause, max_tries, start_date: null, end_date: null }
        : { instance, state, cause, max_tries };
    }),
  );
}

/** The run around cleared instances: a finished one waits in the queue again. */
export function resetRun(turn: Turn, id: number): void {
  const run = turn.runOf(id);
  const { state, clear_number_increment, dates } = clearRunEffect(run.state, turn.now);
  turn.setRunState(id, state, "Cleared");
  turn.patchRun(id, { ...dates, retries: null, clear_number: run.clear_number + clear_number_increment });
}

async function dropTaskState(tx: Queryable, instances: readonly EngineInstance[]): Promise<void> {
  await tx.rows({
    name: "drop_task_state",
    text: `DELETE FROM task_state_store s USING task_instance t
      WHERE t.id = ANY($1::uuid[]) AND s.dag_run = t.dag_run AND s.task_id = t.task_id AND s.map_index = t.map_index`,
    values: [instances.map(({ id }) => id)],
  });
}

async function noteInstances(tx: Queryable, instances: readonly EngineInstance[], note: string): Promise<void> {
  await tx.rows({
    text: "UPDATE task_instance SET note = $2 WHERE id = ANY($1::uuid[])",
    values: [instances.map(({ id }) => id), note],
  });
}
