/** What clearing does to a task instance and to its run. Clearing gives a task as many new tries as it has retries. */

import type { DagRunState, Instant, TaskInstanceState } from "./model.ts";

export interface ClearedTask {
  /** None, or `restarting` for a try that runs: its process is told by its next heartbeat. */
  readonly state: null | "restarting";
  readonly max_tries: number;
}

export interface ClearedRun {
  readonly state: DagRunState;
  /** How much `clear_number` grows. */
  readonly clear_number_increment: 0 | 1;
  /** Dates to write; absent members stay as they are. */
  readonly dates: { readonly queued_at?: Instant; readonly start_date?: null; readonly end_date?: null };
}

/** Clears one task instance: tries used so far plus the task's retries are allowed from now on. */
export function clearTaskEffect(
  instance: { readonly state: TaskInstanceState; readonly try_number: number; readonly max_tries: number },
  retries: number,
): ClearedTask {
  if (instance.state === "running" || instance.state === "restarting")
    return { state: "restarting", max_tries: instance.max_tries };
  return { state: null, max_tries: instance.try_number + retries };
}

/** Clears the run around cleared tasks (`reset_dag_runs`): a finished one is queued again. */
export function clearRunEffect(state: DagRunState, now: Instant): ClearedRun {
  if (state === "queued") return { state, clear_number_increment: 0, dates: {} };
  if (state === "running") return { state, clear_number_increment: 1, dates: { queued_at: now } };
  return { state: "queued", clear_number_increment: 1, dates: { queued_at: now, start_date: null, end_date: null } };
}

/** True when clearing with these filters touches the task instance. */
export function clearSelects(
  state: TaskInstanceState,
  filter: { readonly only_failed: boolean; readonly only_running: boolean },
): boolean {
  if (filter.only_failed) return state === "failed" || state === "upstream_failed";
  if (filter.only_running) return state === "running";
  return true;
}
