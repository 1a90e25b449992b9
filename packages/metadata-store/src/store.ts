/**
 * The metadata store as the roles see it: one method per question or transition.
 *
 * Every transition is one transaction that asks `dag-core` what to do, applies it with guarded statements and returns
 * what must be told afterwards (`Announcement`). Nothing is announced inside a state transaction. Callers pass the
 * announcement to an `Announcer`, which offers messages to the queue and sends live events and wake-ups.
 */

import type { BlockingReason, Instant, JsonValue, SerializedDag } from "@updraft/dag-core";
import type { AssetStore } from "./asset-rows.ts";
import type { BackfillStore } from "./backfill-rows.ts";
import type { DeadlineStore } from "./deadline-rows.ts";
import type { CleanableTable } from "./retention.ts";
import type {
  Announcement,
  ClaimRequest,
  ClaimResult,
  ClearRequest,
  ClearResult,
  ConnectionRow,
  DagDetail,
  DagFilter,
  DagRow,
  DagRunFilter,
  DagRunRow,
  DagVersionRow,
  EventLogEntry,
  EventLogFilter,
  EventLogRow,
  FinishRequest,
  FinishResult,
  HeartbeatResult,
  HitlDetailFilter,
  HitlDetailRow,
  HitlQuestion,
  HitlResponse,
  HostedTrigger,
  HostedWatcher,
  ImportErrorRow,
  JobReport,
  JobRow,
  Listing,
  MarkTaskRequest,
  MarkTaskResult,
  Page,
  ParsedFile,
  PoolRow,
  RespondResult,
  RunStateCount,
  SkippedTicks,
  SkipRequest,
  TaskInstanceFilter,
  TaskInstanceRow,
  TaskStateCount,
  TriggererClaim,
  TriggerHold,
  TriggerReport,
  TriggerRequest,
  TriggerResult,
  UserRow,
  WatcherReport,
  XComAddress,
  XComListAddress,
  XComRow,
  XComSlice,
} from "./rows.ts";

export type * from "./asset-rows.ts";
export type * from "./backfill-rows.ts";
export type * from "./deadline-rows.ts";
export type * from "./rows.ts";

// ── The store ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Workers' way in, for the Task Execution API. */
export interface WorkerStore {
  /** Concurrent calls are applied together. */
  claimTry(request: ClaimRequest): Promise<ClaimResult>;
  /** Concurrent calls are applied together. */
  finishTry(request: FinishRequest): Promise<FinishResult>;
  heartbeat(beat: {
    readonly ti_id: string;
    readonly try_number: number;
    readonly hostname: string;
    readonly pid: number;
  }): Promise<HeartbeatResult>;
  /** A decider skips successors of its own task instance. Without effect once its try does not run any more. */
  skipDownstream(request: SkipRequest): Promise<Announcement>;
  /** A task asks people; asking again forgets an earlier answer. */
  askPeople(tiId: string, question: HitlQuestion): Promise<void>;
  hitlDetail(tiId: string): Promise<HitlDetailRow | null>;
  /** When a rescheduled try looked first; null where it was never rescheduled. */
  firstRescheduleStart(tiId: string, tryNumber: number): Promise<Instant | null>;
  artefact(hash: string): Promise<string | null>;
  connection(connId: string): Promise<ConnectionRow | null>;
  variable(key: string): Promise<string | null>;
  setVariable(key: string, value: string, description: string | null): Promise<void>;
  deleteVariable(key: string): Promise<boolean>;
  getXCom(address: XComAddress): Promise<XComRow | null>;
  /**
   * Values of a mapped task's instances by their place among those that pushed one; negative numbers count from the
   * end, as in a Python slice.
   */
  sliceXComs(address: XComListAddress, slice: XComSlice): Promise<readonly JsonValue[]>;
  countXComs(address: XComListAddress): Promise<number>;
  /** The id of the newest run that has such an XCom, of the named one and those before it. */
  newestRunWithXCom(address: XComListAddress & { readonly map_index?: number }): Promise<string | null>;
  setXCom(address: XComAddress, value: JsonValue): Promise<void>;
  deleteXCom(address: XComAddress): Promise<boolean>;
  /** Values that outlive a try, by task instance. An expired one is absent. */
  getTaskState(address: XComAddress): Promise<JsonValue | undefined>;
  setTaskState(address: XComAddress, value: JsonValue, expiresAt: Instant | null): Promise<void>;
  deleteTaskState(address: XComAddress): Promise<boolean>;
  /** Every key of the task instance. */
  clearTaskState(address: Omit<XComAddress, "key">): Promise<void>;
}

