/** Backfills as the store takes and gives them. */
import type { BackfillRange, Instant, JsonValue, ReprocessBehavior } from "@updraft/dag-core";
import type { Announcement, Listing, Page } from "./rows.ts";

export interface BackfillRow {
  readonly id: number;
  readonly dag_id: string;
  readonly dag_display_name: string;
  readonly from_date: Instant;
  readonly to_date: Instant;
  readonly dag_run_conf: Readonly<Record<string, JsonValue>> | null;
  readonly is_paused: boolean;
  readonly reprocess_behavior: ReprocessBehavior;
  readonly max_active_runs: number;
  readonly created_at: Instant;
  readonly completed_at: Instant | null;
  readonly updated_at: Instant;
}

export interface BackfillRequest extends BackfillRange {
  readonly dag_id: string;
  readonly dag_run_conf: Readonly<Record<string, JsonValue>> | null;
  /** Null: as the DAG or the installation says. */
  readonly run_on_latest_version: boolean | null;
  readonly triggering_user_name: string | null;
}

export type BackfillRejection = {
  readonly kind: "rejected";
  readonly reason: "dag_not_found" | "already_running" | "run_type_not_allowed" | "invalid";
  readonly message: string;
};

export type BackfillResult =
  | { readonly kind: "created"; readonly backfill: BackfillRow; readonly announcement: Announcement }
  | BackfillRejection;

/** The dates for which a backfill would create a run, or run one again. */
export type BackfillDryRun =
  | { readonly kind: "planned"; readonly logical_dates: readonly Instant[] }
  | BackfillRejection;

export type BackfillChange =
  | { readonly kind: "changed"; readonly backfill: BackfillRow; readonly announcement: Announcement }
  | { readonly kind: "rejected"; readonly reason: "not_found" | "completed" };

export interface BackfillFilter {
  readonly dag_id?: string | undefined;
  readonly active?: boolean | undefined;
}

export interface BackfillStore {
  /** Plans every date at once; the runs beyond the first are made by the scheduler where there are many. */
  createBackfill(request: BackfillRequest): Promise<BackfillResult>;
  dryRunBackfill(request: BackfillRequest): Promise<BackfillDryRun>;
  pauseBackfill(id: number, paused: boolean): Promise<BackfillChange>;
  /** Its queued runs fail; those that run go on. */
  cancelBackfill(id: number): Promise<BackfillChange>;
  getBackfill(id: number): Promise<BackfillRow | null>;
  listBackfills(filter: BackfillFilter, page: Page): Promise<Listing<BackfillRow>>;
}
