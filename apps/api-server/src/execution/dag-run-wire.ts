/** A run as the Task Execution API tells it. */
import type { RunResponse } from "@updraft/contract";
import type { DagRunRow } from "@updraft/metadata-store";
import { iso } from "../http/iso.ts";

export function executionDagRunOf(run: DagRunRow): RunResponse["dag_run"] {
  return {
    dag_id: run.dag_id,
    run_id: run.run_id,
    logical_date: iso(run.logical_date),
    data_interval_start: iso(run.data_interval_start),
    data_interval_end: iso(run.data_interval_end),
    run_after: iso(run.run_after),
    start_date: iso(run.start_date),
    end_date: iso(run.end_date),
    clear_number: run.clear_number,
    run_type: run.run_type,
    state: run.state,
    conf: run.conf,
    triggering_user_name: run.triggering_user_name,
    consumed_asset_events: [],
    partition_key: null,
    note: run.note,
  };
}
