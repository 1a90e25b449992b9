/**
 * From a message and the answer to its claim to what a task process is told. Pure.
 */
import { join } from "node:path";
import type { RunResponse } from "@updraft/contract";
import type { DagRunType, JsonValue } from "@updraft/dag-core";
import type { RunContext } from "@updraft/sdk/host";
import { type Config, taskLogPath } from "@updraft/service-kit";
import type { TaskMessage } from "@updraft/task-queue";
import type { Assignment } from "./protocol.ts";

export interface AssignmentFacts {
  readonly config: Config;
  readonly message: TaskMessage;
  readonly run: RunResponse;
  readonly token: string;
  readonly artefactPath: string;
}

export function assignmentOf({ config, message, run, token, artefactPath }: AssignmentFacts): Assignment {
  const { dag_run } = run;
  return {
    ti_id: message.ti_id,
    context: {
      dag_id: message.dag_id,
      task_id: message.task_id,
      run_id: message.run_id,
      try_number: message.try_number,
      map_index: message.map_index,
      logical_date: dag_run.logical_date,
      data_interval_start: dag_run.data_interval_start,
      data_interval_end: dag_run.data_interval_end,
      run_after: dag_run.run_after,
      // What the API answers is JSON, and the run types are the engine's own.
      conf: dag_run.conf as Readonly<Record<string, JsonValue>>,
      run_type: dag_run.run_type as DagRunType,
      max_tries: run.max_tries,
      ...waitFactsOf(run),
      ...loopOf(run),
      partition_key: dag_run.partition_key,
      consumed_asset_events: dag_run.consumed_asset_events as NonNullable<RunContext["consumed_asset_events"]>,
    },
    arg_bindings: run.arg_bindings,
    xcom_inputs: run.updraft.xcom_inputs,
    inactive_assets: run.updraft.inactive_assets,
    xcom_lists: run.updraft.xcom_lists,
    artefact_path: artefactPath,
    execution_api_url: config.executionApiUrl,
    token,
    environment: contextVariables(message, dag_run.logical_date),
    log_path: logPathOf(config, message),
    max_log_bytes: config.maxLogFileBytes,
  };
}

function loopOf({ loop }: RunResponse): Pick<RunContext, "loop"> {
  // What the API answers is JSON.
  return loop === undefined ? {} : { loop: { ...loop, previous: loop.previous as JsonValue } };
}

/** How the try goes on after a wait, and how often it was rescheduled. */
function waitFactsOf({ next_method, next_kwargs, task_reschedule_count, updraft }: RunResponse) {
  const first_start = updraft.first_task_reschedule_start_date ?? null;
  // What the API answers is JSON.
  const kwargs = (next_kwargs ?? {}) as Readonly<Record<string, JsonValue>>;
  return {
    ...(next_method === null || next_method === undefined ? {} : { resumption: { method: next_method, kwargs } }),
    ...(first_start === null ? {} : { reschedules: { count: task_reschedule_count, first_start } }),
  };
}

export function logPathOf({ logsFolder }: Config, message: TaskMessage): string {
  return join(logsFolder, taskLogPath(message));
}

/** Airflow's variables about the try, for what a task starts. */
function contextVariables(message: TaskMessage, logicalDate: string | null): Record<string, string> {
  return {
    AIRFLOW_CTX_DAG_ID: message.dag_id,
    AIRFLOW_CTX_TASK_ID: message.task_id,
    AIRFLOW_CTX_DAG_RUN_ID: message.run_id,
    AIRFLOW_CTX_TRY_NUMBER: String(message.try_number),
    ...(logicalDate === null ? {} : { AIRFLOW_CTX_LOGICAL_DATE: logicalDate }),
  };
}
