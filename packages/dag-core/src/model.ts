/**
 * The words of the engine: states, rules and the canonical form of a DAG.
 *
 * Everything here is plain data. A `SerializedDag` is what the dag-processor stores, the scheduler reads and the
 * workers run; its canonical JSON decides whether a new version of a DAG exists. Durations are seconds, as in
 * Airflow's authoring API; instants are epoch milliseconds (UTC).
 */

/** Epoch milliseconds, UTC. */
export type Instant = number;

export const TASK_INSTANCE_STATES = [
  "scheduled",
  "queued",
  "running",
  "success",
  "failed",
  "skipped",
  "upstream_failed",
  "removed",
  "up_for_retry",
  "up_for_reschedule",
  "deferred",
  "awaiting_input",
  "restarting",
] as const;
/** Airflow's state `None` (nothing decided yet) is `null`. */
export type TaskInstanceState = (typeof TASK_INSTANCE_STATES)[number] | null;

export const FINISHED_STATES = ["success", "failed", "skipped", "upstream_failed", "removed"] as const;
export type FinishedState = (typeof FINISHED_STATES)[number];

export const DAG_RUN_STATES = ["queued", "running", "success", "failed"] as const;
export type DagRunState = (typeof DAG_RUN_STATES)[number];

export const DAG_RUN_TYPES = [
  "scheduled",
  "manual",
  "backfill",
  "operator_triggered",
  "asset_triggered",
  "asset_materialization",
] as const;
export type DagRunType = (typeof DAG_RUN_TYPES)[number];

export const TRIGGER_RULES = [
  "all_success",
  "all_failed",
  "all_done",
  "all_done_min_one_success",
  "all_done_setup_success",
  "one_success",
  "one_failed",
  "one_done",
  "none_failed",
  "none_failed_min_one_success",
  "none_skipped",
  "all_skipped",
  "always",
] as const;
export type TriggerRule = (typeof TRIGGER_RULES)[number];

export const WEIGHT_RULES = ["downstream", "upstream", "absolute"] as const;
export type WeightRule = (typeof WEIGHT_RULES)[number];

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Where a named input of a task comes from. */
export type ArgBinding =
  | { readonly name: string; readonly kind: "xcom"; readonly task_id: string }
  | { readonly name: string; readonly kind: "literal"; readonly value: JsonValue }
  /** What the mapped group around the task is mapped over, by its name there. */
  | { readonly name: string; readonly kind: "group"; readonly key: string };

/** A distance on the calendar: whole months first, then elapsed time. */
export interface TimeStep {
  readonly months: number;
  readonly seconds: number;
}

/** What triggers with a cron expression may have besides it; absent: a point in time, and the usual first run. */
export interface CronTriggerOptions {
  /** Length of the data interval that ends at the tick, in seconds. */
  readonly interval?: number;
  /**
   * The first run of a DAG without a start date: true takes the newest tick, a number takes it unless it is older than
   * so many seconds. Absent or false: unless it is older than a tenth of the gap, or five minutes.
   */
  readonly run_immediately?: boolean | number;
}

/** What decides when a DAG runs. */
export type Timetable = TimeTimetable | AssetTimetable;

/**
 * By time alone. Cron expressions carry five or six fields (seconds last) evaluated in `timezone`.
 * Triggers run at a tick; data intervals run when the period between two ticks is over.
 */
export type TimeTimetable =
  | { readonly type: "null" }
  | { readonly type: "once" }
  | { readonly type: "continuous" }
  | ({ readonly type: "cron"; readonly expression: string; readonly timezone: string } & CronTriggerOptions)
  | ({
      readonly type: "multiple_cron";
      readonly expressions: readonly string[];
      readonly timezone: string;
    } & CronTriggerOptions)
  | { readonly type: "cron_data_interval"; readonly expression: string; readonly timezone: string }
  /** An interval in seconds; ticks align to the epoch grid of the interval, so that a restart keeps the beat. */
  | { readonly type: "delta"; readonly seconds: number }
  /** Airflow's DeltaTriggerTimetable: counted from the last run. `interval` as for cron. */
  | { readonly type: "delta_trigger"; readonly step: TimeStep; readonly interval?: number }
  | { readonly type: "delta_data_interval"; readonly step: TimeStep }
  /** Fixed instants, ascending. Restricted: a manual run gets the newest of them as its data interval. */
  | { readonly type: "events"; readonly dates: readonly Instant[]; readonly restrict_to_events: boolean };

/** What decides by asset events, alone or together with a time-based timetable. */
export type AssetTimetable =
  | {
      readonly type: "asset";
      readonly condition: AssetCondition;
      readonly batch: boolean;
      /** Only events with a key count, and each mapped key has runs of its own; absent: only events without one. */
      readonly partition?: PartitionMapper;
    }
  /** Either makes a run. */
  | {
      readonly type: "asset_or_time";
      readonly condition: AssetCondition;
      readonly batch: boolean;
      readonly timetable: TimeTimetable;
    }
  /** A tick waits until the condition is met by events queued since the last run. */
  | { readonly type: "asset_and_time"; readonly condition: AssetCondition; readonly timetable: TimeTimetable };

