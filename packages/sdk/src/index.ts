/**
 * What a DAG file imports: Airflow's TypeScript SDK and what Updraft adds to it.
 *
 * A file that is to run on a real Airflow as well imports `@updraft/sdk/airflow` or Airflow's own package name.
 */
import type { UpdraftTaskSpec } from "./spec-types.ts";
import type {
  DeciderArgs as DeciderArgsOf,
  GroupRefOf,
  Inputs,
  NoInputs,
  TaskFactory as TaskFactoryOf,
  UpdraftTaskGroupOptions,
  UpdraftTaskRef,
} from "./task-types.ts";

export {
  type ArgNameMap,
  Asset,
  type AssetNameRef,
  type AssetRef,
  type AssetRefSpec,
  type AssetStateStore,
  type AssetStateStores,
  type AssetUriRef,
  type Branch,
  Bundle,
  type Condition,
  type ConditionElse,
  ConnectionNotFoundError,
  type ConnectionResult,
  type DagRunState,
  type GetXComOpts,
  type JsonValue,
  Label,
  NEVER_EXPIRE,
  type Node,
  type Registerable,
  type SetXComOpts,
  SUPERVISOR_API_VERSION,
  type TaskFunction,
  TaskHandler,
  type TaskInput,
  type TaskInputs,
  type TaskStateStore,
  type TaskStateStoreSetOpts,
  type TriggerDagRunSpec,
  type TriggerDagRunTask,
  triggerDagRun,
  VariableNotFoundError,
  withArgNames,
} from "./airflow.ts";
export {
  AssetAlias,
  type AssetConditionRef,
  type AssetExpression,
  assetAll,
  assetAny,
  type UpdraftAssetSpec as AssetSpec,
} from "./asset.ts";
export {
  type AssetAndTimeSpec,
  type AssetOrTimeSpec,
  type AssetSchedule,
  type AssetTriggeredSpec,
  assetAndTime,
  assetOrTime,
  assetTriggered,
} from "./asset-schedule.ts";
export { AssetWatcher } from "./asset-watcher.ts";
export { Dag } from "./dag.ts";
export type { AssetEvent, InletEvents, InletEventsOptions } from "./inlet-events.ts";
export { LineSplitter } from "./line-splitter.ts";
export type { LoopGroupOptions } from "./loop-group.ts";
export { defineOperator, type OperatorDefinition } from "./operator.ts";
export type { OutletEvent, OutletEventAlias, OutletEvents } from "./outlet-events.ts";
export {
  allowedKeyMapper,
  chainMapper,
  identityMapper,
  productMapper,
  startOfMapper,
} from "./partition-mappers.ts";
export type { LogLevel } from "./raw-client.ts";
export type { RetryDecision, RetryFacts, RetryPolicy } from "./retry-policy.ts";
export {
  defineSensor,
  PokeReturnValue,
  type SensorDefinition,
  type SensorOptions,
  SensorTimeout,
  sensor,
} from "./sensor.ts";
export { type BranchChoice, branch, empty, latestOnly, type ShortCircuitOptions, shortCircuit } from "./skipping.ts";
export type { DeadlineAlert, Schedule, UpdraftDagSpec as DagSpec, UpdraftTaskSpec as TaskSpec } from "./spec-types.ts";
export { type GetXComsOpts, getClient, maskSecret, type UpdraftTaskClient as TaskClient } from "./task-client.ts";
export {
  getContext,
  type LoopContext,
  type TriggeringAssetEvent,
  type UpdraftTaskContext as TaskContext,
} from "./task-context.ts";
export { FailTask, fail, SkipTask, skip } from "./task-errors.ts";
export { getLogger, type TaskLogger } from "./task-logger.ts";
export type {
  Expandable,
  ExpandableTask,
  MapExpression,
  Mappable,
  Operator,
  ResumeMethod,
  Resumption,
  TeardownOptions,
  UpdraftTaskRef as TaskRef,
} from "./task-types.ts";
export {
  dagStateTrigger,
  dateTimeTrigger,
  defineTrigger,
  type Trigger,
  type TriggerFunction,
  timeDeltaTrigger,
} from "./triggers.ts";
export { type DeferOptions, defer, reschedule, TaskDeferralError, TaskDeferralTimeout } from "./waiting.ts";
export { type XComPullOptions, xcomPull } from "./xcom-pull.ts";
export type { XComSequence } from "./xcom-sequence.ts";

export type TaskOptions = UpdraftTaskSpec;
export type TaskGroupOptions = UpdraftTaskGroupOptions;
export type TaskFactory<A extends Inputs = NoInputs, R = unknown> = TaskFactoryOf<A, R, UpdraftTaskRef<R>>;
export type TaskGroupRef = GroupRefOf<UpdraftTaskSpec>;
export type DeciderArgs<A extends Inputs> = DeciderArgsOf<A, UpdraftTaskSpec>;
