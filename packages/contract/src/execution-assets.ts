/** Assets below `/execution`: what tasks read of them, and what the worker tells of a success. */
import { z } from "zod";
import { json, jsonObject } from "./wire.ts";

/** An asset, an alias or a reference, as inlets and outlets name them. */
export const assetProfile = z.strictObject({
  name: z.string().nullish(),
  uri: z.string().nullish(),
  type: z.string(),
});
export type AssetProfile = z.infer<typeof assetProfile>;

/** What a task said about an event of its outlets. Airflow's workers send more fields than Updraft reads. */
export const outletEvent = z.looseObject({
  dest_asset_key: z.looseObject({ name: z.string(), uri: z.string() }),
  extra: jsonObject.nullish(),
  /** The alias through which the event comes. */
  source_alias_name: z.string().nullish(),
});

export type OutletEventWire = z.infer<typeof outletEvent>;

/** An event that a run consumed, in the answer of `run`. */
export const consumedAssetEvent = z.strictObject({
  asset: z.strictObject({ name: z.string(), uri: z.string(), extra: jsonObject }),
  extra: jsonObject,
  source_task_id: z.string().nullable(),
  source_dag_id: z.string().nullable(),
  source_run_id: z.string().nullable(),
  source_map_index: z.int().nullable(),
  source_aliases: z.array(z.strictObject({ name: z.string() })),
  timestamp: z.string(),
  partition_key: z.string().nullable(),
});
export type ConsumedAssetEvent = z.infer<typeof consumedAssetEvent>;

export const executionAssetResponse = z.strictObject({
  name: z.string(),
  uri: z.string(),
  group: z.string(),
  extra: jsonObject.nullable(),
});
export type ExecutionAssetResponse = z.infer<typeof executionAssetResponse>;

const assetEventRun = z.strictObject({
  run_id: z.string(),
  dag_id: z.string(),
  logical_date: z.string().nullable(),
  start_date: z.string(),
  end_date: z.string().nullable(),
  state: z.string(),
  data_interval_start: z.string().nullable(),
  data_interval_end: z.string().nullable(),
  partition_key: z.string().nullable(),
});

export const executionAssetEventsResponse = z.strictObject({
  asset_events: z.array(
    z.strictObject({
      id: z.int(),
      timestamp: z.string(),
      extra: jsonObject.nullable(),
      asset: executionAssetResponse,
      created_dagruns: z.array(assetEventRun),
      source_task_id: z.string().nullable(),
      source_dag_id: z.string().nullable(),
      source_run_id: z.string().nullable(),
      source_map_index: z.int().nullable(),
      partition_key: z.string().nullable(),
    }),
  ),
});
export type ExecutionAssetEventsResponse = z.infer<typeof executionAssetEventsResponse>;

export const inactiveAssetsResponse = z.strictObject({ inactive_assets: z.array(assetProfile) });
export type InactiveAssetsResponse = z.infer<typeof inactiveAssetsResponse>;

export const assetStateBody = z.strictObject({ value: json });
