/** Assets, their events and their states as REST v2 shows them. */
import type {
  AssetEventResponse,
  AssetResponse,
  AssetStateStoreResponse,
  QueuedEventResponse,
} from "@updraft/contract";
import type { AssetDetail, AssetEventRow, AssetStateRow, AssetUse, QueuedAssetEventRow } from "@updraft/metadata-store";
import { iso } from "../http/iso.ts";

export function assetResponseOf(asset: AssetDetail): AssetResponse {
  const { id, name, uri, group, extra, uses, last_event_id, last_event_at } = asset;
  const usesOf = (kind: AssetUse["kind"]) => uses.filter((use) => use.kind === kind);
  return {
    id,
    name,
    uri,
    group,
    extra,
    created_at: iso(asset.created_at),
    updated_at: iso(asset.updated_at),
    scheduled_dags: usesOf("scheduled_dag").map(dagReferenceOf),
    producing_tasks: usesOf("producing_task").map(taskReferenceOf),
    consuming_tasks: usesOf("consuming_task").map(taskReferenceOf),
    aliases: [...asset.aliases],
    watchers: asset.watchers.map(({ created_date, ...watcher }) => ({ ...watcher, created_date: iso(created_date) })),
    last_asset_event: last_event_id === null ? null : { id: last_event_id, timestamp: iso(last_event_at) },
  };
}

function dagReferenceOf({ dag_id, created_at, updated_at }: AssetUse) {
  return { dag_id, created_at: iso(created_at), updated_at: iso(updated_at) };
}

function taskReferenceOf(use: AssetUse) {
  return { ...dagReferenceOf(use), task_id: use.task_id ?? "" };
}

export function assetEventResponseOf(event: AssetEventRow): AssetEventResponse {
  const { source_aliases: _aliases, asset_extra: _asset_extra, created_dagruns, timestamp, ...rest } = event;
  return {
    ...rest,
    timestamp: iso(timestamp),
    created_dagruns: created_dagruns.map(({ queued_at, ...run }) => ({
      ...run,
      logical_date: iso(run.logical_date),
      data_interval_start: iso(run.data_interval_start),
      data_interval_end: iso(run.data_interval_end),
      // Airflow's form has no null here, which a run that waits would need.
      start_date: iso(run.start_date ?? queued_at ?? timestamp),
      end_date: iso(run.end_date),
      partition_key: event.partition_key,
    })),
  };
}

export function queuedEventResponseOf({ created_at, ...event }: QueuedAssetEventRow): QueuedEventResponse {
  return { ...event, created_at: iso(created_at) };
}

export function assetStateResponseOf(row: AssetStateRow): AssetStateStoreResponse {
  const { key, value, updated_at, last_updated_by_kind: kind, dag_id, run_id, task_id, map_index } = row;
  return { key, value, updated_at: iso(updated_at), last_updated_by: { kind, dag_id, run_id, task_id, map_index } };
}
