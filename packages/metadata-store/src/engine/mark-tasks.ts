/**
 * Marking task instances: a person says how they ended. What failed below them is cleared, so that it may run after all,
 * and their runs with it. A try that runs is ended by its next heartbeat, which finds the instance no longer running.
 */
import { closure, markedDownstreamIsCleared, namedScope } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import type { Queryable } from "../database.ts";
import type { Announcement, MarkTaskRequest, MarkTaskResult } from "../store.ts";
import { clearInstances, resetRun } from "./clear.ts";
import type { Engine } from "./context.ts";
import { joined } from "./due-runs.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import { lockRuns } from "./runs.ts";
import { type Chunk, chunksOf, findRuns, newestPlan, readRows, selectInstances } from "./selection.ts";
import { decideAll } from "./start-runs.ts";
import { Turn } from "./turn.ts";

export async function markTaskInstances(engine: Engine, request: MarkTaskRequest): Promise<MarkTaskResult> {
  if ((await newestPlan(engine, request.dag_id)) === null)
    return { kind: "not_found", what: "dag", id: request.dag_id };
  const runs = await findRuns(engine.db, { ...request, start_date: null, end_date: null });
  if ("kind" in runs) return runs;
  const selected = await selectInstances(engine, runs, (dag) => namedScope(dag, request), {
    target: null,
    selects: ({ state }) => state !== request.state,
  });
  let announcement: Announcement = NOTHING;
  if (!request.dry_run) {
    const marked = new Set(selected.map(({ id }) => id));
    for (const chunk of chunksOf(selected))
      announcement = joined(announcement, await markChunk(engine, chunk, request, marked));
  }
  return { kind: "marked", task_instances: await readRows(engine.db, selected), announcement };
}

function markChunk(
  engine: Engine,
  { ids, runs, completes }: Chunk,
  { state, task_ids }: MarkTaskRequest,
  marked: ReadonlySet<string>,
): Promise<Announcement> {
  return engine.db.transaction(async (tx) => {
    const turn = new Turn(engine, tx, await lockRuns(tx, engine.plans, runs));
    const instances = await tx.rows<EngineInstance>({
      name: "instances_by_id",
      text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR UPDATE`,
      values: [ids],
    });
    const open = instances.filter((instance) => instance.state !== state);
    const cause = `Marked as ${state} by a user`;
    await turn.move(open.map((instance) => ({ instance, state, cause, end_date: turn.now })));
    await startMarked(tx, ids);
    for (const run of completes) await resumeBelow(turn, run, task_ids, marked);
    return turn.settle();
  });
}

/** One that never ran has the time of its mark as its start. */
async function startMarked(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.rows({
    name: "start_marked",
    text: "UPDATE task_instance SET start_date = end_date WHERE id = ANY($1::uuid[]) AND start_date IS NULL",
    values: [ids],
  });
}

/** Clears what failed downstream of the tasks that were named. */
async function resumeBelow(
  turn: Turn,
  runId: number,
  names: MarkTaskRequest["task_ids"],
  marked: ReadonlySet<string>,
): Promise<void> {
  const { dag } = turn.planOfRun(runId);
  const named = namedScope(dag, { task_ids: names, include_upstream: false, include_downstream: false });
  const below = [...closure(dag, named.keys(), "downstream")];
  const instances = await turn.tx.rows<EngineInstance>({
    name: "failed_below",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t
      WHERE t.dag_run = $1 AND t.task_id = ANY($2::text[]) AND t.state IN ('failed', 'upstream_failed')
      ORDER BY t.id FOR UPDATE`,
    values: [runId, below],
  });
  const failed = instances.filter(({ id, state }) => !marked.has(id) && markedDownstreamIsCleared(state));
  if (failed.length === 0) return;
  await clearInstances(turn, failed);
  resetRun(turn, runId);
  await decideAll(turn, [runId]);
}
