/** A run as the Task Execution API tells it. */
import type { RunResponse, ConsumedAssetEvent as WireEvent } from "@updraft/contract";
import type { ConsumedAssetEvent, DagRunRow } from "@updraft/metadata-store";
import { iso } from "../http/iso.ts";

export function executionDagRunOf(
  run: DagRunRow,
  consumed: readonly ConsumedAssetEvent[] = [],
): RunResponse["dag_run"] {
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
    consumed_asset_events: consumed.map(consumedAssetEventOf),
    partition_key: run.partition_key,
    note: run.note,
  };
}

function consumedAssetEventOf({ name, uri, asset_extra, ...event }: ConsumedAssetEvent): WireEvent {
  return {
    asset: { name, uri, extra: asset_extra },
    extra: event.extra,
    source_task_id: event.source_task_id,
    source_dag_id: event.source_dag_id,
    source_run_id: event.source_run_id,
    source_map_index: event.source_map_index,
    source_aliases: event.source_aliases.map((alias) => ({ name: alias })),
    timestamp: iso(event.timestamp),
    partition_key: event.partition_key,
  };
}
