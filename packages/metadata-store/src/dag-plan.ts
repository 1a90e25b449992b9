/**
 * A DAG's form with what the engine asks of it again and again. A version's form never changes, so plans are kept by
 * the version's id.
 */
import {
  distantWatchers,
  downstreamIds,
  effectiveLeaves,
  type MappingUnit,
  mappingUnits,
  priorityWeights,
  type RetryingGroup,
  retryingGroups,
  type SerializedDag,
  type SerializedTask,
  type TaskLoop,
  type TaskShape,
  taskLoops,
  taskShapes,
  upstreamIds,
} from "@updraft/dag-core";
import type { Queryable } from "./database.ts";

export interface DagPlan {
  readonly version_id: string;
  readonly version_number: number;
  readonly artefact_hash: string;
  readonly dag: SerializedDag;
  readonly tasks: ReadonlyMap<string, SerializedTask>;
  readonly downstream: ReadonlyMap<string, readonly string[]>;
  readonly upstream: ReadonlyMap<string, readonly string[]>;
  readonly leaves: readonly string[];
  readonly weights: ReadonlyMap<string, number>;
  /** The unit of each mapped task. */
  readonly units: ReadonlyMap<string, MappingUnit>;
  /** By the tasks over whose results they are mapped. */
  readonly unitsFedBy: ReadonlyMap<string, readonly MappingUnit[]>;
  /** Pools that its tasks name. */
  readonly pools: readonly string[];
  readonly shapes: ReadonlyMap<string, TaskShape>;
  /** Tasks to look at again when one ends though they are no direct successors of it. */
  readonly watchers: ReadonlyMap<string, readonly string[]>;
  /** Task groups with retries, inner ones first. */
  readonly retryingGroups: readonly RetryingGroup[];
  /** By task, those that in the next run depend on how it ends in this one. */
  readonly waitingInNextRun: ReadonlyMap<string, readonly string[]>;
  /** The loop of each task that is in one. */
  readonly loops: ReadonlyMap<string, TaskLoop>;
}

/** Enough for every DAG of a usual installation; a miss costs one read. */
const MOST_PLANS = 500;

export class DagPlans {
  readonly #plans = new Map<string, DagPlan>();

  /** The plans of some versions; throws for a version that does not exist. */
  async load(db: Queryable, versionIds: readonly string[]): Promise<ReadonlyMap<string, DagPlan>> {
    const missing = [...new Set(versionIds)].filter((id) => !this.#plans.has(id));
    if (missing.length > 0) await this.#read(db, missing);
    return new Map(versionIds.map((id) => [id, this.#touch(id)]));
  }

  async loadOne(db: Queryable, versionId: string): Promise<DagPlan> {
    const known = this.#plans.get(versionId);
    if (known !== undefined) return known;
    await this.#read(db, [versionId]);
    return this.#touch(versionId);
  }

  async #read(db: Queryable, ids: readonly string[]): Promise<void> {
    const rows = await db.rows<{ id: string; version_number: number; form: SerializedDag; artefact_hash: string }>({
      name: "dag_plans",
      text: "SELECT id, version_number, form, artefact_hash FROM dag_version WHERE id = ANY($1::uuid[])",
      values: [ids],
    });
    for (const row of rows) this.#plans.set(row.id, planOf(row));
    for (const id of this.#plans.keys()) {
      if (this.#plans.size <= Math.max(MOST_PLANS, ids.length)) break;
      this.#plans.delete(id);
    }
  }

  /** Moves a plan to the end of the queue for removal. */
  #touch(id: string): DagPlan {
    const plan = this.#plans.get(id);
    if (plan === undefined) throw new Error(`there is no DAG version ${id}`);
    this.#plans.delete(id);
    this.#plans.set(id, plan);
    return plan;
  }
}

export function taskOf(plan: DagPlan, taskId: string): SerializedTask {
  const task = plan.tasks.get(taskId);
  if (task === undefined)
    throw new Error(`DAG ${plan.dag.dag_id} has no task ${taskId} in version ${plan.version_number}`);
  return task;
}

export function shapeOf(plan: DagPlan, taskId: string): TaskShape {
  const shape = plan.shapes.get(taskId);
  if (shape === undefined) throw new Error(`DAG ${plan.dag.dag_id} has no task ${taskId}`);
  return shape;
}

/** Whether two tasks go together index by index: both are tasks of one mapped group. */
export function sharesIndex({ units }: DagPlan, one: string, other: string): boolean {
  const unit = units.get(one);
  return unit !== undefined && unit === units.get(other);
}

function waitingInNextRun(dag: SerializedDag): Map<string, string[]> {
  const waiting = new Map<string, string[]>();
  for (const task of dag.tasks.filter(({ depends_on_past }) => depends_on_past)) {
    const watched = task.wait_for_downstream ? [task.task_id, ...task.downstream_task_ids] : [task.task_id];
    for (const id of watched) waiting.set(id, [...(waiting.get(id) ?? []), task.task_id]);
  }
  return waiting;
}

function planOf(row: { id: string; version_number: number; form: SerializedDag; artefact_hash: string }): DagPlan {
  const { form: dag } = row;
  const shapes = taskShapes(dag);
  const units = mappingUnits(dag);
  return {
    version_id: row.id,
    version_number: row.version_number,
    artefact_hash: row.artefact_hash,
    dag,
    tasks: new Map(dag.tasks.map((task) => [task.task_id, task])),
    downstream: downstreamIds(dag),
    upstream: upstreamIds(dag),
    leaves: effectiveLeaves(dag),
    weights: priorityWeights(dag),
    units,
    unitsFedBy: unitsBySource(units),
    pools: [...new Set(dag.tasks.map(({ pool }) => pool))],
    shapes,
    watchers: distantWatchers(shapes),
    waitingInNextRun: waitingInNextRun(dag),
    loops: taskLoops(dag),
    retryingGroups: retryingGroups(dag),
  };
}

function unitsBySource(units: ReadonlyMap<string, MappingUnit>): Map<string, MappingUnit[]> {
  const fed = new Map<string, MappingUnit[]>();
  for (const unit of new Set(units.values())) {
    for (const id of unit.sources) fed.set(id, [...(fed.get(id) ?? []), unit]);
  }
  return fed;
}
