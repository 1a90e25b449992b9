/** Exactly the names of Airflow's TypeScript SDK; files written for it run unchanged. */
import { AirflowDag } from "./dag.ts";
import type { TaskSpec } from "./spec-types.ts";
import { getClient as getUpdraftClient, type TaskClient } from "./task-client.ts";
import { getContext as getUpdraftContext, type TaskContext } from "./task-context.ts";
import type { DeciderArgs as DeciderArgsOf, Inputs, TaskGroupRefOf } from "./task-types.ts";

export { type ArgNameMap, withArgNames } from "./arguments.ts";
export {
  Asset,
  type AssetNameRef,
  type AssetRef,
  type AssetRefSpec,
  type AssetSpec,
  type AssetUriRef,
} from "./asset.ts";
export type { AssetStateStore, AssetStateStores } from "./asset-state.ts";
export { Bundle, type Registerable, TaskHandler } from "./bundle.ts";
export type { JsonValue } from "./json.ts";
export { Label } from "./label.ts";
export type { DagSpec, TaskSpec } from "./spec-types.ts";
export {
  ConnectionNotFoundError,
  type ConnectionResult,
  type GetXComOpts,
  NEVER_EXPIRE,
  type SetXComOpts,
  type TaskClient,
  type TaskStateStore,
  type TaskStateStoreSetOpts,
  VariableNotFoundError,
} from "./task-client.ts";
export type { TaskContext } from "./task-context.ts";
export type {
  Branch,
  Condition,
  ConditionElse,
  Node,
  TaskFactory,
  TaskFunction,
  TaskGroupOptions,
  TaskInput,
  TaskInputs,
  TaskRef,
} from "./task-types.ts";
export { type DagRunState, type TriggerDagRunSpec, type TriggerDagRunTask, triggerDagRun } from "./trigger-dag-run.ts";

/** The version of the protocol that the official SDK of the same names speaks. */
export const SUPERVISOR_API_VERSION = "2026-10-30";
export { AirflowDag as Dag };
export type TaskOptions = TaskSpec;
export type TaskGroupRef = TaskGroupRefOf<TaskSpec>;
export type DeciderArgs<A extends Inputs> = DeciderArgsOf<A, TaskSpec>;

/** The client of the running try, as Airflow's SDK has it. */
export const getClient: () => TaskClient = getUpdraftClient;

/** The facts of the running try, as Airflow's SDK tells them. */
export const getContext: () => TaskContext = getUpdraftContext;
