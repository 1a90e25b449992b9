/** The options of Dags and tasks: Airflow's, and the superset that `@updraft/sdk` adds. Durations are seconds. */

import type { DagRunType } from "@updraft/dag-core";
import type { Asset, AssetAlias, AssetExpression, AssetRef } from "./asset.ts";
import type { AssetSchedule } from "./asset-schedule.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import type { ResumeMethod } from "./task-types.ts";
import type { DeferOptions } from "./waiting.ts";

/** Airflow's Dag options. */
export interface DagSpec {
  readonly schedule?: string | undefined;
  readonly description?: string | undefined;
  readonly dagDisplayName?: string | undefined;
  readonly docMd?: string | undefined;
  readonly startDate?: Date | undefined;
  readonly endDate?: Date | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly maxActiveTasks?: number | undefined;
  readonly maxActiveRuns?: number | undefined;
  readonly maxConsecutiveFailedDagRuns?: number | undefined;
  readonly dagrunTimeout?: number | undefined;
  readonly catchup?: boolean | undefined;
  readonly failFast?: boolean | undefined;
  /** Accepted for Airflow's sake: TypeScript tasks have no templates. */
  readonly renderTemplateAsNativeObj?: boolean | undefined;
  /** True: unfinished runs follow the newest version of the Dag. Default: as the installation is configured. */
  readonly disableBundleVersioning?: boolean | undefined;
  readonly isPausedUponCreation?: boolean | undefined;
  /** The queue of every task that names none. */
  readonly queue?: string | undefined;
}

/** Airflow's task options. */
export interface TaskSpec {
  readonly taskId?: string | undefined;
  readonly owner?: string | undefined;
  readonly startDate?: Date | undefined;
  readonly endDate?: Date | undefined;
  readonly triggerRule?: string | undefined;
  readonly dependsOnPast?: boolean | undefined;
  readonly ignoreFirstDependsOnPast?: boolean | undefined;
  readonly waitForPastDependsBeforeSkipping?: boolean | undefined;
  readonly waitForDownstream?: boolean | undefined;
  readonly retries?: number | undefined;
  readonly retryDelay?: number | undefined;
  readonly maxRetryDelay?: number | undefined;
  /** The multiplier of the delay; 0 or 1 keeps it constant. */
  readonly retryExponentialBackoff?: number | undefined;
  readonly executionTimeout?: number | undefined;
  readonly queue?: string | undefined;
  readonly pool?: string | undefined;
  readonly poolSlots?: number | undefined;
  readonly priorityWeight?: number | undefined;
  readonly weightRule?: string | undefined;
  readonly executor?: string | undefined;
  readonly doXcomPush?: boolean | undefined;
  readonly emailOnFailure?: boolean | undefined;
  readonly emailOnRetry?: boolean | undefined;
  readonly docMd?: string | undefined;
  readonly mapIndexTemplate?: string | undefined;
  readonly maxActiveTisPerDag?: number | undefined;
  readonly maxActiveTisPerDagrun?: number | undefined;
  readonly returnsDagResult?: boolean | undefined;
}

/** An interval: seconds, or an amount of calendar units. */
export type Delta =
  | number
  | {
      readonly years?: number | undefined;
      readonly months?: number | undefined;
      readonly weeks?: number | undefined;
      readonly days?: number | undefined;
      readonly hours?: number | undefined;
      readonly minutes?: number | undefined;
      readonly seconds?: number | undefined;
    };

interface CronOptions {
  /** An IANA name; the Dag's time zone where it is left out. */
  readonly timezone?: string | undefined;
  /** Length in seconds of the data interval that ends at the tick; its start is the logical date. */
  readonly interval?: number | undefined;
  /** Without a start date: whether the first run takes the newest tick (a number: unless it is so many seconds old). */
  readonly runImmediately?: boolean | number | undefined;
}

/**
 * When a Dag runs: a preset, a cron expression, or one of Airflow's timetables.
 *
 * | Schedule | Airflow's timetable |
 * | --- | --- |
 * | `"@daily"`, `"0 6 * * *"`, `{ cron, ... }` | CronTriggerTimetable |
 * | `{ crons: [...] }` | MultipleCronTriggerTimetable |
 * | `{ cronDataInterval }` | CronDataIntervalTimetable |
 * | `{ every: seconds }` | DeltaTriggerTimetable, on the epoch grid of the interval |
 * | `{ deltaTrigger }` | DeltaTriggerTimetable, counted from the last run |
 * | `{ deltaDataInterval }` | DeltaDataIntervalTimetable |
 * | `{ events: [dates] }` | EventsTimetable |
 */
