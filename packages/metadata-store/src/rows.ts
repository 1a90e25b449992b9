/** What the store takes and gives: announcements, requests, results, filters, rows. */
import type {
  AssetReference,
  DagRunState,
  DagRunType,
  Instant,
  Isolation,
  JsonValue,
  OutletEvent,
  SerializedDag,
  TaskInstanceState,
  TriggerEnd,
  TryBinding,
} from "@updraft/dag-core";

// ── What a transition leaves to be told ────────────────────────────────────────────────────────────────────────────

/** A try that became `queued`: offer it to the queue after commit. */
export interface QueuedTry {
  readonly ti_id: string;
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly try_number: number;
  readonly offer_number: number;
  readonly queue: string;
  readonly priority_weight: number;
  readonly artefact_hash: string;
  readonly isolation: Isolation;
}

export interface TaskInstanceChange {
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly try_number: number;
  readonly state: TaskInstanceState;
}

export interface DagRunChange {
  readonly dag_id: string;
  readonly run_id: string;
  readonly state: DagRunState;
  readonly run_type: DagRunType;
  readonly logical_date: Instant | null;
  readonly start_date: Instant | null;
  readonly end_date: Instant | null;
}

export interface Announcement {
  readonly queued: readonly QueuedTry[];
  readonly task_instances: readonly TaskInstanceChange[];
  readonly dag_runs: readonly DagRunChange[];
  readonly dags: readonly { readonly dag_id: string; readonly is_paused?: boolean; readonly removed?: boolean }[];
  readonly import_errors: readonly { readonly filename: string }[];
  /** A timer was set or a slot came free: the scheduler should look earlier than it planned. */
  readonly wake_scheduler: boolean;
}

// ── Workers' way in (behind the Task Execution API) ────────────────────────────────────────────────────────────────

export interface ClaimRequest {
  readonly ti_id: string;
  readonly try_number: number;
  readonly hostname: string;
  readonly unixname: string;
  readonly pid: number;
}

export interface ClaimedTry {
  readonly ti_id: string;
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly try_number: number;
  readonly max_tries: number;
  readonly should_retry: boolean;
  readonly artefact_hash: string;
  readonly operator_name: string;
  readonly execution_timeout: number | null;
  readonly do_xcom_push: boolean;
  readonly isolation: Isolation;
  /** How a try that waited goes on; null: from its beginning. */
  readonly next_method: string | null;
  readonly next_kwargs: Readonly<Record<string, JsonValue>> | null;
  /** How often this try was rescheduled, and when it looked first. */
  readonly task_reschedule_count: number;
  readonly first_task_reschedule_start_date: Instant | null;
  readonly start_date: Instant | null;
  readonly arg_bindings: readonly TryBinding[];
  /**
   * `return_value` of the upstream tasks that bindings name; of a mapped one the list of its instances' values. Absent
   * where there is none.
   */
  readonly xcom_inputs: Readonly<Record<string, JsonValue>>;
  /** Lists that are too long to be handed out here, with their length; they are read by their index. */
  readonly xcom_lists: Readonly<Record<string, number>>;
  readonly dag_run: DagRunRow;
  /** Events of assets that made the run, oldest first; absent where none did. */
  readonly consumed_asset_events?: readonly ConsumedAssetEvent[];
  /** Inlets and outlets of the task that are not active; absent where all are. */
  readonly inactive_assets?: readonly AssetReference[];
  /** How far the loop around the task has come; absent where there is none. */
  readonly loop?: LoopPosition;
}

export interface LoopPosition {
  /** From 0. */
  readonly index: number;
  readonly max_iterations: number;
  /** The result of the iteration before; null in the first. */
  readonly previous: JsonValue;
}

/** An event of an asset that made a run. */
export interface ConsumedAssetEvent {
  readonly name: string;
  readonly uri: string;
  readonly asset_extra: Readonly<Record<string, JsonValue>>;
  readonly extra: Readonly<Record<string, JsonValue>>;
  readonly source_task_id: string | null;
  readonly source_dag_id: string | null;
  readonly source_run_id: string | null;
  readonly source_map_index: number;
  readonly source_aliases: readonly string[];
  readonly timestamp: Instant;
  readonly partition_key: string | null;
}

