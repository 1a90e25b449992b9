/** Sets of states that rules speak of. */
import { FINISHED_STATES, type FinishedState, type TaskInstanceState } from "./model.ts";

/** True for states that end a task instance. */
export function isFinished(state: TaskInstanceState): state is FinishedState {
  return (FINISHED_STATES as readonly TaskInstanceState[]).includes(state);
}

/** True for states that fill a pool, a run's `max_active_tasks` and the installation's parallelism. */
export function isExecuting(state: TaskInstanceState): boolean {
  return state === "queued" || state === "running";
}

/** True for states that count against `max_active_tis_per_dag` and `max_active_tis_per_dagrun`. */
export function isActive(state: TaskInstanceState): boolean {
  return isExecuting(state) || state === "deferred" || state === "awaiting_input";
}

/** True for states in which a try waits without a slot and goes on later as the same try. */
export function isWaiting(state: TaskInstanceState): boolean {
  return state === "deferred" || state === "awaiting_input" || state === "up_for_reschedule";
}
