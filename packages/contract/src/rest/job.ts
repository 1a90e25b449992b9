/** Jobs (the heartbeats of the roles), pools, the audit log. */
import { z } from "zod";
import { collectionOf, wireInstant, wireInstantOrNull } from "../wire.ts";
import { bulkBodyOf } from "./bulk.ts";

export const jobResponse = z.strictObject({
  id: z.int(),
  dag_id: z.string().nullable(),
  state: z.string().nullable(),
  job_type: z.string().nullable(),
  start_date: wireInstantOrNull,
  end_date: wireInstantOrNull,
  latest_heartbeat: wireInstantOrNull,
  executor_class: z.string().nullable(),
  hostname: z.string().nullable(),
  unixname: z.string().nullable(),
  dag_display_name: z.string().nullable(),
});
export type JobResponse = z.infer<typeof jobResponse>;
export const jobCollectionResponse = collectionOf("jobs", jobResponse);

export const poolResponse = z.strictObject({
  name: z.string(),
  slots: z.int().min(-1),
  description: z.string().nullable(),
  include_deferred: z.boolean(),
  occupied_slots: z.int(),
  running_slots: z.int(),
  queued_slots: z.int(),
  scheduled_slots: z.int(),
  open_slots: z.int(),
  deferred_slots: z.int(),
  team_name: z.string().nullable(),
});
export type PoolResponse = z.infer<typeof poolResponse>;
export const poolBody = z.strictObject({
  name: z.string().min(1).max(256),
  slots: z.int().min(-1),
  description: z.string().nullish(),
  include_deferred: z.boolean().default(false),
  team_name: z.string().max(50).nullish(),
});
export type PoolBody = z.output<typeof poolBody>;
export const poolPatchBody = z.strictObject({
  pool: z.string().nullish(),
  slots: z.int().min(-1).nullish(),
  description: z.string().nullish(),
  include_deferred: z.boolean().nullish(),
  team_name: z.string().max(50).nullish(),
});
export type PoolPatchBody = z.output<typeof poolPatchBody>;
export const bulkPoolBody = bulkBodyOf(poolBody);

export const poolCollectionResponse = collectionOf("pools", poolResponse);

export const eventLogResponse = z.strictObject({
  event_log_id: z.int(),
  when: wireInstant,
  dag_id: z.string().nullable(),
  task_id: z.string().nullable(),
  run_id: z.string().nullable(),
  map_index: z.int().nullable(),
  try_number: z.int().nullable(),
  event: z.string(),
  logical_date: wireInstantOrNull,
  owner: z.string().nullable(),
  extra: z.string().nullable(),
  dag_display_name: z.string().nullable(),
  task_display_name: z.string().nullable(),
});
export type EventLogResponse = z.infer<typeof eventLogResponse>;
export const eventLogCollectionResponse = collectionOf("event_logs", eventLogResponse);
