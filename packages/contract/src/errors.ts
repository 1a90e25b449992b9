/**
 * The error catalogue of the HTTP APIs: code, status and the text people and clients see. Texts are Airflow's wherever
 * Airflow has the case; `{name}` is filled in. Bodies are `{ detail: text }`, or `{ detail: { reason, message } }` below
 * `/execution`.
 */

interface CatalogueEntry {
  readonly status: number;
  readonly template: string;
}

const CATALOGUE = {
  // ── Who are you ──
  not_authenticated: { status: 401, template: "Not authenticated" },
  invalid_token: { status: 401, template: "Invalid JWT token" },
  expired_token: { status: 401, template: "Token Expired" },
  wrong_credentials: { status: 401, template: "Invalid credentials" },
  forbidden: { status: 403, template: "Forbidden" },
  login_not_loopback: {
    status: 403,
    template:
      "The published default password works on this machine only. Set UPDRAFT__API__ADMIN_PASSWORD and sign in with it.",
  },
  foreign_origin: {
    status: 403,
    template: "The request comes from another site; send it from this server's own pages.",
  },
  too_many_logins: { status: 429, template: "Too many failed logins; try again in {seconds} seconds." },
  metrics_not_loopback: { status: 403, template: "Metrics are served to this machine only." },

  // ── The request itself ──
  route_not_found: { status: 404, template: "Not Found" },
  method_not_allowed: { status: 405, template: "Method Not Allowed" },
  not_acceptable: {
    status: 406,
    template: "Only application/json or text/plain is supported",
  },
  body_too_large: { status: 413, template: "The body is larger than {limit} bytes." },
  unsupported_media_type: { status: 415, template: "Unsupported Media Type" },
  bad_request: { status: 400, template: "{message}" },
  bad_path: { status: 400, template: "The address can't be read: a part of it is not valid percent-encoding." },
  ordering_not_allowed: {
    status: 400,
    template: "Ordering with '{attribute}' is disallowed or the attribute does not exist on the model",
  },
  too_many_orderings: {
    status: 400,
    template: "Ordering with more than {most} parameters is not allowed. Provided: {given}",
  },
  invalid_filter: { status: 422, template: "Invalid value for {name}. Valid values are {values}" },
  internal: { status: 500, template: "Internal server error" },
  unavailable: { status: 503, template: "{message}" },

  // ── DAGs ──
  dag_not_found: { status: 404, template: "The Dag with ID: `{dag_id}` was not found" },
  dag_to_patch_not_found: { status: 404, template: "Dag with id: {dag_id} was not found" },
  dag_to_trigger_not_found: { status: 404, template: "Dag with dag_id: '{dag_id}' not found" },
  dag_has_import_errors: {
    status: 400,
    template: "Dag with dag_id: '{dag_id}' has import errors and cannot be triggered",
  },
  only_is_paused: { status: 400, template: "Only `is_paused` field can be updated through the REST API" },
  dag_version_not_found: {
    status: 404,
    template: "The DagVersion with dag_id: `{dag_id}` and version_number: `{version_number}` was not found",
  },
  dag_source_not_found: {
    status: 404,
    template: "The source code of the Dag {dag_id}, version_number {version_number} was not found",
  },
  task_not_found: { status: 404, template: "Task with id {task_id} was not found" },
  import_error_not_found: {
    status: 404,
    template: "The ImportError with import_error_id: `{import_error_id}` was not found",
  },
  event_log_not_found: { status: 404, template: "The Event Log with id: `{event_log_id}` not found" },
  pool_exists: { status: 409, template: "The Pool with name: `{pool_name}` already exists" },
  pool_not_found: { status: 404, template: "The Pool with name: `{pool_name}` was not found" },

  // ── Assets ──
  asset_not_found: { status: 404, template: "The Asset with ID: `{asset_id}` was not found" },
  asset_of_event_not_found: { status: 404, template: "Asset with ID: `{asset_id}` was not found" },
  asset_alias_not_found: { status: 404, template: "The Asset Alias with ID: `{asset_alias_id}` was not found" },
  asset_has_no_producer: { status: 404, template: "No DAG materializes asset with ID: {asset_id}" },
  asset_has_many_producers: { status: 409, template: "More than one DAG materializes asset with ID: {asset_id}" },
  asset_state_not_found: { status: 404, template: "Asset state store key '{key}' of asset {asset_id} not found" },
  queued_event_not_found: {
    status: 404,
    template: "Queued event with dag_id: `{dag_id}` and asset_id: `{asset_id}` was not found",
  },
  queued_event_of_dag_not_found: { status: 404, template: "Queue event with dag_id: `{dag_id}` was not found" },
  queued_event_of_asset_not_found: { status: 404, template: "Queue event with asset_id: `{asset_id}` was not found" },
  dependencies_not_found: {
    status: 404,
    template:
      "Unique connected component not found, got [] for connected components of node {node_id}, expected only 1 connected component.",
  },

  // ── Runs and task instances ──
  dag_run_not_found: {
    status: 404,
    template: "The DagRun with dag_id: `{dag_id}` and run_id: `{dag_run_id}` was not found",
  },
  dag_run_exists: { status: 409, template: "{message}" },
  task_instance_not_found: {
    status: 404,
    template:
      "The Task Instance with dag_id: `{dag_id}`, run_id: `{dag_run_id}` and task_id: `{task_id}` was not found",
  },
  task_instance_is_mapped: { status: 404, template: "Task instance is mapped, add the map_index value to the URL" },
  mapped_task_instance_not_found: {
    status: 404,
    template:
      "The Mapped Task Instance with dag_id: `{dag_id}`, run_id: `{dag_run_id}`, task_id: `{task_id}`, and map_index: `{map_index}` was not found",
  },
  task_instance_tries_not_found: {
    status: 404,
    template:
      "The Task Instance with dag_id: `{dag_id}`, run_id: `{dag_run_id}`, task_id: `{task_id}` and map_index: `{map_index}` was not found",
  },
  task_instance_try_not_found: {
    status: 404,
    template:
      "The Task Instance with dag_id: `{dag_id}`, run_id: `{dag_run_id}`, task_id: `{task_id}`, try_number: `{try_number}` and map_index: `{map_index}` was not found",
  },
  dag_run_not_deletable: {
    status: 409,
    template:
      "The DagRun with dag_id: `{dag_id}` and run_id: `{dag_run_id}` cannot be deleted in running state; mark it as failed first.",
  },
  task_already_in_state: { status: 409, template: "Task id {task_id} is already in {state} state" },
  task_group_not_found: {
    status: 404,
    template: "Task group {group_id} was not found in this run's version of the DAG",
  },
  task_not_mapped: { status: 404, template: "Task id {task_id} is not mapped" },
  task_running_conflict: {
    status: 409,
    template:
      "Task instance is already running: {task_id} in run {dag_run_id}. Clear it without prevent_running_task to end it.",
  },
  hitl_detail_not_found: {
    status: 404,
    template: "Human-in-the-loop detail of the Task Instance with id {ti_id} was not found",
  },
  hitl_detail_answered: {
    status: 409,
    template:
      "Human-in-the-loop detail has already been updated for Task Instance with id {ti_id} and is not allowed to write again.",
  },
  hitl_not_a_respondent: {
    status: 403,
    template: "User {user} is not among the users who may respond to this task.",
  },
  backfill_unknown: { status: 404, template: "Backfill not found" },
  backfill_not_found: { status: 404, template: "Could not find backfill with id {backfill_id}" },
  backfill_completed: { status: 409, template: "Backfill is already completed." },
  backfill_dag_not_found: { status: 404, template: "{message}" },
  backfill_running: { status: 409, template: "{message}" },
  backfill_invalid: { status: 422, template: "{message}" },
  xcom_not_found: { status: 404, template: "XCom entry with key: `{xcom_key}` not found" },
  log_not_found: { status: 404, template: "TaskInstance not found" },
  bad_log_token: { status: 400, template: "Bad Signature. Please use only the tokens provided by the API." },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof CATALOGUE;

/** An answer that is an error of the catalogue. `detail` is the body's. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: unknown;

  constructor(code: ErrorCode, values: Readonly<Record<string, string | number>> = {}, detail?: unknown) {
    const { status, template } = CATALOGUE[code];
    const message = fill(template, values);
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.detail = detail ?? message;
  }
}

/** Parts in braces become values; one that is not given stays, so that a mistake shows. */
function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