/** Triggerers' way in, for the Task Execution API. */
export interface TriggererStore {
  /** Triggers that nobody runs, or whose triggerer is gone. */
  claimTriggers(claim: TriggererClaim): Promise<readonly HostedTrigger[]>;
  /** Watchers of assets that nobody runs, or whose triggerer is gone. */
  claimWatchers(claim: TriggererClaim): Promise<readonly HostedWatcher[]>;
  /** The ids of those whose events are written, now or before, and of those whose failure was noted. */
  reportWatchers(
    reports: readonly WatcherReport[],
  ): Promise<{ readonly accepted: readonly number[]; readonly announcement: Announcement }>;
  /** Renews leases; the ids of those that are still held. */
  keepTriggers(triggerer: string, held: readonly TriggerHold[], leaseSeconds: number): Promise<readonly number[]>;
  releaseTriggers(triggerer: string): Promise<void>;
  /** The ids of the triggers that ended by these reports; each ends once. */
  reportTriggers(
    reports: readonly TriggerReport[],
  ): Promise<{ readonly accepted: readonly number[]; readonly announcement: Announcement }>;
}

/** What people and other programs change. */
export interface ControlStore {
  triggerDagRun(request: TriggerRequest): Promise<TriggerResult>;
  /** Null where the DAG does not exist. */
  setDagPaused(dagId: string, paused: boolean): Promise<Announcement | null>;
  /** A draining DAG makes no scheduled runs and is paused when its last run ended. Null where it does not exist. */
  setDagDraining(dagId: string, draining: boolean): Promise<Announcement | null>;
  patchDagRun(
    dagId: string,
    runId: string,
    patch: { readonly state?: "queued" | "success" | "failed"; readonly note?: string | null },
  ): Promise<Announcement | null>;
  markTaskInstances(request: MarkTaskRequest): Promise<MarkTaskResult>;
  /** A running one is refused; the answer is null where there is none. */
  deleteDagRun(dagId: string, runId: string): Promise<Announcement | "running" | null>;
  deleteTaskInstance(address: Omit<XComAddress, "key">): Promise<Announcement | null>;
  setTaskInstanceNote(address: Omit<XComAddress, "key">, note: string | null): Promise<boolean>;
  /** Answers what a task asked people; it goes on. */
  respond(tiId: string, response: HitlResponse): Promise<RespondResult>;
  clearTaskInstances(request: ClearRequest): Promise<ClearResult>;
  /** Null where a pool that is to be made exists, or one that is to be changed does not. */
  savePool(
    pool: Pick<PoolRow, "name" | "slots" | "description" | "include_deferred">,
    mode: "create" | "update" | "upsert",
  ): Promise<Announcement | null>;
  deletePool(name: string): Promise<"deleted" | "default" | "not_found">;
  saveUser(user: UserRow): Promise<void>;
  reportJob(report: JobReport): Promise<void>;
  logEvent(entry: EventLogEntry): Promise<void>;
}

export interface ReadStore {
  ping(): Promise<void>;
  listDags(filter: DagFilter, page: Page): Promise<Listing<DagRow>>;
  getDag(dagId: string): Promise<DagDetail | null>;
  /** The form that a version of a DAG has; null: no such version. */
  getDagVersion(
    dagId: string,
    versionNumber: number,
  ): Promise<{ readonly version: DagVersionRow; readonly form: SerializedDag } | null>;
  listDagVersions(dagId: string, page: Page): Promise<Listing<DagVersionRow>>;
  /** Newest version unless one is named. */
  dagSource(
    dagId: string,
    versionNumber: number | null,
  ): Promise<{ readonly content: string; readonly version_number: number; readonly dag_display_name: string } | null>;
  listDagTags(pattern: string | null, page: Page): Promise<Listing<string>>;
  dagStats(dagIds: readonly string[]): Promise<readonly RunStateCount[]>;
  dashboardStats(): Promise<{
    readonly active: number;
    readonly failed: number;
    readonly running: number;
    readonly queued: number;
  }>;
  /** Newest first, at most `perDag` each. */
  latestDagRuns(dagIds: readonly string[], perDag: number): Promise<readonly (DagRunRow & { readonly id: number })[]>;
  listDagRuns(filter: DagRunFilter, page: Page): Promise<Listing<DagRunRow>>;
  getDagRun(dagId: string, runId: string): Promise<DagRunRow | null>;
  listTaskInstances(filter: TaskInstanceFilter, page: Page): Promise<Listing<TaskInstanceRow>>;
  getTaskInstance(address: Omit<XComAddress, "key">): Promise<TaskInstanceRow | null>;
  /** Every try, oldest first, the current one last; empty where there is no such instance. */
  listTries(address: Omit<XComAddress, "key">): Promise<readonly TaskInstanceRow[]>;
  listHitlDetails(
    filter: HitlDetailFilter,
    page: Page,
  ): Promise<Listing<{ readonly detail: HitlDetailRow; readonly task_instance: TaskInstanceRow }>>;
  /** How many instances each task of some runs has in each state, for the grid: as long as the DAG, however mapped. */
  countTaskStates(dagId: string, runIds: readonly string[]): Promise<readonly TaskStateCount[]>;
  blockingReasons(address: Omit<XComAddress, "key">): Promise<readonly BlockingReason[] | null>;
  listXComs(filter: Partial<XComAddress>, page: Page): Promise<Listing<XComRow>>;
  listImportErrors(filenamePattern: string | null, page: Page): Promise<Listing<ImportErrorRow>>;
  getImportError(id: number): Promise<ImportErrorRow | null>;
  skippedTicks(dagId: string, page: Page): Promise<Listing<SkippedTicks>>;
  getUser(username: string): Promise<UserRow | null>;
  /** Newest heartbeat first. */
  listJobs(filter: { readonly job_type?: string; readonly is_alive?: boolean }, page: Page): Promise<Listing<JobRow>>;
  listPools(): Promise<readonly PoolRow[]>;
  listEventLogs(filter: EventLogFilter, page: Page): Promise<Listing<EventLogRow>>;
}

