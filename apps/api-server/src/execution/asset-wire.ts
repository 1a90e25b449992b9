/** Assets as the Task Execution API tells them and hears of them. */
import type {
  AssetProfile,
  ExecutionAssetEventsResponse,
  ExecutionAssetResponse,
  OutletEventWire,
} from "@updraft/contract";
import { type AssetReference, assertNever, type JsonValue, type OutletEvent } from "@updraft/dag-core";
import type { AssetEventRow, AssetRow } from "@updraft/metadata-store";
import { iso } from "../http/iso.ts";

export function assetResponseOf({ name, uri, group, extra }: AssetRow): ExecutionAssetResponse {
  return { name, uri, group, extra };
}

export function assetEventOf(event: AssetEventRow): ExecutionAssetEventsResponse["asset_events"][number] {
  const { name, uri, group, asset_extra } = event;
  return {
    id: event.id,
    timestamp: iso(event.timestamp),
    extra: event.extra,
    asset: { name, uri, group, extra: asset_extra },
    created_dagruns: event.created_dagruns.map(({ triggering: _, queued_at, ...run }) => ({
      ...run,
      logical_date: iso(run.logical_date),
      data_interval_start: iso(run.data_interval_start),
      data_interval_end: iso(run.data_interval_end),
      // Airflow's form has no null here, which a run that waits would need.
      start_date: iso(run.start_date ?? queued_at ?? event.timestamp),
      end_date: iso(run.end_date),
      partition_key: event.partition_key,
    })),
    source_task_id: event.source_task_id,
    source_dag_id: event.source_dag_id,
    source_run_id: event.source_run_id,
    source_map_index: event.source_map_index,
    partition_key: event.partition_key,
  };
}

export function assetProfileOf(reference: AssetReference): AssetProfile {
  switch (reference.kind) {
    case "asset":
      return { name: reference.name, uri: reference.uri, type: "Asset" };
    case "alias":
      return { name: reference.name, uri: null, type: "AssetAlias" };
    case "name_ref":
      return { name: reference.name, uri: null, type: "AssetNameRef" };
    case "uri_ref":
      return { name: null, uri: reference.uri, type: "AssetUriRef" };
    default:
      return assertNever(reference);
  }
}

export function outletEventOf({
  dest_asset_key: { name, uri },
  extra,
  source_alias_name,
}: OutletEventWire): OutletEvent {
  // What JSON.parse made is JSON.
  return { asset: { name, uri }, extra: (extra ?? {}) as Record<string, JsonValue>, alias: source_alias_name ?? null };
}
