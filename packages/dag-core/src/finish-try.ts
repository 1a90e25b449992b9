/**
 * What the end of a try means for its task instance.
 *
 *   running ── success | skipped | removed | failed ──► that state
 *   running ── failed, retries left ──► up_for_retry
 *   running ── deferred | awaiting_input | up_for_reschedule ──► that state, the same try goes on later
 *   restarting (cleared while running) ── anything ──► up_for_retry, due at once
 *   queued | running ── lost (no heartbeat, stuck in the queue) ──► as a failure that may be retried
 *
 * `try_number` stays that of the ended try; whoever schedules the next one counts on.
 */
import { assert, assertNever } from "./assert.ts";
import { isoText } from "./instant-text.ts";
import type { Instant, SerializedTask, TaskInstanceState } from "./model.ts";
import { retryDelaySeconds } from "./retry-delay.ts";

export interface TryFacts {
  readonly state: TaskInstanceState;
  readonly try_number: number;
  readonly max_tries: number;
  readonly dag_id: string;
  readonly logical_date: Instant | null;
  /** When the try ended; `now` where nobody knows. */
  readonly end_date: Instant | null;
}

export type TryEnd =
  | { readonly kind: "success" }
  | {
      readonly kind: "failed";
      readonly retry: boolean;
      readonly retry_delay_seconds: number | null;
      readonly reason?: string | null;
    }
  | { readonly kind: "skipped"; readonly reason?: string | null }
  | { readonly kind: "removed"; readonly reason?: string | null }
  /** Waits for a trigger, for a person, or until a date, without its slot. */
  | { readonly kind: "deferred"; readonly classpath: string }
  | { readonly kind: "awaiting_input" }
  | { readonly kind: "up_for_reschedule"; readonly reschedule_date: Instant }
  /** The try's process is gone without a word. `detail` names host and last heartbeat. */
  | { readonly kind: "lost"; readonly detail?: string };

export type FinishDecision =
  | {
      readonly kind: "moved";
      readonly state: TaskInstanceState;
      readonly next_retry_at: Instant | null;
      readonly cause: string;
    }
  | { readonly kind: "rejected"; readonly reason: string }
  /** The same end was reported before: answer as the first time. */
  | { readonly kind: "repeated" };

/** Decides the state after a try. Late and doubled reports are harmless; a try from the future is impossible. */
export function finishTry(
  facts: TryFacts,
  outcome: TryEnd,
  task: SerializedTask,
  outcomeTry: number,
  now: Instant,
): FinishDecision {
  assert(outcomeTry <= facts.try_number, `try ${outcomeTry} of ${task.task_id} ended but never started`);
  if (outcomeTry < facts.try_number) return rejected(`try ${outcomeTry} is over; try ${facts.try_number} is current`);
  if (facts.state === "restarting")
    return moved("up_for_retry", facts.end_date ?? now, "Cleared while running; the next try may start at once");
  if (!isLive(facts.state, outcome)) return alreadyEnded(facts.state, outcome);
  switch (outcome.kind) {
    case "success":
      return moved("success", null, "The task reported success");
    case "skipped":
      return moved("skipped", null, withReason("The task skipped itself", outcome.reason));
    case "removed":
      return moved("removed", null, withReason("The task no longer exists in the DAG's code", outcome.reason));
    case "deferred":
      return moved("deferred", null, `Waits for trigger ${outcome.classpath}`);
    case "awaiting_input":
      return moved("awaiting_input", null, "Waits for a person's answer");
    case "up_for_reschedule":
      return moved("up_for_reschedule", null, `Looks again at ${isoText(outcome.reschedule_date)}`);
    case "failed":
      return retryOrFail(facts, outcome, task, now);
    case "lost":
      return retryOrFail(
        facts,
        { retry: true, retry_delay_seconds: null, reason: outcome.detail ?? "its process is gone" },
        task,
        now,
      );
    default:
      return assertNever(outcome);
  }
}

/** True when a failure of this try leaves another one: `retries: 2` makes three tries. */
export function hasRetriesLeft(
  facts: Pick<TryFacts, "try_number" | "max_tries">,
  task: Pick<SerializedTask, "retries">,
): boolean {
  return task.retries !== 0 && facts.try_number <= facts.max_tries;
}

interface Failure {
  readonly retry: boolean;
  readonly retry_delay_seconds: number | null;
  readonly reason?: string | null;
}

function retryOrFail(facts: TryFacts, failure: Failure, task: SerializedTask, now: Instant): FinishDecision {
  const attempt = `Try ${facts.try_number} of ${Math.max(facts.max_tries + 1, facts.try_number)} failed`;
  if (!failure.retry) return moved("failed", null, withReason(`${attempt} and must not be retried`, failure.reason));
  if (!hasRetriesLeft(facts, task)) return moved("failed", null, withReason(attempt, failure.reason));
  const delaySeconds = failure.retry_delay_seconds ?? retryDelaySeconds(facts, task);
  const next = (facts.end_date ?? now) + Math.round(delaySeconds * 1000);
  return moved("up_for_retry", next, withReason(`${attempt}; the next starts after ${isoText(next)}`, failure.reason));
}

function isLive(state: TaskInstanceState, outcome: TryEnd): boolean {
  return state === "running" || (state === "queued" && outcome.kind === "lost");
}

function alreadyEnded(state: TaskInstanceState, outcome: TryEnd): FinishDecision {
  const failedBefore =
    (state === "failed" || state === "up_for_retry") && (outcome.kind === "failed" || outcome.kind === "lost");
  if (failedBefore || state === outcome.kind) return { kind: "repeated" };
  return rejected(`the task instance is ${state ?? "not scheduled"}, not running`);
}

function moved(state: TaskInstanceState, nextRetryAt: Instant | null, cause: string): FinishDecision {
  return { kind: "moved", state, next_retry_at: nextRetryAt, cause };
}

function rejected(reason: string): FinishDecision {
  return { kind: "rejected", reason };
}

function withReason(cause: string, reason: string | null | undefined): string {
  return reason === null || reason === undefined || reason === "" ? cause : `${cause}: ${reason}`;
}