/** Rows that are old, of all DAGs or some. */
export interface CleanRequest {
  readonly before: Instant;
  /** Empty: all. */
  readonly dag_ids: readonly string[];
  readonly exclude_dag_ids: readonly string[];
}

/** Retention. */
export interface CleanStore {
  countOld(table: CleanableTable, request: CleanRequest): Promise<number>;
  /** Deletes some old rows in one transaction and tells how many; fewer than asked for means that it is done. */
  cleanBatch(table: CleanableTable, request: CleanRequest, batchSize: number): Promise<number>;
}

export interface DagFileStore {
  saveParsedFile(file: ParsedFile): Promise<Announcement>;
  saveImportError(error: {
    readonly relative_fileloc: string;
    readonly fileloc: string;
    readonly bundle_name: string;
    readonly stack_trace: string;
  }): Promise<Announcement>;
  /** DAGs of files that are gone become stale; their import errors go. */
  removeFilesExcept(bundleName: string, presentRelativeFilelocs: readonly string[]): Promise<Announcement>;
}

/** What time brings. Each call does a bounded piece of work; `more` tells that there is more to do now. */
export interface SchedulerStore {
  /** Runs of DAGs that wait for events of assets. */
  createAssetRuns(): Promise<SchedulingStep>;
  createDueRuns(): Promise<SchedulingStep>;
  /** Dates of backfills become runs. */
  advanceBackfills(): Promise<SchedulingStep>;
  /** Draining DAGs without an active run are paused. */
  pauseDrained(): Promise<SchedulingStep>;
  /** Deadlines whose time passed are marked as missed, and their callbacks started. */
  missDeadlines(): Promise<SchedulingStep>;
  startQueuedRuns(): Promise<SchedulingStep>;
  /** Runs that wait for something outside of them, such as the run before, are decided again. */
  lookAtRuns(): Promise<SchedulingStep>;
  startDueRetries(): Promise<SchedulingStep>;
  /** Waits that time ends: timers, conditions, time-outs, reschedule dates. */
  resumeDue(): Promise<SchedulingStep>;
  enqueueScheduled(): Promise<SchedulingStep>;
  timeOutRuns(): Promise<SchedulingStep>;
  /** Queued tries whose message may be lost are offered again; those nobody takes for too long fail. */
  offerAgain(limits: {
    readonly offer_after_seconds: number;
    readonly queued_timeout_seconds: number;
  }): Promise<SchedulingStep>;
  /** Tries without a heartbeat for a lease end as lost. */
  rescueLost(leaseSeconds: number): Promise<SchedulingStep>;
  /** Corrects counters that differ from a recount, and runs that stand still; names what was wrong. */
  audit(): Promise<{ readonly announcement: Announcement; readonly corrected: readonly string[] }>;
  /** When something is due next; null: nothing is. */
  nextDueAt(): Promise<Instant | null>;
}

export interface SchedulingStep {
  readonly announcement: Announcement;
  readonly more: boolean;
}

export interface MetadataStore
  extends WorkerStore,
    TriggererStore,
    ControlStore,
    ReadStore,
    DagFileStore,
    SchedulerStore,
    CleanStore,
    BackfillStore,
    AssetStore,
    DeadlineStore {
  close(): Promise<void>;
}

/** Tells what a transition left to be told: offers to the queue, live events, wake-ups. Never rejects. */
export interface Announcer {
  announce(announcement: Announcement): void;
  /** Resolves when everything announced so far was sent or given up. */
  close(): Promise<void>;
}