export type ClaimResult =
  | { readonly kind: "claimed"; readonly try: ClaimedTry; readonly announcement: Announcement }
  /** Somebody else has it, a user cleared it, or it is over. `state` is what the row says; null where it is None. */
  | { readonly kind: "rejected"; readonly reason: "invalid_state"; readonly state: TaskInstanceState }
  | { readonly kind: "rejected"; readonly reason: "not_found" };

export type TryOutcome =
  | {
      readonly kind: "success";
      readonly xcoms: readonly { readonly key: string; readonly value: JsonValue }[];
      /** What the task says about the events of its outlets. */
      readonly outlet_events?: readonly OutletEvent[];
    }
  | {
      readonly kind: "failed";
      readonly retry: boolean;
      readonly reason: string | null;
      readonly retry_delay_seconds: number | null;
    }
  | { readonly kind: "skipped"; readonly reason: string | null }
  | { readonly kind: "removed"; readonly reason: string | null }
  | {
      readonly kind: "deferred";
      readonly classpath: string;
      readonly kwargs: Readonly<Record<string, JsonValue>>;
      /** Which triggerers may run the trigger; null: any. */
      readonly queue: string | null;
      readonly timeout_seconds: number | null;
      readonly next_method: string;
      readonly next_kwargs: Readonly<Record<string, JsonValue>>;
    }
  | {
      readonly kind: "awaiting_input";
      readonly timeout_seconds: number | null;
      readonly next_method: string;
      readonly next_kwargs: Readonly<Record<string, JsonValue>>;
    }
  | { readonly kind: "up_for_reschedule"; readonly reschedule_date: Instant };

export interface FinishRequest {
  readonly ti_id: string;
  readonly try_number: number;
  readonly outcome: TryOutcome;
  /** When the try ended by the worker's clock; never trusted for timers. */
  readonly end_date: Instant;
  /** What people see in place of the map index; absent or null: as it was. */
  readonly rendered_map_index?: string | null;
}

export type FinishResult =
  | { readonly kind: "finished"; readonly state: TaskInstanceState; readonly announcement: Announcement }
  /** The same final state was reported before. */
  | { readonly kind: "repeated"; readonly state: TaskInstanceState }
  | { readonly kind: "rejected"; readonly reason: "invalid_state" | "not_found"; readonly state: TaskInstanceState };

/** What a task asks people. */
export interface HitlQuestion {
  readonly options: readonly string[];
  readonly subject: string;
  readonly body: string | null;
  readonly defaults: readonly string[] | null;
  readonly multiple: boolean;
  readonly params: Readonly<Record<string, JsonValue>>;
  /** Empty: everybody may answer. */
  readonly assigned_users: readonly HitlUser[];
}

export interface HitlUser {
  readonly id: string;
  readonly name: string;
}

export interface HitlResponse {
  /** Null: the task itself answers. */
  readonly user: HitlUser | null;
  readonly chosen_options: readonly string[];
  readonly params_input: Readonly<Record<string, JsonValue>>;
}

export interface HitlDetailRow extends HitlQuestion {
  readonly ti_id: string;
  readonly created_at: Instant;
  readonly responded_at: Instant | null;
  readonly responded_by_user: HitlUser | null;
  readonly chosen_options: readonly string[] | null;
  readonly params_input: Readonly<Record<string, JsonValue>>;
}

export type RespondResult =
  | { readonly kind: "responded"; readonly detail: HitlDetailRow; readonly announcement: Announcement }
  | { readonly kind: "rejected"; readonly reason: "not_found" | "already_responded" | "not_assigned" }
  | { readonly kind: "rejected"; readonly reason: "invalid_answer"; readonly problem: string };

/** A trigger that a triggerer runs. `fence` names this hold: nothing of an older one counts. */
export interface HostedTrigger extends TriggerHold {
  readonly classpath: string;
  readonly kwargs: Readonly<Record<string, JsonValue>>;
  readonly artefact_hash: string;
  readonly ti_id: string;
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly try_number: number;
  readonly max_tries: number;
  readonly dag_run: DagRunRow;
}

export interface TriggerHold {
  readonly id: number;
  readonly fence: number;
}

