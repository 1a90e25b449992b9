/** The options of Dags and tasks: Airflow's, and the superset that `@updraft/sdk` adds. Durations are seconds. */

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
  /** Accepted for Airflow's sake: every run keeps the version it started with. */
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

/** A fixed interval, or a cron expression evaluated in a time zone. */
export type Schedule =
  | string
  | { readonly every: number }
  | { readonly cron: string; readonly timezone?: string | undefined };

/** What `@updraft/sdk` adds to Airflow's Dag options. */
export interface UpdraftDagSpec extends Omit<DagSpec, "schedule"> {
  readonly schedule?: Schedule | undefined;
}

/** What `@updraft/sdk` adds to Airflow's task options. */
export interface UpdraftTaskSpec extends TaskSpec {
  /** "process" gives every try a process of its own; otherwise tries of one file share a warm process. */
  readonly isolation?: "warm" | "process" | undefined;
}