/** Where the values come from that a task or group is mapped over. Literals are lists or dicts (pairs of key and value). */
export type MapSource =
  | { readonly kind: "literal"; readonly value: readonly JsonValue[] | { readonly [key: string]: JsonValue } }
  /** The `return_value` of an upstream task; of a mapped one the values of its instances, in their order. */
  | { readonly kind: "xcom"; readonly task_id: string }
  /** Each item through a function of the author's file, which is known by its number there. */
  | { readonly kind: "map"; readonly source: MapSource; readonly function: number }
  /** Lists of one item of each source; as long as the shortest, or with `fill` as the longest. */
  | {
      readonly kind: "zip";
      readonly sources: readonly MapSource[];
      readonly fill: { readonly value: JsonValue } | null;
    }
  /** One source after the other. */
  | { readonly kind: "concat"; readonly sources: readonly MapSource[] };

/**
 * What a task or group is mapped over. `product`: every combination of the named inputs, the last one varying fastest;
 * `list`: one instance for each dict of a list, whose keys are names of inputs.
 */
export type ExpandInput =
  | { readonly kind: "product"; readonly inputs: readonly { readonly name: string; readonly source: MapSource }[] }
  /** `strict`: a key that is given by partial as well fails the try; otherwise it wins. */
  | { readonly kind: "list"; readonly source: MapSource; readonly strict: boolean };

/** An asset by its identity; the uri is the name where the author gave none. */
export interface AssetIdentity {
  readonly name: string;
  readonly uri: string;
}

/** A trigger that runs while its asset is active; each of its events becomes an event of the asset. */
export interface AssetWatcher {
  readonly name: string;
  readonly classpath: string;
  readonly kwargs: Readonly<Record<string, JsonValue>>;
}

/** What a schedule, an inlet or an outlet names. References find an asset that is declared elsewhere. */
export type AssetReference =
  | (AssetIdentity & {
      readonly kind: "asset";
      readonly group: string;
      readonly extra: Readonly<Record<string, JsonValue>>;
      readonly watchers?: readonly AssetWatcher[];
    })
  | { readonly kind: "alias"; readonly name: string; readonly group: string }
  | { readonly kind: "name_ref"; readonly name: string }
  | { readonly kind: "uri_ref"; readonly uri: string };

export const PARTITION_GRAINS = ["hour", "day", "week", "month", "quarter", "year"] as const;
export type PartitionGrain = (typeof PARTITION_GRAINS)[number];

/** From the key of an asset event to the key of the run it belongs to. */
export type PartitionMapper =
  | { readonly kind: "identity" }
  | { readonly kind: "start_of"; readonly grain: PartitionGrain }
  | { readonly kind: "allowed_keys"; readonly keys: readonly string[] }
  /** Each part of a key, between "|", by a mapper of its own. */
  | { readonly kind: "product"; readonly mappers: readonly PartitionMapper[] }
  | { readonly kind: "chain"; readonly mappers: readonly PartitionMapper[] };

/** Which assets must have events before a DAG runs. */
export type AssetCondition =
  | AssetReference
  | { readonly kind: "all" | "any"; readonly conditions: readonly AssetCondition[] };

/** How a try is isolated: a warm process shared by the tries of one artefact, or a process of its own. */
export type Isolation = "warm" | "process";

/** The deferral with which a task begins. */
export interface StartFromTrigger {
  readonly classpath: string;
  readonly kwargs: Readonly<Record<string, JsonValue>>;
  /** Seconds. */
  readonly timeout: number | null;
  readonly next_method: string;
  readonly next_kwargs: Readonly<Record<string, JsonValue>>;
}

