/** Clearing: task instances run again, and their runs with them. Each run is a transaction of its own. */
import { clearRunEffect, clearSelects, clearTaskEffect, closure } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import type { DagPlan } from "../dag-plan.ts";
import { at, type Queryable } from "../database.ts";
import { INSTANCE_COLUMNS, INSTANCE_TABLES } from "../reads/columns.ts";
import type { Announcement, ClearRequest, ClearResult, TaskInstanceRow } from "../store.ts";
import type { Engine } from "./context.ts";
import { joined } from "./due-runs.ts";
import { ENGINE_COLUMNS, type EngineInstance, keepTries } from "./instance.ts";
import { lockRuns } from "./runs.ts";
import { decideAll } from "./start-runs.ts";
import { Turn } from "./turn.ts";

/** A clear over more runs than this is refused by asking for a narrower range. */
const MOST_RUNS = 1000;

export async function clearTaskInstances(engine: Engine, request: ClearRequest): Promise<ClearResult> {
  const scope = await findScope(engine, request);
  if ("kind" in scope) return scope;
  const rows: TaskInstanceRow[] = [];
  let announcement: Announcement = NOTHING;
  for (const id of scope.runIds) {
    const cleared = await clearRun(engine, id, scope.taskIds, request);
    rows.push(...cleared.rows);
    announcement = joined(announcement, cleared.announcement);
  }
  return { kind: "cleared", task_instances: rows, announcement };
}

interface Scope {
  readonly runIds: readonly number[];
  /** With the map index where one was named; null: every task. */
  readonly taskIds: ReadonlyMap<string, ReadonlySet<number> | null> | null;
}

async function findScope(
  engine: Engine,
  request: ClearRequest,
): Promise<Scope | Extract<ClearResult, { kind: "not_found" }>> {
  const { db, plans } = engine;
  const [dag] = await db.rows<{ dag_version_id: string }>({
    text: "SELECT dag_version_id FROM dag WHERE dag_id = $1",
    values: [request.dag_id],
  });
  if (dag === undefined) return { kind: "not_found", what: "dag", id: request.dag_id };
  const plan = await plans.loadOne(db, dag.dag_version_id);
  const runIds = await findRuns(db, request);
  if (request.run_id !== null && runIds.length === 0) return { kind: "not_found", what: "dag_run", id: request.run_id };
  return { runIds, taskIds: tasksOf(plan, request) };
}

async function findRuns(db: Queryable, request: ClearRequest): Promise<number[]> {
  const { dag_id, run_id, start_date, end_date, include_past, include_future } = request;
  const rows = await db.rows<{ id: number }>({
    text: `SELECT r.id FROM dag_run r LEFT JOIN dag_run named ON named.dag_id = r.dag_id AND named.run_id = $2
      WHERE r.dag_id = $1
        AND ($2::text IS NULL OR r.id = named.id OR ($3 AND r.run_after < named.run_after) OR ($4 AND r.run_after > named.run_after))
        AND ($5::timestamptz IS NULL OR r.run_after >= $5) AND ($6::timestamptz IS NULL OR r.run_after <= $6)
      ORDER BY r.id DESC LIMIT ${MOST_RUNS}`,
    values: [dag_id, run_id, include_past, include_future, at(start_date), at(end_date)],
  });
  return rows.map(({ id }) => id).reverse();
}

function tasksOf({ dag }: DagPlan, request: ClearRequest): Scope["taskIds"] {
  if (request.task_ids === null) return null;
  const named = new Map<string, Set<number> | null>();
  for (const entry of request.task_ids) {
    if (typeof entry === "string") named.set(entry, null);
    else if (named.get(entry[0]) !== null) named.set(entry[0], (named.get(entry[0]) ?? new Set()).add(entry[1]));
  }
  const wide = new Map<string, ReadonlySet<number> | null>(named);
  const directions = [
    ...(request.include_upstream ? (["upstream"] as const) : []),
    ...(request.include_downstream ? (["downstream"] as const) : []),
  ];
  for (const direction of directions) {
    for (const id of closure(dag, named.keys(), direction)) if (!wide.has(id)) wide.set(id, null);
  }
  return wide;
}

async function clearRun(engine: Engine, id: number, taskIds: Scope["taskIds"], request: ClearRequest) {
  return engine.db.transaction(async (tx) => {
    const turn = new Turn(engine, tx, await lockRuns(tx, engine.plans, [id]));
    const instances = await tx.rows<EngineInstance>({
      name: "instances_of_run",
      text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = $1 ORDER BY t.id FOR UPDATE`,
      values: [id],
    });
    const selected = instances.filter(
      (instance) => isNamed(taskIds, instance) && clearSelects(instance.state, request),
    );
    const rows = await readInstances(tx, selected);
    if (request.dry_run || selected.length === 0) return { rows, announcement: NOTHING };
    await clearInstances(turn, selected);
    if (request.reset_dag_runs) resetRun(turn, id);
    await decideAll(turn, [id]);
    const announcement = await turn.settle();
    if (request.note !== null) await noteInstances(tx, selected, request.note);
    return { rows: await readInstances(tx, selected), announcement };
  });
}

function isNamed(taskIds: Scope["taskIds"], { task_id, map_index }: EngineInstance): boolean {
  if (taskIds === null) return true;
  const indexes = taskIds.get(task_id);
  return indexes === null || indexes?.has(map_index) === true;
}

/** Takes back the states of instances; what depends on them counts anew. */
export async function clearInstances(turn: Turn, instances: readonly EngineInstance[]): Promise<void> {
  keepTries(
    turn.tx,
    instances
      .filter(({ state }) => state !== "running" && state !== "restarting" && state !== null)
      .map(({ id }) => id),
  );
  await turn.move(
    instances.map((instance) => {
      const { state, max_tries } = clearTaskEffect(instance, turn.taskOf(instance).retries);
      const cause = state === "restarting" ? "Cleared while running" : "Cleared";
      return state === null
        ? { instance, state, cause, max_tries, start_date: null, end_date: null }
        : { instance, state, cause, max_tries };
    }),
  );
}

/** The run around cleared instances: a finished one waits in the queue again. */
export function resetRun(turn: Turn, id: number): void {
  const run = turn.runOf(id);
  const effect = clearRunEffect(run.state, turn.now);
  turn.patchRun(id, { clear_number: run.clear_number + effect.clear_number_increment });
  turn.setRunState(id, effect.state, "Cleared");
}

async function noteInstances(tx: Queryable, instances: readonly EngineInstance[], note: string): Promise<void> {
  await tx.rows({
    text: "UPDATE task_instance SET note = $2 WHERE id = ANY($1::uuid[])",
    values: [instances.map(({ id }) => id), note],
  });
}

function readInstances(tx: Queryable, instances: readonly EngineInstance[]): Promise<TaskInstanceRow[]> {
  return tx.rows<TaskInstanceRow>({
    text: `SELECT ${INSTANCE_COLUMNS} FROM ${INSTANCE_TABLES} WHERE t.id = ANY($1::uuid[]) ORDER BY t.id`,
    values: [instances.map(({ id }) => id)],
  });
}
