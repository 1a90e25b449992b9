/** Deadlines as the store gives them. */
import type { Instant } from "@updraft/dag-core";
import type { InstantRange, Listing, Page } from "./rows.ts";

export interface DeadlineRow {
  readonly id: string;
  readonly deadline_time: Instant;
  readonly missed: boolean;
  readonly created_at: Instant;
  readonly dag_id: string;
  readonly dag_run_id: string;
  readonly alert_id: string;
  readonly alert_name: string | null;
}

/** An alert of a version of a DAG. */
export interface DeadlineAlertRow {
  readonly id: string;
  readonly name: string | null;
  readonly reference_type: string;
  /** Seconds; null where a variable holds them. */
  readonly interval: number | null;
  readonly created_at: Instant;
}

export interface DeadlineFilter {
  readonly dag_id?: string | undefined;
  readonly dag_run_id?: string | undefined;
  readonly missed?: boolean | undefined;
  readonly deadline_time?: InstantRange | undefined;
  readonly last_updated_at?: InstantRange | undefined;
}

export interface DeadlineStore {
  listDeadlines(filter: DeadlineFilter, page: Page): Promise<Listing<DeadlineRow>>;
  /** Of the newest version unless one is named, in the order written; null where there is no such version. */
  deadlineAlerts(dagId: string, versionNumber: number | null): Promise<readonly DeadlineAlertRow[] | null>;
}