export type TimeSchedule =
  | string
  | { readonly every: number }
  | ({ readonly cron: string } & CronOptions)
  | ({ readonly crons: readonly string[] } & CronOptions)
  | { readonly cronDataInterval: string; readonly timezone?: string | undefined }
  | { readonly deltaTrigger: Delta; readonly interval?: number | undefined }
  | { readonly deltaDataInterval: Delta }
  | { readonly events: readonly Date[]; readonly restrictToEvents?: boolean | undefined };

/**
 * When a Dag runs: by time, or by events of assets. A list of assets needs them all; `assetOrTime` and `assetAndTime`
 * join assets and a timetable.
 */
export type Schedule = TimeSchedule | AssetExpression | readonly AssetExpression[] | AssetSchedule;

/** By when a run should be done. A missed deadline is shown, and its callback started, while the run goes on. */
export interface DeadlineAlert {
  readonly name?: string | undefined;
  /** What the deadline is counted from. */
  readonly reference:
    | "DAGRUN_LOGICAL_DATE"
    | "DAGRUN_QUEUED_AT"
    | { readonly FIXED_DATETIME: Date }
    /** The mean duration of the latest `maxRuns` (10) runs; no deadline while fewer than `minRuns` (`maxRuns`) ended. */
    | { readonly AVERAGE_RUNTIME: { readonly maxRuns?: number | undefined; readonly minRuns?: number | undefined } };
  /** Seconds after the reference; or the variable that holds them when a run is created. */
  readonly interval: number | { readonly variable: string };
  /** The Dag to trigger; its conf gets `dag_run` and `deadline` besides. */
  readonly callback?:
    | { readonly triggerDag: string; readonly conf?: Readonly<Record<string, unknown>> | undefined }
    | undefined;
}

/** What `@updraft/sdk` adds to Airflow's Dag options. */
export interface UpdraftDagSpec extends Omit<DagSpec, "schedule"> {
  readonly schedule?: Schedule | undefined;
  /** Types of runs that may be created; all where it is left out. */
  readonly allowedRunTypes?: readonly DagRunType[] | undefined;
  /** Whether clearing and backfilling move a run to the newest version of this Dag. */
  readonly rerunWithLatestVersion?: boolean | undefined;
  /** By when runs should be done. */
  readonly deadline?: DeadlineAlert | readonly DeadlineAlert[] | undefined;
  /** The clock of the schedule where it names none (an IANA name); otherwise the installation's `default_timezone`. */
  readonly timezone?: string | undefined;
  /** How often a run that would end failed runs again; what succeeded keeps its results. Default 0. */
  readonly retries?: number | undefined;
  /** Seconds before each. Default 300. */
  readonly retryDelay?: number | undefined;
}

/** What `@updraft/sdk` adds to Airflow's task options. */
export interface UpdraftTaskSpec extends TaskSpec {
  /** "process" gives every try a process of its own; otherwise tries of one file share a warm process. */
  readonly isolation?: "warm" | "process" | undefined;
  /** How the task goes on after `defer`, by the names given there. */
  readonly methods?: Readonly<Record<string, ResumeMethod>> | undefined;
  /** The task waits for this before a worker runs it, and goes on in one of its `methods`. */
  readonly startFromTrigger?: DeferOptions | undefined;
  /** What a failure of the task means. */
  readonly retryPolicy?: RetryPolicy | undefined;
  /** The task returns an object: each of its members is pushed as an XCom of its own, besides the whole. */
  readonly multipleOutputs?: boolean | undefined;
  /** Assets that the task reads. */
  readonly inlets?: readonly (Asset | AssetRef | AssetAlias)[] | undefined;
  /** Assets that a success of the task updates: each gets an event. */
  readonly outlets?: readonly (Asset | AssetRef | AssetAlias)[] | undefined;
  /** Marks a setup; see `asSetup()`. */
  readonly setup?: boolean | undefined;
  /** Marks a teardown; see `asTeardown()`. */
  readonly teardown?: boolean | undefined;
  /** Of a teardown: its failure fails the run. */
  readonly onFailureFailDagrun?: boolean | undefined;
}
