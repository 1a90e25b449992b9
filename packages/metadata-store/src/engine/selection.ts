/**
 * Which task instances a person means: runs by id or dates, tasks by name and neighbourhood. What is then done to them
 * is done in chunks of bounded size, each a transaction of its own.
 */
import type { Instant, SerializedDag, TaskScope } from "@updraft/dag-core";
import type { DagPlan } from "../dag-plan.ts";
import { at, type Queryable } from "../database.ts";
import { INSTANCE_COLUMNS, INSTANCE_TABLES } from "../reads/columns.ts";
import type { TaskInstanceRow } from "../store.ts";
import type { Engine } from "./context.ts";
import type { EngineInstance } from "./instance.ts";

/** A change of more runs than this is refused by asking for a narrower range. */
const MOST_RUNS = 10_000;
/** Instances of one transaction: it holds the locks of their runs for some tenths of a second. */
const CHUNK = 1000;
const READ_BATCH = 200;

export interface Run {
  readonly id: number;
  readonly dag_version_id: string;
  readonly logical_date: number | null;
}

export type Selected = Pick<EngineInstance, "id" | "dag_run" | "run_id" | "task_id" | "map_index" | "state">;

export async function newestPlan({ db, plans }: Engine, dagId: string): Promise<DagPlan | null> {
  const [dag] = await db.rows<{ dag_version_id: string }>({
    text: "SELECT dag_version_id FROM dag WHERE dag_id = $1",
    values: [dagId],
  });
  return dag === undefined ? null : plans.loadOne(db, dag.dag_version_id);
}

/** Which runs: one by its id, with those before and after it, or all of a range of dates. */
export interface RunRange {
  readonly dag_id: string;
  readonly run_id: string | null;
  readonly start_date: Instant | null;
  readonly end_date: Instant | null;
  readonly include_past: boolean;
  readonly include_future: boolean;
}

export type Refused =
  | { readonly kind: "not_found"; readonly what: "dag" | "dag_run"; readonly id: string }
  | { readonly kind: "bad_request"; readonly message: string };

/** The named run, with those before and after it by logical date where asked for; or all runs of a range. */
export async function findRuns(db: Queryable, request: RunRange): Promise<Run[] | Refused> {
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

interface Selection {
  /** The version that the runs move to; names mean what it says. Null: what the version of each run says. */
  readonly target: DagPlan | null;
  readonly selects: (instance: Selected) => boolean;
}

/** Reads without locks; whoever changes the instances looks at them again under the locks of their runs. */
export async function selectInstances(
  { db, plans }: Engine,
  runs: readonly Run[],
  scopeOf: (dag: SerializedDag) => TaskScope,
  { target, selects }: Selection,
): Promise<Selected[]> {
  const loaded = await plans.load(db, [...new Set(runs.map(({ dag_version_id }) => dag_version_id))]);
  const scopes = new Map([...loaded].map(([id, plan]) => [id, scopeOf((target ?? plan).dag)]));
  const selected: Selected[] = [];
  for (let from = 0; from < runs.length; from += READ_BATCH) {
    const batch = runs.slice(from, from + READ_BATCH);
    const names = new Set(batch.flatMap(({ dag_version_id }) => [...(scopes.get(dag_version_id)?.keys() ?? [])]));
    const instances = await db.rows<Selected & { dag_version_id: string }>({
      name: "select_instances",
      text: `SELECT t.id, t.dag_run, t.run_id, t.task_id, t.map_index, t.state, r.dag_version_id
        FROM task_instance t JOIN dag_run r ON r.id = t.dag_run
        WHERE t.dag_run = ANY($1::bigint[]) AND t.task_id = ANY($2::text[]) ORDER BY t.dag_run, t.id`,
      values: [batch.map(({ id }) => id), [...names]],
    });
    for (const instance of instances) {
      const indexes = scopes.get(instance.dag_version_id)?.get(instance.task_id);
      const isNamed = indexes === null || indexes?.has(instance.map_index) === true;
      if (isNamed && selects(instance)) selected.push(instance);
    }
  }
  return selected;
}

export interface Chunk {
  readonly ids: readonly string[];
  /** Runs that the chunk touches, and those among them that no later chunk does. */
  readonly runs: readonly number[];
  readonly completes: readonly number[];
}

export function* chunksOf(selected: readonly Selected[], runsAlone: readonly number[] = []): Iterable<Chunk> {
  for (let from = 0; from < selected.length; from += CHUNK) {
    const part = selected.slice(from, from + CHUNK);
    const runs = [...new Set(part.map(({ dag_run }) => dag_run))];
    const goesOn = selected[from + CHUNK]?.dag_run;
    yield { ids: part.map(({ id }) => id), runs, completes: runs.filter((id) => id !== goesOn) };
  }
  for (const id of runsAlone) yield { ids: [], runs: [id], completes: [id] };
}

export function readRows(db: Queryable, instances: readonly Selected[]): Promise<TaskInstanceRow[]> {
  return db.rows<TaskInstanceRow>({
    text: `SELECT ${INSTANCE_COLUMNS} FROM ${INSTANCE_TABLES} WHERE t.id = ANY($1::uuid[]) ORDER BY t.dag_run, t.id`,
    values: [instances.map(({ id }) => id)],
  });
}
