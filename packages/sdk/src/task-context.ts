/** `getContext()`: the facts of the running try. */
import type { DagRunType, JsonValue } from "@updraft/dag-core";
import { type AssetEvent, createInletEvents, type InletEvents, toAssetEvent } from "./inlet-events.ts";
import type { OutletEvents } from "./outlet-events.ts";
import type { ConsumedAssetEvent, RunContext } from "./raw-client.ts";
import { currentScope } from "./try-scope.ts";

/** Airflow's facts. */
export interface TaskContext {
  readonly dagId: string;
  readonly taskId: string;
  readonly runId: string;
  /** From 1. */
  readonly tryNumber: number;
  /** -1 where the task is not mapped. */
  readonly mapIndex: number;
  /** Aborts when the try is cancelled or times out. */
  readonly signal: AbortSignal;
}

/** Airflow's facts and what Updraft adds. */
export interface UpdraftTaskContext extends TaskContext {
  readonly logicalDate: Date | null;
  readonly dataIntervalStart: Date | null;
  readonly dataIntervalEnd: Date | null;
  readonly runAfter: Date;
  readonly conf: Readonly<Record<string, JsonValue>>;
  readonly runType: DagRunType;
  readonly maxTries: number;
  /** The event of the trigger that the handler deferred to; undefined where it starts. */
  readonly triggerEvent: JsonValue | undefined;
  /** How far the loop around the task has come; null where there is none. */
  readonly loop: LoopContext | null;
  /** What part of the data the run is about; null where it is not partitioned. */
  readonly partitionKey: string | null;
  /** Events of assets that made the run, oldest first. */
  readonly triggeringAssetEvents: readonly TriggeringAssetEvent[];
  /** What happened to the assets that this task reads. */
  readonly inletEvents: InletEvents;
  /** What this task says about the events of its outlets. */
  readonly outletEvents: OutletEvents;
}

export interface LoopContext {
  /** The number of the iteration, from 0. */
  readonly index: number;
  readonly maxIterations: number;
  /** What the last task of the iteration before returned; null in the first one. */
  readonly previous: JsonValue;
}

/** An event of an asset that made the run. */
export interface TriggeringAssetEvent extends AssetEvent {
  /** Aliases through which it came. */
  readonly sourceAliases: readonly string[];
}

export function getContext(): UpdraftTaskContext {
  const scope = currentScope("getContext()");
  const { context, signal, outletEvents } = scope;
  return Object.freeze({
    dagId: context.dag_id,
    taskId: context.task_id,
    runId: context.run_id,
    tryNumber: context.try_number,
    mapIndex: context.map_index,
    signal,
    logicalDate: toDate(context.logical_date),
    dataIntervalStart: toDate(context.data_interval_start),
    dataIntervalEnd: toDate(context.data_interval_end),
    runAfter: new Date(context.run_after),
    conf: context.conf,
    runType: context.run_type,
    maxTries: context.max_tries,
    triggerEvent: context.resumption?.kwargs.event,
    loop: loopOf(context),
    partitionKey: context.partition_key ?? null,
    triggeringAssetEvents: Object.freeze((context.consumed_asset_events ?? []).map(toTriggeringEvent)),
    inletEvents: createInletEvents(() => scope.client),
    outletEvents: outletEvents.events,
  });
}

function loopOf({ loop }: RunContext): LoopContext | null {
  if (loop === undefined) return null;
  return Object.freeze({ index: loop.index, maxIterations: loop.max_iterations, previous: loop.previous });
}

function toTriggeringEvent(event: ConsumedAssetEvent): TriggeringAssetEvent {
  const sourceAliases = event.source_aliases.map((alias) => alias.name);
  return Object.freeze({ ...toAssetEvent(event), sourceAliases });
}

function toDate(instant: string | null): Date | null {
  return instant === null ? null : new Date(instant);
}
