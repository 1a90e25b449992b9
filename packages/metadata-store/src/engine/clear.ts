/**
 * Clearing: task instances run again, and their runs with them.
 *
 *   request ──► runs ──► instances selected, without locks ──► chunks of bounded size, each a transaction of its own
 *
 * A run whose instances fill several chunks is put back into the queue by the last one, so that it never starts half
 * cleared.
 */
import {
  type ClearNames,
  clearRunEffect,
  clearScope,
  clearSelects,
  clearTaskEffect,
  type TaskScope,
} from "@updraft/dag-core";
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
import { moveToVersion } from "./version-move.ts";

/** A clear over more runs than this is refused by asking for a narrower range. */
const MOST_RUNS = 10_000;
/** Instances of one transaction: it holds the locks of their runs for some tenths of a second. */
const CHUNK = 1000;
const READ_BATCH = 200;

export async function clearTaskInstances(engine: Engine, request: ClearRequest): Promise<ClearResult> {
  const newest = await newestPlan(engine, request.dag_id);
  if (newest === null) return { kind: "not_found", what: "dag", id: request.dag_id };
  const runs = await findRuns(engine.db, request);
  if ("kind" in runs) return runs;
  const target = movesToNewest(engine, request, newest) ? newest : null;
  const selected = request.only_new ? [] : await select(engine, runs, request, target);
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

interface Run {
  readonly id: number;
  readonly dag_version_id: string;
  readonly logical_date: number | null;
}

type Selected = Pick<EngineInstance, "id" | "dag_run" | "run_id" | "task_id" | "map_index" | "state">;

async function newestPlan({ db, plans }: Engine, dagId: string): Promise<DagPlan | null> {
  const [dag] = await db.rows<{ dag_version_id: string }>({
    text: "SELECT dag_version_id FROM dag WHERE dag_id = $1",
    values: [dagId],
  });
  return dag === undefined ? null : plans.loadOne(db, dag.dag_version_id);
}

function movesToNewest(engine: Engine, request: ClearRequest, { dag }: DagPlan): boolean {
  if (request.only_new) return true;
  return request.run_on_latest_version ?? dag.rerun_with_latest_version ?? engine.rerunWithLatestVersion ?? false;
}

type Refused = Exclude<ClearResult, { kind: "cleared" }>;

/** The named run, with those before and after it by logical date where asked for; or all runs of a range. */
async function findRuns(db: Queryable, request: ClearRequest): Promise<Run[] | Refused> {
  const { dag_id, run_id, include_past, include_future } = request;
  if (run_id !== null) {
    const [named] = await readRuns(db, "r.dag_id = $1 AND r.run_id = $2", [dag_id, run_id]);
    if (named === undefined) return { kind: "not_found", what: "dag_run", id: run_id };
    if (!include_past && !include_future) return [named];
    if (named.logical_date === null) {
      return {
        kind: "bad_request",
        message: `Run ${run_id} has no logical date, so that no run lies before or after it. Clear it without include_past and include_future.`,
      };
    }
    const earlier = include_past ? "OR r.logical_date < $3" : "";
    const later = include_future ? "OR r.logical_date > $3" : "";
    const values = [dag_id, run_id, at(named.logical_date)];
    return bounded(await readRuns(db, `r.dag_id = $1 AND (r.run_id = $2 ${earlier} ${later})`, values));
  }
  const { start_date, end_date } = request;
  return bounded(
    await readRuns(
      db,
      `r.dag_id = $1 AND ($2::timestamptz IS NULL OR coalesce(r.logical_date, r.run_after) >= $2)
        AND ($3::timestamptz IS NULL OR coalesce(r.logical_date, r.run_after) <= $3)`,
      [dag_id, at(start_date), at(end_date)],
    ),
  );
}

function readRuns(db: Queryable, condition: string, values: readonly unknown[]): Promise<Run[]> {
  return db.rows<Run>({
    text: `SELECT r.id, r.dag_version_id, r.logical_date FROM dag_run r WHERE ${condition} ORDER BY r.id LIMIT ${MOST_RUNS + 1}`,
    values,
  });
}

function bounded(runs: Run[]): Run[] | Refused {
  if (runs.length <= MOST_RUNS) return runs;
  const message = `More than ${MOST_RUNS} runs would be cleared. Give a narrower range by start_date and end_date.`;
  return { kind: "bad_request", message };
}

async function select(
  engine: Engine,
  runs: readonly Run[],
  request: ClearRequest,
  target: DagPlan | null,
): Promise<Selected[]> {
  const scopes = await scopesOf(engine, runs, request, target);
  const selected: Selected[] = [];
  for (let from = 0; from < runs.length; from += READ_BATCH) {
    const batch = runs.slice(from, from + READ_BATCH);
    const names = new Set(batch.flatMap(({ dag_version_id }) => [...(scopes.get(dag_version_id)?.keys() ?? [])]));
    const instances = await engine.db.rows<Selected & { dag_version_id: string }>({
      name: "clear_candidates",
      text: `SELECT t.id, t.dag_run, t.run_id, t.task_id, t.map_index, t.state, r.dag_version_id
        FROM task_instance t JOIN dag_run r ON r.id = t.dag_run
        WHERE t.dag_run = ANY($1::bigint[]) AND t.task_id = ANY($2::text[]) ORDER BY t.dag_run, t.id`,
      values: [batch.map(({ id }) => id), [...names]],
    });
    for (const instance of instances) {
      const indexes = scopes.get(instance.dag_version_id)?.get(instance.task_id);
      const isNamed = indexes === null || indexes?.has(instance.map_index) === true;
      if (isNamed && clearSelects(instance.state, request)) selected.push(instance);
    }
  }
  return selected;
}

/** Names mean what the version of each run says, or the one that it moves to. */
async function scopesOf(
  { db, plans }: Engine,
  runs: readonly Run[],
  names: ClearNames,
  target: DagPlan | null,
): Promise<ReadonlyMap<string, TaskScope>> {
  const loaded = await plans.load(db, [...new Set(runs.map(({ dag_version_id }) => dag_version_id))]);
  return new Map([...loaded].map(([id, plan]) => [id, clearScope((target ?? plan).dag, names)]));
}

async function newTasks({ db, plans }: Engine, runs: readonly Run[], newest: DagPlan): Promise<string[]> {
  const loaded = await plans.load(
    db,
    runs.map(({ dag_version_id }) => dag_version_id),
  );
  const isNew = (id: string) => [...loaded.values()].some(({ tasks }) => !tasks.has(id));
  return newest.dag.tasks.map(({ task_id }) => task_id).filter(isNew);
}

interface Chunk {
  readonly ids: readonly string[];
  /** Runs that the chunk touches, and those among them that no later chunk does. */
  readonly runs: readonly number[];
  readonly completes: readonly number[];
}

function* chunksOf(selected: readonly Selected[], runsAlone: readonly number[]): Iterable<Chunk> {
  for (let from = 0; from < selected.length; from += CHUNK) {
    const part = selected.slice(from, from + CHUNK);
    const runs = [...new Set(part.map(({ dag_run }) => dag_run))];
    const goesOn = selected[from + CHUNK]?.dag_run;
    yield { ids: part.map(({ id }) => id), runs, completes: runs.filter((id) => id !== goesOn) };
  }
  for (const id of runsAlone) yield { ids: [], runs: [id], completes: [id] };
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
export async function clearInstances(turn: Turn, instances: readonly EngineInstance[]): Promise<void> {
  keepTries(
    turn.tx,
    instances.filter(({ state }) => state !== null && !isUnderWay(state)).map(({ id }) => id),
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
  const { state, clear_number_increment, dates } = clearRunEffect(run.state, turn.now);
  turn.setRunState(id, state, "Cleared");
  turn.patchRun(id, { ...dates, clear_number: run.clear_number + clear_number_increment });
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

function readRows(db: Queryable, instances: readonly Selected[]): Promise<TaskInstanceRow[]> {
  return db.rows<TaskInstanceRow>({
    text: `SELECT ${INSTANCE_COLUMNS} FROM ${INSTANCE_TABLES} WHERE t.id = ANY($1::uuid[]) ORDER BY t.dag_run, t.id`,
    values: [instances.map(({ id }) => id)],
  });
}
