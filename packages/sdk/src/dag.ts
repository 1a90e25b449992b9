/** `Dag`: the object authors start with, once per dialect of options. */
import { brand, brandOf, foreignCopy } from "./brand.ts";
import { callSiteAbove } from "./call-site.ts";
import { DagModel } from "./dag-model.ts";
import { createIfMethod, createSwitchMethod } from "./deciders.ts";
import { createTaskMethod } from "./declare-task.ts";
import { describeValue, type JsonValue } from "./json.ts";
import { createLoopGroup, type LoopGroupOptions } from "./loop-group.ts";
import { AIRFLOW_DIALECT, type Dialect, recordSpec, UPDRAFT_DIALECT } from "./spec-fields.ts";
import type { DagSpec, TaskSpec, UpdraftDagSpec, UpdraftTaskSpec } from "./spec-types.ts";
import { createTaskGroup } from "./task-group.ts";
import type { GroupOptionsOf, GroupRefOf, IfMethod, SwitchMethod, TaskMethod, TaskRef } from "./task-types.ts";
import { type TriggerDagRunSpec, triggerDagRun } from "./trigger-dag-run.ts";

const models = new WeakMap<object, DagModel>();

/** What both dialects share. Constructing one has no effect beyond the object itself. */
abstract class BaseDag<DS extends object, TS extends object> {
  readonly dagId: string;
  /** A frozen copy of the options. */
  readonly spec: DS;
  /** Declares a task; the factory it returns places it. */
  readonly task: TaskMethod<TS>;
  /** Places a task that returns true or false, and skips the side not taken. */
  readonly if: IfMethod<TS>;
  /** Places a task that returns one of its cases, and skips the others. */
  readonly switch: SwitchMethod<TS>;

  protected constructor(dagId: string, spec: unknown, dialect: Dialect) {
    if (typeof dagId !== "string") throw new Error(`The id of a Dag must be a string, not ${describeValue(dagId)}`);
    const recorded = recordSpec<DS & UpdraftDagSpec>(spec, dialect.dagFields, `Dag "${dagId}"`);
    const model = new DagModel({ dagId, spec: recorded, dialect, site: callSiteAbove(new.target as never) });
    models.set(brand(this, "Dag"), model);
    this.dagId = dagId;
    this.spec = recorded;
    // The implementations sort out their overloads at run time; the declared types are what authors see.
    this.task = createTaskMethod(model, model.root) as TaskMethod<TS>;
    this.if = createIfMethod(model, model.root) as IfMethod<TS>;
    this.switch = createSwitchMethod(model, model.root) as SwitchMethod<TS>;
  }

  /** Ids in the order declared, with the prefixes of their groups. */
  get taskIds(): readonly string[] {
    return [...modelOf(this).tasks.keys()];
  }

  taskGroup(groupId: string, options?: GroupOptionsOf<TS>): GroupRefOf<TS> {
    const model = modelOf(this);
    return createTaskGroup<TS>(model, model.root, { label: groupId, options });
  }

  /** Declares and places a `triggerDagRun` task in one call. */
  triggerDagRun(spec: TriggerDagRunSpec & { readonly taskId: string }): TaskRef<void> {
    const { taskId, ...trigger } = spec;
    return this.task(taskId, triggerDagRun(trigger))();
  }
}

/** A Dag with exactly Airflow's options. */
export class AirflowDag extends BaseDag<DagSpec, TaskSpec> {
  constructor(dagId: string, spec: DagSpec = {}) {
    super(dagId, spec, AIRFLOW_DIALECT);
  }
}

/** A Dag with Airflow's options and Updraft's. */
export class Dag extends BaseDag<UpdraftDagSpec, UpdraftTaskSpec> {
  constructor(dagId: string, spec: UpdraftDagSpec = {}) {
    super(dagId, spec, UPDRAFT_DIALECT);
  }

  /** A task group that runs again until its condition holds. */
  loopGroup<R = JsonValue>(groupId: string, options: LoopGroupOptions<R>): GroupRefOf<UpdraftTaskSpec> {
    return createLoopGroup(modelOf(this), { label: groupId, options, site: callSiteAbove(this.loopGroup) });
  }
}

export type AnyDag = AirflowDag | Dag;

/** True for Dags of this copy of the SDK; throws for those of another. */
export function isDag(value: unknown): value is AnyDag {
  if (typeof value !== "object" || value === null) return false;
  if (models.has(value)) return true;
  if (brandOf(value) === "Dag") throw foreignCopy("The Dag");
  return false;
}

/** What was declared in `dag`. */
export function modelOf(dag: object): DagModel {
  const model = models.get(dag);
  if (model === undefined) throw new Error("Not a Dag of this copy of the SDK");
  return model;
}
