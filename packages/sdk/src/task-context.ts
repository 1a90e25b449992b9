/** `getContext()`: the facts of the running try. */
import type { DagRunType, JsonValue } from "@updraft/dag-core";
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
}

export function getContext(): UpdraftTaskContext {
  const { context, signal } = currentScope("getContext()");
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
  });
}

function toDate(instant: string | null): Date | null {
  return instant === null ? null : new Date(instant);
}
