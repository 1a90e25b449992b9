/** A request to clear, with everything that is not asked for left out. */
import type { ClearRequest } from "@updraft/metadata-store";

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
  run_on_latest_version: false,
  note: null,
  dry_run: false,
} as const;

export function clearRequestOf(dagId: string, wanted: Partial<Omit<ClearRequest, "dag_id">>): ClearRequest {
  return { dag_id: dagId, ...NOTHING_ELSE, ...wanted };
}
