/** What the store gives and takes about assets. */
import type { AssetReference, DagRunState, Instant, JsonValue } from "@updraft/dag-core";
import type { Announcement, InstantRange, Listing, Page } from "./rows.ts";

type Extra = Readonly<Record<string, JsonValue>>;

export interface AssetRow {
  readonly id: number;
  readonly name: string;
  readonly uri: string;
  readonly group: string;
  readonly extra: Extra;
  readonly created_at: Instant;
  readonly updated_at: Instant;
  readonly last_event_id: number | null;
  readonly last_event_at: Instant | null;
}

/** A DAG or a task that names an asset. */
export interface AssetUse {
  readonly asset_id: number;
  readonly kind: "scheduled_dag" | "producing_task" | "consuming_task";
  readonly dag_id: string;
  /** Null for a schedule. */
  readonly task_id: string | null;
  readonly created_at: Instant;
  readonly updated_at: Instant;
}

export interface AssetAliasRow {
  readonly id: number;
  readonly name: string;
  readonly group: string;
}

/** A watcher of an asset that runs, or waits for a triggerer. */
export interface AssetWatcherRow {
  readonly name: string;
  readonly trigger_id: number;
  readonly created_date: Instant;
}

/** An asset with everything that names it. */
export interface AssetDetail extends AssetRow {
  readonly watchers: readonly AssetWatcherRow[];
  readonly uses: readonly AssetUse[];
  readonly aliases: readonly AssetAliasRow[];
}

export interface AssetFilter {
  readonly name_pattern?: string | undefined;
  readonly name_prefix?: string | undefined;
  readonly uri_pattern?: string | undefined;
  readonly uri_prefix?: string | undefined;
  /** Named by one of these, in its schedule or by its tasks. */
  readonly dag_ids?: readonly string[] | undefined;
  readonly only_active?: boolean | undefined;
}

export interface AssetEventRow {
  readonly id: number;
  readonly asset_id: number;
  readonly name: string;
  readonly uri: string;
  readonly group: string;
  readonly asset_extra: Extra;
  readonly extra: Extra;
  readonly source_task_id: string | null;
  readonly source_dag_id: string | null;
  readonly source_run_id: string | null;
  readonly source_map_index: number;
  readonly timestamp: Instant;
  readonly partition_key: string | null;
  readonly source_aliases: readonly string[];
  readonly created_dagruns: readonly AssetEventRun[];
}

/** A run that consumed an event. */
export interface AssetEventRun {
  readonly dag_id: string;
  readonly run_id: string;
  readonly state: DagRunState;
  readonly logical_date: Instant | null;
  readonly data_interval_start: Instant | null;
  readonly data_interval_end: Instant | null;
  readonly queued_at: Instant | null;
  readonly start_date: Instant | null;
  readonly end_date: Instant | null;
  /** The newest event of the run, which made it; the others were waiting already. */
  readonly triggering: boolean;
}

export interface AssetEventFilter {
  readonly asset_id?: number | undefined;
  /** Of active assets. */
  readonly asset_name?: string | undefined;
  readonly asset_uri?: string | undefined;
  readonly alias_name?: string | undefined;
  readonly name_pattern?: string | undefined;
  readonly name_prefix?: string | undefined;
  readonly source_dag_id?: string | undefined;
  readonly source_task_id?: string | undefined;
  readonly source_run_id?: string | undefined;
  readonly source_map_index?: number | undefined;
  readonly timestamp?: InstantRange | undefined;
  /** Consumed by this run. */
  readonly consumed_by?: { readonly dag_id: string; readonly run_id: string } | undefined;
}

export interface NewAssetEventRequest {
  readonly asset_id: number;
  readonly extra: Extra;
  readonly partition_key: string | null;
}

export type NewAssetEventResult =
  | { readonly kind: "created"; readonly event: AssetEventRow; readonly announcement: Announcement }
  /** There is no such asset, or no DAG names it any more. */
  | { readonly kind: "not_found" };

export interface QueuedAssetEventRow {
  readonly dag_id: string;
  readonly asset_id: number;
  readonly created_at: Instant;
  readonly dag_display_name: string;
}

export interface QueuedAssetEventFilter {
  readonly dag_id?: string | undefined;
  readonly asset_id?: number | undefined;
  readonly created_at?: InstantRange | undefined;
}

/** Who writes a state of an asset. */
export type AssetStateWriter =
  | { readonly kind: "api" | "watcher" }
  | {
      readonly kind: "task";
      readonly dag_id: string;
      readonly run_id: string;
      readonly task_id: string;
      readonly map_index: number;
    };

export interface AssetStateRow {
  readonly key: string;
  readonly value: JsonValue;
  readonly updated_at: Instant;
  readonly last_updated_by_kind: AssetStateWriter["kind"];
  readonly dag_id: string | null;
  readonly run_id: string | null;
  readonly task_id: string | null;
  readonly map_index: number | null;
}

/** An asset that the schedule of a DAG waits for, with what came. */
export interface AwaitedAsset {
  readonly id: number;
  readonly name: string;
  readonly uri: string;
  readonly is_active: boolean;
  /** Of the newest queued event. */
  readonly last_update: Instant | null;
  readonly queued: number;
}

/** Assets: what names them, their events, and what waits for those. */
export interface AssetStore {
  listAssets(filter: AssetFilter, page: Page): Promise<Listing<AssetDetail>>;
  getAsset(id: number): Promise<AssetDetail | null>;
  /** Active ones with this name or this uri, or every member of this alias. */
  findAssets(by: {
    readonly name?: string | undefined;
    readonly uri?: string | undefined;
    readonly alias?: string | undefined;
  }): Promise<readonly AssetRow[]>;
  listAssetAliases(
    filter: {
      readonly id?: number | undefined;
      readonly name_pattern?: string | undefined;
      readonly name_prefix?: string | undefined;
    },
    page: Page,
  ): Promise<Listing<AssetAliasRow>>;
  listAssetEvents(filter: AssetEventFilter, page: Page): Promise<Listing<AssetEventRow>>;
  createAssetEvent(request: NewAssetEventRequest): Promise<NewAssetEventResult>;
  /** Oldest first. */
  queuedAssetEvents(filter: QueuedAssetEventFilter): Promise<readonly QueuedAssetEventRow[]>;
  /** How many were removed. */
  deleteQueuedAssetEvents(filter: QueuedAssetEventFilter): Promise<number>;
  /** Assets that the schedule of a DAG names, or finds by a reference. */
  awaitedAssets(dagId: string): Promise<readonly AwaitedAsset[]>;
  /** Inlets and outlets of a task instance that are not active; null where there is no such instance. */
  inactiveAssets(tiId: string): Promise<readonly AssetReference[] | null>;
  listAssetStates(assetId: number, page: Page): Promise<Listing<AssetStateRow>>;
  getAssetState(assetId: number, key: string): Promise<AssetStateRow | null>;
  setAssetState(
    assetId: number,
    entry: { readonly key: string; readonly value: JsonValue; readonly writer: AssetStateWriter },
  ): Promise<void>;
  deleteAssetState(assetId: number, key: string): Promise<void>;
  clearAssetStates(assetId: number): Promise<void>;
}
