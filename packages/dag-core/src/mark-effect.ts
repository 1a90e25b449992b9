/** What people's and operators' decisions over a run do to its task instances. Null: leave the instance alone. */
import type { TaskInstanceState } from "./model.ts";
import { isFinished } from "./state-sets.ts";

/** Marking a run: what is under way takes the run's state, what has not started is skipped, what ended stays. */
export function markRunEffect(
  state: TaskInstanceState,
  target: "success" | "failed",
): "success" | "failed" | "skipped" | null {
  if (isFinished(state)) return null;
  const underWay =
    state === "running" || state === "deferred" || state === "up_for_reschedule" || state === "awaiting_input";
  return underWay ? target : "skipped";
}

/** Marking one task instance sets its state; failed successors are cleared so that they may run after all. */
export function markedDownstreamIsCleared(state: TaskInstanceState): boolean {
  return state === "failed" || state === "upstream_failed";
}

/** `fail_fast`: one task failed for good, the rest of the run ends with it. */
export function failFastEffect(state: TaskInstanceState): "failed" | "skipped" | null {
  if (state === "success" || state === "failed") return null;
  if (state === "running") return "failed";
  return state === "skipped" ? null : "skipped";
}

/** A decider or operator asks to skip a task: what runs or ended by itself stays. */
export function skipRequestEffect(state: TaskInstanceState): "skipped" | null {
  return state === "running" || state === "success" || state === "failed" || state === "skipped" ? null : "skipped";
}

/** `dagrun_timeout` passed: everything unfinished is skipped. */
export function timeoutEffect(state: TaskInstanceState): "skipped" | null {
  return isFinished(state) ? null : "skipped";
}
