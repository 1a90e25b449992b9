/** Backfills: what is asked for and shown. */
import { REPROCESS_BEHAVIORS } from "@updraft/dag-core";
import { z } from "zod";
import { collectionOf, jsonObject, wireInstant, wireInstantOrNull } from "../wire.ts";

export { REPROCESS_BEHAVIORS };

const reprocessBehavior = z.enum(REPROCESS_BEHAVIORS);
/** Airflow's default. */
export const BACKFILL_MAX_ACTIVE_RUNS = 10;

export const backfillResponse = z.strictObject({
  id: z.int().nonnegative(),
  dag_id: z.string(),
  from_date: wireInstant,
  to_date: wireInstant,
  dag_run_conf: jsonObject.nullable(),
  is_paused: z.boolean(),
  reprocess_behavior: reprocessBehavior,
  max_active_runs: z.int(),
  created_at: wireInstant,
  completed_at: wireInstantOrNull,
  updated_at: wireInstant,
  dag_display_name: z.string(),
});
export type BackfillResponse = z.infer<typeof backfillResponse>;
export const backfillCollectionResponse = collectionOf("backfills", backfillResponse);

/** An instant without an offset is UTC. The value is epoch milliseconds. */
const backfillDate = z.iso
  .datetime({ offset: true, local: true })
  .transform((text) => Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`));

export const backfillPostBody = z.strictObject({
  dag_id: z.string(),
  from_date: backfillDate,
  to_date: backfillDate,
  run_backwards: z.boolean().default(false),
  dag_run_conf: jsonObject.nullish(),
  reprocess_behavior: reprocessBehavior.default("none"),
  max_active_runs: z.int().default(BACKFILL_MAX_ACTIVE_RUNS),
  run_on_latest_version: z.boolean().nullish(),
});
export type BackfillPostBody = z.infer<typeof backfillPostBody>;

/** Partitions are Airflow's; no schedule here makes them yet. */
export const dryRunBackfillResponse = z.strictObject({
  logical_date: wireInstantOrNull,
  partition_key: z.string().nullable(),
  partition_date: wireInstantOrNull,
});
export const dryRunBackfillCollectionResponse = collectionOf("backfills", dryRunBackfillResponse);
