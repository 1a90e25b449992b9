/** For the processes that load and run DAG files: the dag-processor's parse child and the workers' task process. */

export type { GivenInputs } from "./arguments.ts";
export { authorTrace } from "./author-trace.ts";
export { Bundle } from "./bundle.ts";
export { EXTERNAL_SPECIFIERS, installSdkResolver, loadBundle, NoBundleError } from "./load-bundle.ts";
export type {
  AssetEventLocator,
  AssetEventRange,
  AssetLocator,
  ConsumedAssetEvent,
  HitlQuestion,
  LogLevel,
  LogRecord,
  RawAssetEvent,
  RawClient,
  RawConnection,
  Retention,
  RunContext,
  TriggerRequest,
  XComListLocator,
  XComLocator,
} from "./raw-client.ts";
export { type RunHandlerRequest, runHandler, type TaskOutcome } from "./run-handler.ts";
export { type RunTriggerRequest, runTrigger, type TriggerOutcome } from "./run-trigger.ts";
export { runWatcher } from "./run-watcher.ts";
export { type SerializedBundle, type SerializeOptions, serializeBundle } from "./serialize.ts";
