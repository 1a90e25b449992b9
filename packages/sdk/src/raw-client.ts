/**
 * What the host of a try gives the SDK: the facts of the try, its way to the metadata, and where its records go.
 *
 * The task process implements `RawClient` over the Task Execution API with a token that is good for one try.
 */
import type { DagRunState, DagRunType, JsonValue } from "@updraft/dag-core";

/** The facts of one try. Instants are ISO 8601. */
export interface RunContext {
  readonly dag_id: string;
  readonly task_id: string;
  readonly run_id: string;
  readonly try_number: number;
  readonly map_index: number;
  readonly logical_date: string | null;
  readonly data_interval_start: string | null;
  readonly data_interval_end: string | null;
  readonly run_after: string;
  readonly conf: Readonly<Record<string, JsonValue>>;
  readonly run_type: DagRunType;
  readonly max_tries: number;
  /** How a try that waited goes on; absent where it starts. */
  readonly resumption?: { readonly method: string; readonly kwargs: Readonly<Record<string, JsonValue>> };
  /** How often this try was rescheduled, and when it looked first; absent: never. */
  readonly reschedules?: { readonly count: number; readonly first_start: string };
  /** How far the loop around the task has come; absent where there is none. */
  readonly loop?: { readonly index: number; readonly max_iterations: number; readonly previous: JsonValue };
  readonly partition_key?: string | null;
  /** Events of assets that made the run; absent where none did. */
  readonly consumed_asset_events?: readonly ConsumedAssetEvent[];
}

/** What a task asks people, as the Execution API takes it. */
export interface HitlQuestion {
  readonly options: readonly string[];
  readonly subject: string;
  readonly body: string | null;
  readonly defaults: readonly string[] | null;
  readonly multiple: boolean;
  readonly params: Readonly<Record<string, JsonValue>>;
  readonly assigned_users: readonly { readonly id: string; readonly name: string }[];
}

/** An event of an asset. */
export interface RawAssetEvent {
  readonly asset: { readonly name: string; readonly uri: string };
  readonly extra: Readonly<Record<string, JsonValue>> | null;
  readonly source_task_id: string | null;
  readonly source_dag_id: string | null;
  readonly source_run_id: string | null;
  readonly source_map_index: number | null;
  readonly timestamp: string;
  readonly partition_key?: string | null;
}

/** An event of an asset that a run consumed. */
export interface ConsumedAssetEvent extends RawAssetEvent {
  readonly asset: {
    readonly name: string;
    readonly uri: string;
    readonly extra: Readonly<Record<string, JsonValue>>;
  };
  readonly extra: Readonly<Record<string, JsonValue>>;
  readonly source_aliases: readonly { readonly name: string }[];
}

/** Whose events are asked for. */
export type AssetEventLocator =
  | AssetLocator
  | { readonly name: string; readonly uri: string }
  | { readonly alias: string };

export interface AssetEventRange {
  /** Instants in ISO 8601; null: no bound. */
  readonly after: string | null;
  readonly before: string | null;
  readonly ascending: boolean;
  readonly limit: number | null;
}

/** An asset as its state store is asked for. */
export type AssetLocator = { readonly name: string } | { readonly uri: string };

/** A connection as the Execution API answers it. */
export interface RawConnection {
  readonly conn_id: string;
  readonly conn_type: string;
  readonly host: string | null;
  readonly schema: string | null;
  readonly login: string | null;
  readonly password: string | null;
  readonly port: number | null;
  readonly extra: string | null;
}

export interface XComLocator {
  readonly dagId: string;
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly key: string;
}

/** One key of all instances of a mapped task. */
export type XComListLocator = Omit<XComLocator, "mapIndex">;

/** Part of a list; negative numbers count from its end. */
export interface XComSlice {
  readonly start?: number | undefined;
  readonly stop?: number | undefined;
}

/** Seconds, for ever, or the installation's default. */
export type Retention = number | "never_expire" | null;

export interface TriggerRequest {
  readonly dagId: string;
  readonly runId: string;
  readonly conf: Readonly<Record<string, JsonValue>>;
  readonly logicalDate: string | null;
  readonly runAfter: string | null;
  readonly note: string | null;
  readonly resetDagRun: boolean;
}

export interface RawClient {
  getVariable(key: string): Promise<string | null>;
  setVariable(key: string, value: string, description?: string): Promise<void>;
  deleteVariable(key: string): Promise<void>;
  getXCom(
    locator: XComLocator & { readonly includePriorDates: boolean },
  ): Promise<{ readonly found: boolean; readonly value: JsonValue }>;
  /** The values of all instances of a mapped task, in their order, without those that pushed none. */
  getXComs(locator: Omit<XComLocator, "mapIndex"> & { readonly includePriorDates: boolean }): Promise<JsonValue[]>;
  /** Of the values of all instances of a mapped task, in their order, without those that pushed none. */
  sliceXComs(locator: XComListLocator, slice: XComSlice): Promise<JsonValue[]>;
  countXComs(locator: XComListLocator): Promise<number>;
  setXCom(locator: XComLocator, value: JsonValue): Promise<void>;
  getConnection(connectionId: string): Promise<RawConnection | null>;
  getTaskState(key: string): Promise<JsonValue>;
  setTaskState(key: string, value: JsonValue, retention: Retention): Promise<void>;
  deleteTaskState(key: string): Promise<void>;
  clearTaskState(): Promise<void>;
  getAssetEvents(of: AssetEventLocator, range: AssetEventRange): Promise<readonly RawAssetEvent[]>;
  getAssetState(asset: AssetLocator, key: string): Promise<JsonValue>;
  setAssetState(asset: AssetLocator, key: string, value: JsonValue): Promise<void>;
  deleteAssetState(asset: AssetLocator, key: string): Promise<void>;
  clearAssetState(asset: AssetLocator): Promise<void>;
  skipDownstream(taskIds: readonly string[]): Promise<void>;
  askPeople(question: HitlQuestion): Promise<void>;
  triggerDagRun(request: TriggerRequest): Promise<"created" | "already_exists">;
  getDagRunState(dagId: string, runId: string): Promise<DagRunState | string>;
  getDag(dagId: string): Promise<{ readonly is_paused: boolean }>;
  maskSecret(value: string): void;
}

export type LogLevel = "debug" | "info" | "warning" | "error";

/** One structured line of a task's log; `event` is the text. */
export interface LogRecord {
  readonly timestamp: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly logger: string;
  readonly [field: string]: JsonValue;
}
