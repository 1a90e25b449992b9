/**
 * When a running DAG run ends. Its leaves decide: a failure that an `all_done` leaf cleaned up after is a success.
 * First match wins: timed out, a leaf failed, all leaves well, deadlocked, otherwise it runs on.
 */
import type { InstanceVerdict } from "./decide-instance.ts";
import { isoText } from "./instant-text.ts";
import type { Instant, SerializedTask, TaskInstanceState } from "./model.ts";

/** Airflow's word for why a run ended, given to callbacks. */
export type RunEndReason = "success" | "task_failure" | "timed_out" | "all_tasks_deadlocked";

export interface RunEvaluation {
  readonly state: "running" | "success" | "failed";
  readonly reason: RunEndReason | null;
  readonly cause: string;
}

export interface RunFacts {
  /** Task instances of the run that are not in a finished state. */
  readonly unfinished: number;
  /** How many instances of the leaf tasks are in each state: a mapped one alone may have ten thousands. */
  readonly leafStates: ReadonlyMap<TaskInstanceState, number>;
  readonly startDate: Instant | null;
  /** Seconds. */
  readonly dagrunTimeout: number | null;
  readonly now: Instant;
}

/** How often each state occurs. */
export function countStates(states: readonly TaskInstanceState[]): ReadonlyMap<TaskInstanceState, number> {
  const counts = new Map<TaskInstanceState, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

/** Evaluates a running run. On a time-out the caller also skips everything unfinished. */
export function evaluateRun(facts: RunFacts): RunEvaluation {
  const { startDate, dagrunTimeout, now } = facts;
  if (startDate !== null && dagrunTimeout !== null && startDate < now - dagrunTimeout * 1000) {
    return {
      state: "failed",
      reason: "timed_out",
      cause: `Running since ${isoText(startDate)}, longer than dagrun_timeout of ${dagrunTimeout} s`,
    };
  }
  if (facts.unfinished > 0)
    return { state: "running", reason: null, cause: `${facts.unfinished} task instances are unfinished` };
  return evaluateLeaves(facts.leafStates);
}

function evaluateLeaves(leafStates: ReadonlyMap<TaskInstanceState, number>): RunEvaluation {
  const sum = (...states: TaskInstanceState[]) => states.reduce((all, state) => all + (leafStates.get(state) ?? 0), 0);
  const total = sum(...leafStates.keys());
  const failed = sum("failed", "upstream_failed");
  if (failed > 0) return { state: "failed", reason: "task_failure", cause: `${failed} of ${total} leaf tasks failed` };
  if (sum("success", "skipped", "removed") === total)
    return { state: "success", reason: "success", cause: "All leaf tasks succeeded or were skipped" };
  return { state: "running", reason: null, cause: "A leaf task is unfinished although the run counts none" };
}

/** What the deadlock check needs to know of one unfinished task instance. */
export interface UnfinishedTask {
  readonly state: TaskInstanceState;
  readonly verdict: InstanceVerdict["kind"];
  readonly task: Pick<SerializedTask, "depends_on_past" | "max_active_tis_per_dag" | "max_active_tis_per_dagrun">;
}

/**
 * Ends a run in which nothing can ever happen again; null while something still can. A task that waits for another
 * run, for a limit of its own, for a trigger or for a person is no deadlock; neither is a retry that is not due yet.
 */
export function evaluateDeadlock(unfinished: readonly UnfinishedTask[]): RunEvaluation | null {
  if (unfinished.length === 0 || unfinished.some(mayStillMove)) return null;
  const cause = `None of ${unfinished.length} unfinished task instances can ever run`;
  return { state: "failed", reason: "all_tasks_deadlocked", cause };
}

function mayStillMove({ state, verdict, task }: UnfinishedTask): boolean {
  const waitsForOthers =
    task.depends_on_past || task.max_active_tis_per_dag !== null || task.max_active_tis_per_dagrun !== null;
  return waitsForOthers || state !== null || verdict !== "wait";
}