export interface TriggererClaim {
  readonly triggerer: string;
  readonly capacity: number;
  readonly lease_seconds: number;
}

export interface TriggerReport extends TriggerHold {
  readonly end: TriggerEnd;
}

/** What a try that decides wants to be skipped below it. */
export interface SkipRequest {
  readonly ti_id: string;
  readonly try_number: number;
  readonly task_ids: readonly string[];
}

/** A watcher that a triggerer runs. */
export interface HostedWatcher extends TriggerHold {
  readonly classpath: string;
  readonly kwargs: Readonly<Record<string, JsonValue>>;
  readonly artefact_hash: string;
  readonly dag_id: string;
  readonly name: string;
  readonly asset_name: string;
  readonly asset_uri: string;
  /** The number of its last event. */
  readonly event_count: number;
}

export interface WatcherReport extends TriggerReport {
  /** The number of this event of the watcher, from 1. */
  readonly sequence: number;
}

export type HeartbeatResult = "alive" | "not_running" | "not_found";

// ── Rows, as read ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface DagRunRow {
  readonly dag_id: string;
  readonly run_id: string;
  readonly logical_date: Instant | null;
  readonly data_interval_start: Instant | null;
  readonly data_interval_end: Instant | null;
  readonly run_after: Instant;
  readonly run_type: DagRunType;
  readonly triggered_by: string;
  readonly triggering_user_name: string | null;
  readonly state: DagRunState;
  readonly conf: Readonly<Record<string, JsonValue>>;
  readonly note: string | null;
  readonly queued_at: Instant | null;
  readonly start_date: Instant | null;
  readonly end_date: Instant | null;
  readonly last_scheduling_decision: Instant | null;
  readonly clear_number: number;
  readonly partition_key: string | null;
  readonly dag_version_number: number;
}

export interface TaskInstanceRow {
  readonly id: string;
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly map_index: number;
  /** What people see in place of the map index. */
  readonly rendered_map_index: string | null;
  readonly logical_date: Instant | null;
  readonly run_after: Instant;
  readonly state: TaskInstanceState;
  /** Why the last transition happened, in a sentence. */
  readonly cause: string | null;
  readonly try_number: number;
  readonly max_tries: number;
  readonly start_date: Instant | null;
  readonly end_date: Instant | null;
  readonly scheduled_when: Instant | null;
  readonly queued_when: Instant | null;
  readonly next_retry_at: Instant | null;
  readonly last_heartbeat_at: Instant | null;
  readonly hostname: string | null;
  readonly unixname: string | null;
  readonly pid: number | null;
  readonly pool: string;
  readonly pool_slots: number;
  readonly queue: string;
  readonly priority_weight: number;
  readonly operator: string;
  readonly note: string | null;
  readonly dag_version_number: number;
  /** Of one that is deferred. */
  readonly deferral: DeferralRow | null;
}

/** A trigger, and the triggerer that runs it: none has it yet, or the engine keeps it. */
export interface DeferralRow {
  readonly id: number;
  readonly classpath: string;
  readonly kwargs: Readonly<Record<string, JsonValue>>;
  readonly queue: string | null;
  readonly created_date: Instant;
  readonly job: JobRow | null;
}

export interface DagRow {
  readonly dag_id: string;
  readonly dag_display_name: string;
  readonly description: string | null;
  readonly is_paused: boolean;
  readonly is_stale: boolean;
  readonly has_import_errors: boolean;
  readonly bundle_name: string;
  readonly relative_fileloc: string;
  readonly fileloc: string;
  readonly owners: readonly string[];
  readonly tags: readonly string[];
  readonly timetable_summary: string | null;
  readonly timetable_description: string;
  readonly timetable_periodic: boolean;
  /** Null: every type. */
  readonly allowed_run_types: readonly DagRunType[] | null;
  readonly max_active_runs: number;
  readonly max_active_tasks: number;
  readonly max_consecutive_failed_dag_runs: number;
  readonly next_dagrun_logical_date: Instant | null;
  readonly next_dagrun_data_interval_start: Instant | null;
  readonly next_dagrun_data_interval_end: Instant | null;
  readonly next_dagrun_run_after: Instant | null;
  readonly last_parsed_time: Instant | null;
  readonly last_parse_duration: number | null;
  readonly dag_version_number: number;
}