export interface SerializedTask {
  readonly task_id: string;
  /** Shown as `operator` in REST and UI: "TypeScriptOperator", "BashOperator", "TriggerDagRunOperator", ... */
  readonly operator_name: string;
  readonly arg_bindings: readonly ArgBinding[];
  /** Direct successors, sorted; the union of wiring edges and order edges. */
  readonly downstream_task_ids: readonly string[];
  readonly trigger_rule: TriggerRule;
  readonly owner: string;
  readonly retries: number;
  readonly retry_delay: number;
  readonly max_retry_delay: number | null;
  readonly retry_exponential_backoff: number;
  readonly execution_timeout: number | null;
  readonly queue: string;
  readonly pool: string;
  readonly pool_slots: number;
  readonly priority_weight: number;
  readonly weight_rule: WeightRule;
  readonly do_xcom_push: boolean;
  readonly depends_on_past: boolean;
  readonly wait_for_downstream: boolean;
  readonly ignore_first_depends_on_past: boolean;
  /** A rule's skip waits until the past dependencies are known to be met. */
  readonly wait_for_past_depends_before_skipping: boolean;
  readonly max_active_tis_per_dag: number | null;
  readonly max_active_tis_per_dagrun: number | null;
  readonly is_setup: boolean;
  readonly is_teardown: boolean;
  /** Of a teardown: its failure fails the run. */
  readonly on_failure_fail_dagrun: boolean;
  /** Does nothing: the engine moves it to success without a worker. */
  readonly is_empty: boolean;
  /** Waits for this before any worker runs it; null or absent: it starts on a worker. */
  readonly start_from_trigger?: StartFromTrigger | null;
  /** Mapped over this; null: one instance. */
  readonly expand: ExpandInput | null;
  readonly map_index_template: string | null;
  readonly inlets: readonly AssetReference[];
  /** Assets that a success of this task updates. */
  readonly outlets: readonly AssetReference[];
  readonly start_date: Instant | null;
  readonly end_date: Instant | null;
  /** True for deciders (`if`, `switch`): their `skipmixin_key` XCom decides again when a target is cleared. */
  readonly can_skip_downstream: boolean;
  readonly isolation: Isolation;
  readonly doc_md: string | null;
  /** The command of a bash task or the like, shown in the UI; never holds resolved secrets. */
  readonly ui_detail: string | null;
}

export interface SerializedLoop {
  /** The task after all others of the group; it returns whether the condition holds. */
  readonly gate_task_id: string;
  /** The task before it, whose result the next iteration gets. */
  readonly result_task_id: string;
  readonly max_iterations: number;
  /** False: it counts to `max_iterations`. */
  readonly has_condition: boolean;
}

export interface SerializedTaskGroup {
  /** Fully qualified id; null for the root. */
  readonly group_id: string | null;
  readonly label: string;
  /** The whole group is mapped over this; null: it is not. */
  readonly expand: ExpandInput | null;
  /** How often the whole group runs again after a task of it failed for good. */
  readonly retries: number;
  /** Seconds. */
  readonly retry_delay: number;
  /** Runs again until its condition holds; absent: it is no loop. */
  readonly loop?: SerializedLoop;
  readonly children: readonly ({ readonly task_id: string } | { readonly group: SerializedTaskGroup })[];
}

/** What a deadline is counted from; the names are Airflow's classes. */
export type DeadlineReference =
  | { readonly reference_type: "DagRunLogicalDateDeadline" }
  | { readonly reference_type: "DagRunQueuedAtDeadline" }
  | { readonly reference_type: "FixedDatetimeDeadline"; readonly datetime: Instant }
  /** From the run's creation on, the mean duration of the latest runs; none while fewer than `min_runs` have ended. */
  | { readonly reference_type: "AverageRuntimeDeadline"; readonly max_runs: number; readonly min_runs: number };

export interface DeadlineAlert {
  readonly name: string | null;
  readonly reference: DeadlineReference;
  /** Seconds after the reference; or the name of the variable that holds them when a run is created. */
  readonly interval: number | { readonly variable: string };
  /** The DAG that is triggered when the deadline is missed. */
  readonly callback: { readonly dag_id: string; readonly conf: Readonly<Record<string, JsonValue>> } | null;
}

export interface SerializedDag {
  readonly dag_id: string;
  readonly dag_display_name: string | null;
  readonly description: string | null;
  readonly doc_md: string | null;
  /** Path of the authored file, relative to the DAGs folder. */
  readonly relative_fileloc: string;
  readonly timetable: Timetable;
  readonly start_date: Instant | null;
  readonly end_date: Instant | null;
  readonly catchup: boolean;
  readonly max_active_runs: number;
  readonly max_active_tasks: number;
  readonly max_consecutive_failed_dag_runs: number;
  readonly dagrun_timeout: number | null;
  readonly fail_fast: boolean;
  /** How often a failed run runs again, what succeeded kept. */
  readonly retries: number;
  /** Seconds. */
  readonly retry_delay: number;
  /** Null: all types may be created. */
  readonly allowed_run_types: readonly DagRunType[] | null;
  /** Whether clearing and backfilling move a run to the newest version; null: as configured. */
  readonly rerun_with_latest_version: boolean | null;
  /** Unfinished runs follow the newest version; absent: as configured. */
  readonly disable_bundle_versioning?: boolean;
  /** Absent: none. */
  readonly deadlines?: readonly DeadlineAlert[];
  readonly is_paused_upon_creation: boolean | null;
  readonly tags: readonly string[];
  /** In declaration order. */
  readonly tasks: readonly SerializedTask[];
  readonly task_group: SerializedTaskGroup;
  /** `edge_labels[up][down]`. */
  readonly edge_labels: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
