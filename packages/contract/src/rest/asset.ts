/** Assets, aliases, events, queued events, and the values kept with assets. */
import { z } from "zod";
import { collectionOf, json, jsonObject, sentInstant, wireInstant, wireInstantOrNull } from "../wire.ts";

const dates = { created_at: wireInstant, updated_at: wireInstant };

export const assetAliasResponse = z.strictObject({ id: z.int(), name: z.string(), group: z.string() });
export type AssetAliasResponse = z.infer<typeof assetAliasResponse>;
export const assetAliasCollectionResponse = collectionOf("asset_aliases", assetAliasResponse);

const taskReference = z.strictObject({ dag_id: z.string(), task_id: z.string(), ...dates });

export const assetResponse = z.strictObject({
  id: z.int(),
  name: z.string(),
  uri: z.string(),
  group: z.string(),
  extra: jsonObject.nullable(),
  ...dates,
  scheduled_dags: z.array(z.strictObject({ dag_id: z.string(), ...dates })),
  producing_tasks: z.array(taskReference),
  consuming_tasks: z.array(taskReference),
  aliases: z.array(assetAliasResponse),
  watchers: z.array(z.strictObject({ name: z.string(), trigger_id: z.int(), created_date: wireInstant })),
  last_asset_event: z.strictObject({ id: z.int().nullable(), timestamp: wireInstantOrNull }).nullable(),
});
export type AssetResponse = z.infer<typeof assetResponse>;
export const assetCollectionResponse = collectionOf("assets", assetResponse);

const createdRun = z.strictObject({
  run_id: z.string(),
  dag_id: z.string(),
  logical_date: wireInstantOrNull,
  start_date: wireInstant,
  end_date: wireInstantOrNull,
  state: z.string(),
  data_interval_start: wireInstantOrNull,
  data_interval_end: wireInstantOrNull,
  partition_key: z.string().nullable(),
  triggering: z.boolean(),
});

export const assetEventResponse = z.strictObject({
  id: z.int(),
  asset_id: z.int(),
  uri: z.string().nullable(),
  name: z.string().nullable(),
  group: z.string().nullable(),
  extra: jsonObject.nullable(),
  source_task_id: z.string().nullable(),
  source_dag_id: z.string().nullable(),
  source_run_id: z.string().nullable(),
  source_map_index: z.int(),
  created_dagruns: z.array(createdRun),
  timestamp: wireInstant,
  partition_key: z.string().nullable(),
});
export type AssetEventResponse = z.infer<typeof assetEventResponse>;
export const assetEventCollectionResponse = collectionOf("asset_events", assetEventResponse);

export const createAssetEventBody = z.strictObject({
  asset_id: z.int(),
  partition_key: z.string().max(250).regex(/\S/).nullish(),
  extra: jsonObject.default({}),
  access_control: jsonObject.nullish(),
});

export const materializeAssetBody = z.strictObject({
  dag_run_id: z.string().min(1).max(250).nullish(),
  data_interval_start: sentInstant.nullish(),
  data_interval_end: sentInstant.nullish(),
  logical_date: sentInstant.nullish(),
  run_after: sentInstant.nullish(),
  conf: jsonObject.nullish(),
  note: z.string().max(1000).nullish(),
  partition_key: z.string().nullish(),
});

export const queuedEventResponse = z.strictObject({
  dag_id: z.string(),
  asset_id: z.int(),
  created_at: wireInstant,
  dag_display_name: z.string(),
});
export type QueuedEventResponse = z.infer<typeof queuedEventResponse>;
export const queuedEventCollectionResponse = collectionOf("queued_events", queuedEventResponse);

export const assetStateStoreResponse = z.strictObject({
  key: z.string(),
  value: json,
  updated_at: wireInstant,
  last_updated_by: z
    .strictObject({
      kind: z.enum(["task", "watcher", "api"]),
      dag_id: z.string().nullable(),
      run_id: z.string().nullable(),
      task_id: z.string().nullable(),
      map_index: z.int().nullable(),
    })
    .nullable(),
});
export type AssetStateStoreResponse = z.infer<typeof assetStateStoreResponse>;
export const assetStateStoreCollectionResponse = collectionOf("asset_state_store", assetStateStoreResponse);