/** A tick that did not become a run, or a row of them, with the reason people see. */
export interface SkippedTicks {
  readonly dag_id: string;
  readonly first_tick: Instant;
  readonly last_tick: Instant;
  readonly count: number;
  readonly cause: string;
  readonly recorded_at: Instant;
}

export interface ImportErrorRow {
  readonly import_error_id: number;
  readonly timestamp: Instant;
  readonly filename: string;
  readonly bundle_name: string;
  readonly stack_trace: string;
}

// ── DAG files ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface ParsedFile {
  readonly relative_fileloc: string;
  readonly fileloc: string;
  readonly bundle_name: string;
  readonly dags: readonly SerializedDag[];
  /** The bundled module that workers run, and its SHA-256 (hex). */
  readonly artefact_hash: string;
  readonly artefact_code: string;
  /** What the author wrote, for the code view. */
  readonly source_code: string;
  readonly parse_duration_seconds: number;
  /** A DAG of this file that could not be read; the others still count. */
  readonly errors: readonly { readonly dag_id: string | null; readonly stack_trace: string }[];
}

// ── Triggering, lists ──────────────────────────────────────────────────────────────────────────────────────────────

export interface TriggerRequest {
  readonly dag_id: string;
  readonly run_id: string | null;
  readonly logical_date: Instant | null;
  readonly data_interval_start: Instant | null;
  readonly data_interval_end: Instant | null;
  readonly run_after: Instant | null;
  readonly conf: Readonly<Record<string, JsonValue>>;
  readonly note: string | null;
  readonly run_type: "manual" | "operator_triggered" | "asset_materialization";
  readonly triggered_by: "rest_api" | "ui" | "cli" | "operator";
  readonly triggering_user_name: string | null;
  readonly partition_key?: string | null;
}

export type TriggerResult =
  | { readonly kind: "created"; readonly dag_run: DagRunRow; readonly announcement: Announcement }
  | {
      readonly kind: "rejected";
      readonly reason: "dag_not_found" | "already_exists" | "dag_has_import_errors" | "bad_request";
      readonly message: string;
    };

/** `order_by`: a column of the row, "-" before it for descending. `limit` is bounded by the caller. */
export interface Page {
  readonly limit: number;
  readonly offset: number;
  readonly order_by: readonly string[];
}
export interface Listing<T> {
  readonly rows: readonly T[];
  readonly total_entries: number;
}

export interface ClearRequest {
  readonly dag_id: string;
  readonly run_id: string | null;
  /** Tasks, groups, or pairs of task and map index; null: all tasks. */
  readonly task_ids: readonly (string | readonly [string, number])[] | null;
  readonly start_date: Instant | null;
  readonly end_date: Instant | null;
  readonly only_failed: boolean;
  readonly only_running: boolean;
  readonly include_upstream: boolean;
  readonly include_downstream: boolean;
  readonly include_past: boolean;
  readonly include_future: boolean;
  readonly reset_dag_runs: boolean;
  /** Refused where a task that would be cleared is running. */
  readonly prevent_running_task: boolean;
  /** Values that the tasks keep over their tries stay. */
  readonly keep_task_state: boolean;
  /** Null: as the DAG says, else as configured, else no. */
  readonly run_on_latest_version: boolean | null;
  /** Nothing is cleared: the runs get the tasks that the newest version has and they have not. */
  readonly only_new: boolean;
  readonly note: string | null;
  readonly dry_run: boolean;
}

/** What clearing touched, or would touch. */
export type ClearResult =
  | {
      readonly kind: "cleared";
      readonly task_instances: readonly TaskInstanceRow[];
      /** With `only_new`: tasks that a run has no instance of. */
      readonly new_tasks: readonly string[];
      readonly announcement: Announcement;
    }
  | { readonly kind: "task_running"; readonly task_id: string; readonly run_id: string }
  | { readonly kind: "bad_request"; readonly message: string }
  | { readonly kind: "not_found"; readonly what: "dag" | "dag_run"; readonly id: string };

