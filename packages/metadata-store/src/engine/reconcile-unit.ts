/**
 * A mapped task or group that has instances already gets another length: surplus ones are removed, missing ones are
 * made, removed ones come back. Happens when what it is mapped over ran again; it may cost as much as the unit is long.
 */
import type { MappingUnit } from "@updraft/dag-core";
import { type DagPlan, taskOf } from "../dag-plan.ts";
import type { Engine } from "./context.ts";
import { ENGINE_COLUMNS, type EngineInstance, type Move } from "./instance.ts";
import { recount } from "./recount.ts";
import type { Turn } from "./turn.ts";

export interface UnitLength {
  readonly unit: MappingUnit;
  readonly dagRun: number;
  readonly length: number;
}

/** The answer holds the instances that are to be decided now. */
export async function reconcileUnit(
  engine: Engine,
  turn: Turn,
  { unit, dagRun, length }: UnitLength,
): Promise<EngineInstance[]> {
  const plan = turn.planOfRun(dagRun);
  const instances = await readInstances(turn, dagRun, unit.task_ids);
  await turn.move(instances.flatMap((instance) => moveOf(turn, instance, length)));
  const made: NewInstance[] = [];
  const moved: { readonly id: string; readonly map_index: number }[] = [];
  for (const task of unit.task_ids) {
    const rows = instances.filter(({ task_id }) => task_id === task);
    const { places, template } = placesOf(rows, length);
    moved.push(...places.moved);
    if (template !== undefined)
      made.push(...newInstances(engine, template.id, taskOf(plan, task).retries, places.missing));
  }
  await place(turn, moved);
  await insert(turn, made);
  turn.grow(dagRun, made.length, { waiting: 0 });
  const concerned = concernedBy(plan, unit);
  await recount(turn.tx, dagRun, plan, concerned);
  return (await readInstances(turn, dagRun, concerned)).filter(({ state }) => state === null);
}

/** The tasks of a unit and their successors. */
function concernedBy(plan: DagPlan, { task_ids }: MappingUnit): string[] {
  return [...new Set([...task_ids, ...task_ids.flatMap((id) => plan.downstream.get(id) ?? [])])];
}

function readInstances(turn: Turn, dagRun: number, taskIds: readonly string[]): Promise<EngineInstance[]> {
  return turn.tx.rows<EngineInstance>({
    name: "instances_of_tasks",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = $1 AND t.task_id = ANY($2::text[])
      ORDER BY t.map_index, t.id FOR UPDATE`,
    values: [dagRun, taskIds],
  });
}

/** What its index means for the state of an instance. Of an empty unit the first one stands for all, as skipped. */
function moveOf(turn: Turn, instance: EngineInstance, length: number): Move[] {
  const { map_index, state } = instance;
  if (map_index < 0) return [];
  const dates = { start_date: turn.now, end_date: turn.now };
  if (length === 0 && map_index === 0)
    return [{ instance, state: "skipped", cause: "There is nothing to map over any more: the length is 0", ...dates }];
  if (map_index >= length && state !== "removed")
    return [{ instance, state: "removed", cause: `Only ${length} instances are mapped now`, end_date: turn.now }];
  if (map_index < length && state === "removed")
    return [{ instance, state: null, cause: `${length} instances are mapped now`, start_date: null, end_date: null }];
  return [];
}

interface Places {
  readonly moved: readonly { readonly id: string; readonly map_index: number }[];
  readonly missing: readonly number[];
}

/** Which indexes a task lacks; an open placeholder takes the first of them. */
function placesOf(
  rows: readonly EngineInstance[],
  length: number,
): { readonly places: Places; readonly template: EngineInstance | undefined } {
  const template = rows[0];
  const placeholder = rows.find(({ map_index }) => map_index < 0);
  const first = rows.find(({ map_index }) => map_index === 0);
  if (length === 0)
    return { template, places: { moved: first === undefined ? [] : [{ id: first.id, map_index: -1 }], missing: [] } };
  // A placeholder that ended by itself, as one that was skipped, is the whole of its task.
  if (placeholder !== undefined && placeholder.state !== null) return { template, places: { moved: [], missing: [] } };
  const present = new Set(rows.map(({ map_index }) => map_index));
  const missing = Array.from({ length }, (_, index) => index).filter((index) => !present.has(index));
  if (placeholder === undefined) return { template, places: { moved: [], missing } };
  const [taken, ...rest] = missing;
  const moved = taken === undefined ? [] : [{ id: placeholder.id, map_index: taken }];
  return { template, places: { moved, missing: rest } };
}

async function place(turn: Turn, moved: Places["moved"]): Promise<void> {
  if (moved.length === 0) return;
  await turn.tx.rows({
    name: "place_mapped",
    text: `UPDATE task_instance t SET map_index = m.map_index
      FROM unnest($1::uuid[], $2::integer[]) AS m (id, map_index) WHERE t.id = m.id`,
    values: [moved.map(({ id }) => id), moved.map(({ map_index }) => map_index)],
  });
}

interface NewInstance {
  readonly id: string;
  /** An instance of the same task. */
  readonly template: string;
  readonly map_index: number;
  readonly retries: number;
}

function newInstances(engine: Engine, template: string, retries: number, indexes: readonly number[]): NewInstance[] {
  return indexes.map((map_index) => ({ id: engine.ids.uuid(), template, map_index, retries }));
}

async function insert(turn: Turn, rows: readonly NewInstance[]): Promise<void> {
  if (rows.length === 0) return;
  await turn.tx.rows({
    name: "insert_missing_mapped",
    text: `INSERT INTO task_instance (id, map_index, dag_run, dag_id, run_id, task_id, max_tries, pool, pool_slots, queue,
        priority_weight, operator, upstream_total)
      SELECT m.id, m.map_index, t.dag_run, t.dag_id, t.run_id, t.task_id, m.retries, t.pool, t.pool_slots,
        t.queue, t.priority_weight, t.operator, 0
      FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[]) AS m (id, template, map_index, retries) JOIN task_instance t ON t.id = m.template`,
    values: [
      rows.map(({ id }) => id),
      rows.map(({ template }) => template),
      rows.map(({ map_index }) => map_index),
      rows.map(({ retries }) => retries),
    ],
  });
}
