/** DAGs and their versions as REST v2 shows them. */

import type { DagDetailsResponse, DagResponse, DagVersionResponse } from "@updraft/contract";
import { refusedRunType } from "@updraft/dag-core";
import type { DagDetail, DagRow, DagVersionRow } from "@updraft/metadata-store";
import { iso } from "../http/iso.ts";
import { assetExpressionOf } from "./asset-expression.ts";

export function dagVersionResponseOf(version: DagVersionRow): DagVersionResponse {
  return {
    id: version.id,
    version_number: version.version_number,
    dag_id: version.dag_id,
    bundle_name: version.bundle_name,
    bundle_version: null,
    created_at: iso(version.created_at),
    dag_display_name: version.dag_display_name,
    bundle_url: null,
  };
}

export function dagResponseOf(dag: DagRow): DagResponse {
  return {
    dag_id: dag.dag_id,
    dag_display_name: dag.dag_display_name,
    is_paused: dag.is_paused,
    is_stale: dag.is_stale,
    last_parsed_time: iso(dag.last_parsed_time),
    last_parse_duration: dag.last_parse_duration,
    last_expired: null,
    bundle_name: dag.bundle_name,
    bundle_version: null,
    relative_fileloc: dag.relative_fileloc,
    fileloc: dag.fileloc,
    description: dag.description,
    timetable_summary: dag.timetable_summary,
    timetable_description: dag.timetable_description,
    timetable_partitioned: false,
    timetable_periodic: dag.timetable_periodic,
    tags: dag.tags.map((name) => ({ name, dag_id: dag.dag_id, dag_display_name: dag.dag_display_name })),
    max_active_tasks: dag.max_active_tasks,
    max_active_runs: dag.max_active_runs,
    max_consecutive_failed_dag_runs: dag.max_consecutive_failed_dag_runs,
    has_task_concurrency_limits: false,
    has_import_errors: dag.has_import_errors,
    next_dagrun_logical_date: iso(dag.next_dagrun_logical_date),
    next_dagrun_data_interval_start: iso(dag.next_dagrun_data_interval_start),
    next_dagrun_data_interval_end: iso(dag.next_dagrun_data_interval_end),
    next_dagrun_run_after: iso(dag.next_dagrun_run_after),
    allowed_run_types: dag.allowed_run_types === null ? null : [...dag.allowed_run_types],
    owners: [...dag.owners],
    is_backfillable: dag.timetable_periodic && refusedRunType(dag, "backfill") === null,
    file_token: Buffer.from(JSON.stringify([dag.bundle_name, dag.relative_fileloc])).toString("base64url"),
  };
}

export function dagDetailsResponseOf({ row, form, version, active_runs_count }: DagDetail): DagDetailsResponse {
  return {
    ...dagResponseOf(row),
    has_task_concurrency_limits: form.tasks.some(
      (task) => task.max_active_tis_per_dag !== null || task.max_active_tis_per_dagrun !== null,
    ),
    catchup: form.catchup,
    dag_run_timeout: form.dagrun_timeout === null ? null : isoDuration(form.dagrun_timeout),
    asset_expression: assetExpressionOf(form.timetable),
    doc_md: form.doc_md,
    start_date: iso(form.start_date),
    end_date: iso(form.end_date),
    is_paused_upon_creation: form.is_paused_upon_creation,
    params: {},
    render_template_as_native_obj: false,
    template_search_path: null,
    timezone: "timezone" in form.timetable ? form.timetable.timezone : "UTC",
    last_parsed: iso(row.last_parsed_time),
    default_args: null,
    rerun_with_latest_version: form.rerun_with_latest_version,
    owner_links: null,
    is_favorite: false,
    active_runs_count,
    concurrency: row.max_active_tasks,
    latest_dag_version: dagVersionResponseOf(version),
  };
}

/** Seconds as an ISO 8601 duration. */
function isoDuration(seconds: number): string {
  const [days, rest] = [Math.floor(seconds / 86_400), seconds % 86_400];
  const [hours, minutes, left] = [Math.floor(rest / 3600), Math.floor((rest % 3600) / 60), rest % 60];
  const time = `${hours > 0 ? `${hours}H` : ""}${minutes > 0 ? `${minutes}M` : ""}${left > 0 ? `${left}S` : ""}`;
  const date = days > 0 ? `${days}D` : "";
  return date === "" && time === "" ? "PT0S" : `P${date}${time === "" ? "" : `T${time}`}`;
}