export interface MarkTaskRequest {
  readonly dag_id: string;
  readonly run_id: string;
  /** Tasks, groups, or pairs of task and map index. */
  readonly task_ids: readonly (string | readonly [string, number])[];
  readonly state: "success" | "failed" | "skipped";
  readonly include_upstream: boolean;
  readonly include_downstream: boolean;
  readonly include_past: boolean;
  readonly include_future: boolean;
  readonly dry_run: boolean;
}

/** What marking changed, or would change. */
export type MarkTaskResult =
  | {
      readonly kind: "marked";
      readonly task_instances: readonly TaskInstanceRow[];
      readonly announcement: Announcement;
    }
  | { readonly kind: "not_found"; readonly what: "dag" | "dag_run"; readonly id: string }
  | { readonly kind: "bad_request"; readonly message: string };

// ── Filters of lists; absent members don't filter ──────────────────────────────────────────────────────────────────

export interface InstantRange {
  readonly gte?: Instant | undefined;
  readonly gt?: Instant | undefined;
  readonly lte?: Instant | undefined;
  readonly lt?: Instant | undefined;
}

export interface DagFilter {
  readonly dag_ids?: readonly string[] | undefined;
  /** Matched anywhere in id or display name, without case; `%` and `_` are wildcards. */
  readonly dag_id_pattern?: string | undefined;
  readonly dag_display_name_pattern?: string | undefined;
  readonly dag_id_prefix?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly tags_match_all?: boolean | undefined;
  readonly owners?: readonly string[] | undefined;
  readonly paused?: boolean | undefined;
  readonly exclude_stale?: boolean | undefined;
  readonly has_import_errors?: boolean | undefined;
  readonly last_dag_run_state?: DagRunState | undefined;
}

export interface DagRunFilter {
  readonly dag_id?: string | undefined;
  readonly dag_ids?: readonly string[] | undefined;
  readonly run_ids?: readonly string[] | undefined;
  readonly run_id_pattern?: string | undefined;
  readonly states?: readonly DagRunState[] | undefined;
  readonly run_types?: readonly DagRunType[] | undefined;
  readonly triggering_user_name_pattern?: string | undefined;
  readonly logical_date?: InstantRange | undefined;
  readonly run_after?: InstantRange | undefined;
  readonly start_date?: InstantRange | undefined;
  readonly end_date?: InstantRange | undefined;
  readonly updated_at?: InstantRange | undefined;
}

/** The instances that a task of a run has in one state. */
export interface TaskStateCount {
  readonly run_id: string;
  readonly task_id: string;
  readonly state: TaskInstanceState;
  readonly count: number;
  /** Whether they have an index, as those of a mapped task that is expanded. */
  readonly is_expanded: boolean;
  readonly min_start_date: Instant | null;
  readonly max_end_date: Instant | null;
  readonly has_note: boolean;
  readonly dag_version_number: number;
}

export interface TaskInstanceFilter {
  readonly dag_id?: string | undefined;
  readonly run_id?: string | undefined;
  readonly task_id?: string | undefined;
  readonly map_index?: number | undefined;
  /** Only instances of mapped tasks, without placeholders. */
  readonly is_expanded?: boolean | undefined;
  readonly task_ids?: readonly string[] | undefined;
  readonly task_id_pattern?: string | undefined;
  /** "no_status" stands for None. */
  readonly states?: readonly string[] | undefined;
  readonly pools?: readonly string[] | undefined;
  readonly queues?: readonly string[] | undefined;
  readonly operators?: readonly string[] | undefined;
  readonly try_numbers?: readonly number[] | undefined;
  readonly logical_date?: InstantRange | undefined;
  readonly run_after?: InstantRange | undefined;
  readonly start_date?: InstantRange | undefined;
  readonly end_date?: InstantRange | undefined;
}

export interface HitlDetailFilter {
  readonly dag_id?: string | undefined;
  readonly run_id?: string | undefined;
  readonly dag_id_pattern?: string | undefined;
  readonly task_id?: string | undefined;
  readonly task_id_pattern?: string | undefined;
  readonly map_index?: number | undefined;
  readonly states?: readonly string[] | undefined;
  readonly response_received?: boolean | undefined;
  readonly responded_by_user_ids?: readonly string[] | undefined;
  readonly responded_by_user_names?: readonly string[] | undefined;
  readonly subject_pattern?: string | undefined;
  readonly body_pattern?: string | undefined;
  readonly created_at?: InstantRange | undefined;
}

