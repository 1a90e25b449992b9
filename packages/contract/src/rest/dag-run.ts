/** DAG runs: what is shown, triggered and patched. */
import { z } from "zod";
import {
  collectionOf,
  dagRunState,
  dagRunType,
  jsonObject,
  sentInstant,
  wireInstant,
  wireInstantOrNull,
} from "../wire.ts";
import { bulkBodyOf } from "./bulk.ts";
import { dagVersionResponse } from "./dag.ts";

export const DAG_RUN_TRIGGERS = [
  "cli",
  "operator",
  "rest_api",
  "ui",
  "test",
  "timetable",
  "asset",
  "backfill",
] as const;

export const dagRunResponse = z.strictObject({
  dag_run_id: z.string(),
  dag_id: z.string(),
  logical_date: wireInstantOrNull,
  queued_at: wireInstantOrNull,
  start_date: wireInstantOrNull,
  end_date: wireInstantOrNull,
  /** Seconds; of an unfinished run null. */
  duration: z.number().nullable(),
  data_interval_start: wireInstantOrNull,
  data_interval_end: wireInstantOrNull,
  run_after: wireInstant,
  last_scheduling_decision: wireInstantOrNull,
  run_type: dagRunType,
  state: dagRunState,
  triggered_by: z.enum(DAG_RUN_TRIGGERS).nullable(),
  triggering_user_name: z.string().nullable(),
  conf: jsonObject.nullable(),
  note: z.string().nullable(),
  dag_versions: z.array(dagVersionResponse),
  bundle_version: z.string().nullable(),
  dag_display_name: z.string(),
  partition_key: z.string().nullable(),
  partition_date: wireInstantOrNull,
});
export type DagRunResponse = z.infer<typeof dagRunResponse>;

/** Cursors are for keyset paging, which is not offered: they are always null. */
const cursors = {
  total_entries_limit: z.int().nullable(),
  next_cursor: z.string().nullable(),
  previous_cursor: z.string().nullable(),
};
export const dagRunCollectionResponse = collectionOf("dag_runs", dagRunResponse).extend(cursors);
/** Fields that lists of runs and of task instances have beside their rows. */
export const NO_CURSORS = Object.freeze({ total_entries_limit: null, next_cursor: null, previous_cursor: null });
export const cursorFields = cursors;

export const triggerDagRunBody = z.strictObject({
  dag_run_id: z.string().min(1).max(250).nullish(),
  data_interval_start: sentInstant.nullish(),
  data_interval_end: sentInstant.nullish(),
  logical_date: sentInstant.nullable(),
  run_after: sentInstant.nullish(),
  conf: jsonObject.nullish(),
  note: z.string().max(1000).nullish(),
  partition_key: z.string().nullish(),
});
export type TriggerDagRunBody = z.infer<typeof triggerDagRunBody>;

export const dagRunPatchBody = z.strictObject({
  state: z.enum(["queued", "success", "failed"]).nullish(),
  note: z.string().max(1000).nullish(),
});

const bulkDagRun = z.strictObject({
  dag_run_id: z.string(),
  dag_id: z.string().nullish(),
  ...dagRunPatchBody.shape,
});
export type BulkDagRun = z.output<typeof bulkDagRun>;
export const bulkDagRunBody = bulkBodyOf(bulkDagRun);

const dagRunClearFields = z.strictObject({
  dry_run: z.boolean().default(true),
  only_failed: z.boolean().default(false),
  only_new: z.boolean().default(false),
  run_on_latest_version: z.boolean().nullish(),
  note: z.string().max(1000).nullish(),
});
const notBoth = ({ only_failed, only_new }: { readonly only_failed: boolean; readonly only_new: boolean }) =>
  !(only_failed && only_new);
const NOT_BOTH = "only_failed and only_new are mutually exclusive";

export const dagRunClearBody = dagRunClearFields.refine(notBoth, NOT_BOTH);
export type DagRunClearBody = z.infer<typeof dagRunClearBody>;

export const bulkDagRunClearBody = dagRunClearFields
  .extend({ dag_runs: z.array(bulkDagRun).min(1) })
  .refine(notBoth, NOT_BOTH);
