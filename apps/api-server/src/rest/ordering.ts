/** `order_by` against the list of what a resource can be ordered by. Pure. */
import { ApiError, queryTexts } from "@updraft/contract";

/** Airflow's limit. */
const MOST_ORDERINGS = 10;

export const orderByQuery = { order_by: queryTexts };

/** The given names where all are allowed, `fallback` where there is none; throws `ApiError`. A "-" means descending. */
export function orderingOf(
  given: readonly string[],
  allowed: readonly string[],
  fallback: readonly string[],
): readonly string[] {
  const names = given.filter((name) => name !== "");
  if (names.length > MOST_ORDERINGS) {
    throw new ApiError("too_many_orderings", {
      most: MOST_ORDERINGS,
      given: `[${names.map((name) => `'${name}'`).join(", ")}]`,
    });
  }
  for (const name of names) {
    const attribute = name.replace(/^-/, "");
    if (!allowed.includes(attribute)) throw new ApiError("ordering_not_allowed", { attribute });
  }
  return names.length === 0 ? fallback : names;
}

export const DAG_ORDERINGS = [
  "dag_id",
  "dag_display_name",
  "next_dagrun",
  "next_dagrun_run_after",
  "state",
  "start_date",
  "last_run_state",
  "last_run_start_date",
  "last_parsed_time",
] as const;

export const DAG_RUN_ORDERINGS = [
  "id",
  "state",
  "dag_id",
  "run_id",
  "dag_run_id",
  "logical_date",
  "run_after",
  "start_date",
  "end_date",
  "updated_at",
  "conf",
  "run_type",
  "duration",
] as const;

export const TASK_INSTANCE_ORDERINGS = [
  "id",
  "dag_id",
  "run_id",
  "dag_run_id",
  "task_id",
  "task_display_name",
  "state",
  "duration",
  "start_date",
  "end_date",
  "map_index",
  "rendered_map_index",
  "try_number",
  "logical_date",
  "run_after",
  "data_interval_start",
  "data_interval_end",
  "operator",
] as const;

export const ASSET_ORDERINGS = ["id", "name", "uri", "created_at", "updated_at"] as const;
export const ASSET_ALIAS_ORDERINGS = ["id", "name"] as const;
export const ASSET_EVENT_ORDERINGS = [
  "source_task_id",
  "source_dag_id",
  "source_run_id",
  "source_map_index",
  "timestamp",
] as const;
export const XCOM_ORDERINGS = ["key", "timestamp", "dag_id", "run_id", "task_id"] as const;
export const IMPORT_ERROR_ORDERINGS = [
  "id",
  "import_error_id",
  "timestamp",
  "filename",
  "bundle_name",
  "stacktrace",
] as const;
export const JOB_ORDERINGS = ["id", "latest_heartbeat", "start_date", "job_type", "hostname"] as const;
export const DAG_VERSION_ORDERINGS = ["id", "version_number", "created_at"] as const;