// ── More rows ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface DagVersionRow {
  readonly id: string;
  readonly dag_id: string;
  readonly version_number: number;
  readonly bundle_name: string;
  readonly created_at: Instant;
  readonly dag_display_name: string;
}

/** A DAG with its newest form. */
export interface DagDetail {
  readonly row: DagRow;
  readonly form: SerializedDag;
  readonly version: DagVersionRow;
  readonly active_runs_count: number;
}

export interface XComRow {
  readonly key: string;
  readonly value: JsonValue;
  readonly timestamp: Instant;
  readonly logical_date: Instant | null;
  readonly run_after: Instant;
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly map_index: number;
}

/** Absent: from the start, to the end, each. */
export interface XComSlice {
  readonly start?: number | undefined;
  readonly stop?: number | undefined;
  readonly step?: number | undefined;
}

export interface XComAddress {
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly key: string;
}

/** The values of all instances of a task. */
export type XComListAddress = Omit<XComAddress, "map_index">;

/** `password` and `extra` are secrets; nothing but the Execution API hands them out. */
export interface ConnectionRow {
  readonly conn_id: string;
  readonly conn_type: string;
  readonly host: string | null;
  readonly schema: string | null;
  readonly login: string | null;
  readonly password: string | null;
  readonly port: number | null;
  readonly extra: string | null;
}

export interface UserRow {
  readonly username: string;
  /** scrypt, as `salt:hash` in hex. */
  readonly password_hash: string;
  /** False for the published default, which is good on loopback only. */
  readonly password_is_own: boolean;
}

export interface JobRow {
  readonly id: number;
  readonly job_type: string;
  readonly state: string;
  readonly hostname: string;
  readonly unixname: string;
  readonly start_date: Instant;
  readonly end_date: Instant | null;
  readonly latest_heartbeat: Instant;
  readonly log_server_url: string | null;
}

/** A role or worker that says it lives. `name` is unique per process. */
export interface JobReport {
  readonly name: string;
  readonly job_type: "SchedulerJob" | "DagProcessorJob" | "WorkerJob" | "ApiServerJob" | "TriggererJob";
  readonly state: "running" | "stopping" | "stopped";
  readonly hostname: string;
  readonly unixname: string;
  readonly queues?: readonly string[];
  readonly concurrency?: number;
  readonly running?: number;
  readonly log_server_url?: string | null;
}

export interface EventLogEntry {
  readonly event: string;
  readonly dag_id: string | null;
  readonly run_id: string | null;
  readonly task_id: string | null;
  readonly owner: string | null;
  readonly extra: string | null;
}

export interface EventLogRow extends EventLogEntry {
  readonly event_log_id: number;
  readonly when: Instant;
  readonly logical_date: Instant | null;
  readonly dag_display_name: string | null;
}

export interface EventLogFilter {
  readonly event_log_id?: number | undefined;
  readonly dag_id?: string | undefined;
  readonly task_id?: string | undefined;
  readonly run_id?: string | undefined;
  readonly owner?: string | undefined;
  readonly event?: string | undefined;
  readonly excluded_events?: readonly string[] | undefined;
  readonly included_events?: readonly string[] | undefined;
  readonly dag_id_pattern?: string | undefined;
  readonly task_id_pattern?: string | undefined;
  readonly run_id_pattern?: string | undefined;
  readonly owner_pattern?: string | undefined;
  readonly event_pattern?: string | undefined;
  readonly when?: InstantRange | undefined;
}

/** A pool and its slots; -1 is without limit. */
export interface PoolRow {
  readonly name: string;
  readonly slots: number;
  readonly description: string | null;
  /** Deferred tasks keep their slots. */
  readonly include_deferred: boolean;
  /** Slots in use, of any state that counts. */
  readonly occupied: number;
  readonly queued: number;
  readonly scheduled: number;
  readonly deferred: number;
}

export interface RunStateCount {
  readonly dag_id: string;
  readonly dag_display_name: string;
  readonly counts: Readonly<Record<DagRunState, number>>;
}
