/** Requests to clear, with everything that is not asked for left out, and why they are refused. */
import { ApiError } from "@updraft/contract";
import type { ClearRequest, ClearResult } from "@updraft/metadata-store";

const NOTHING_ELSE = {
  run_id: null,
  task_ids: null,
  start_date: null,
  end_date: null,
  only_failed: false,
  only_running: false,
  include_upstream: false,
  include_downstream: false,
  include_past: false,
  include_future: false,
  reset_dag_runs: true,
  prevent_running_task: false,
  keep_task_state: false,
  run_on_latest_version: null,
  only_new: false,
  note: null,
  dry_run: false,
} as const;

export function clearRequestOf(dagId: string, wanted: Partial<Omit<ClearRequest, "dag_id">>): ClearRequest {
  return { dag_id: dagId, ...NOTHING_ELSE, ...wanted };
}

export function clearErrorOf(refused: Exclude<ClearResult, { kind: "cleared" }>, dag_id: string): ApiError {
  switch (refused.kind) {
    case "task_running":
      return new ApiError("task_running_conflict", { task_id: refused.task_id, dag_run_id: refused.run_id });
    case "bad_request":
      return new ApiError("bad_request", { message: refused.message });
    case "not_found":
      return refused.what === "dag"
        ? new ApiError("dag_not_found", { dag_id })
        : new ApiError("dag_run_not_found", { dag_id, dag_run_id: refused.id });
  }
}
