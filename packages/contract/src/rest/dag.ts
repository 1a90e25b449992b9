/** DAGs, their tags, versions, sources and statistics. */
import { z } from "zod";
import { collectionOf, dagRunState, dagRunType, jsonObject, wireInstant, wireInstantOrNull } from "../wire.ts";

export const dagTagResponse = z.strictObject({ name: z.string(), dag_id: z.string(), dag_display_name: z.string() });

export const dagVersionResponse = z.strictObject({
  id: z.uuid(),
  version_number: z.int(),
  dag_id: z.string(),
  bundle_name: z.string().nullable(),
  bundle_version: z.string().nullable(),
  created_at: wireInstant,
  dag_display_name: z.string(),
  bundle_url: z.string().nullable(),
});
export type DagVersionResponse = z.infer<typeof dagVersionResponse>;
export const dagVersionCollectionResponse = collectionOf("dag_versions", dagVersionResponse);

export const dagResponse = z.strictObject({
  dag_id: z.string(),
  dag_display_name: z.string(),
  is_paused: z.boolean(),
  is_stale: z.boolean(),
  last_parsed_time: wireInstantOrNull,
  last_parse_duration: z.number().nullable(),
  last_expired: wireInstantOrNull,
  bundle_name: z.string().nullable(),
  bundle_version: z.string().nullable(),
  relative_fileloc: z.string().nullable(),
  fileloc: z.string(),
  description: z.string().nullable(),
  timetable_summary: z.string().nullable(),
  timetable_description: z.string().nullable(),
  timetable_partitioned: z.boolean(),
  timetable_periodic: z.boolean(),
  tags: z.array(dagTagResponse),
  max_active_tasks: z.int(),
  max_active_runs: z.int().nullable(),
  max_consecutive_failed_dag_runs: z.int(),
  has_task_concurrency_limits: z.boolean(),
  has_import_errors: z.boolean(),
  next_dagrun_logical_date: wireInstantOrNull,
  next_dagrun_data_interval_start: wireInstantOrNull,
  next_dagrun_data_interval_end: wireInstantOrNull,
  next_dagrun_run_after: wireInstantOrNull,
  allowed_run_types: z.array(dagRunType).nullable(),
  owners: z.array(z.string()),
  is_backfillable: z.boolean(),
  file_token: z.string(),
});
export type DagResponse = z.infer<typeof dagResponse>;
export const dagCollectionResponse = collectionOf("dags", dagResponse);

export const dagDetailsResponse = dagResponse.extend({
  catchup: z.boolean(),
  /** ISO 8601 duration. */
  dag_run_timeout: z.string().nullable(),
  asset_expression: jsonObject.nullable(),
  doc_md: z.string().nullable(),
  start_date: wireInstantOrNull,
  end_date: wireInstantOrNull,
  is_paused_upon_creation: z.boolean().nullable(),
  params: jsonObject.nullable(),
  render_template_as_native_obj: z.boolean(),
  template_search_path: z.array(z.string()).nullable(),
  timezone: z.string().nullable(),
  last_parsed: wireInstantOrNull,
  default_args: jsonObject.nullable(),
  rerun_with_latest_version: z.boolean().nullable(),
  owner_links: z.record(z.string(), z.string()).nullable(),
  is_favorite: z.boolean(),
  active_runs_count: z.int(),
  concurrency: z.int(),
  latest_dag_version: dagVersionResponse.nullable(),
});
export type DagDetailsResponse = z.infer<typeof dagDetailsResponse>;

export const dagPatchBody = z.strictObject({ is_paused: z.boolean() });

export const dagTagCollectionResponse = collectionOf("tags", z.string());

export const dagStatsResponse = z.strictObject({
  dag_id: z.string(),
  dag_display_name: z.string(),
  stats: z.array(z.strictObject({ state: dagRunState, count: z.int() })),
});
export const dagStatsCollectionResponse = collectionOf("dags", dagStatsResponse);

export const dagSourceResponse = z.strictObject({
  content: z.string().nullable(),
  dag_id: z.string(),
  version_number: z.int().nullable(),
  dag_display_name: z.string(),
});

export const importErrorResponse = z.strictObject({
  import_error_id: z.int(),
  timestamp: wireInstant,
  filename: z.string(),
  bundle_name: z.string().nullable(),
  stack_trace: z.string(),
});
export type ImportErrorResponse = z.infer<typeof importErrorResponse>;
export const importErrorCollectionResponse = collectionOf("import_errors", importErrorResponse);
