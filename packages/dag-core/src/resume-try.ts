/**
 * How a waiting try goes on.
 *
 *   deferred ── event ──────────────► its method, with the event
 *            └─ failure, time-out ──► `__fail__`, which fails the try by its own rules
 *   awaiting_input ── answer ───────► its method, with the answer
 *                  └─ time-out ─────► its method, with the defaults or an error
 *
 * What comes too late is rejected: the instance was cleared, marked, or went on already.
 */
import type { JsonValue, TaskInstanceState } from "./model.ts";

/** Airflow's name for the way on that fails the try. */
const FAIL = "__fail__";
/** Airflow's words for the two reasons. */
const TRIGGER_TIMEOUT = "Trigger timeout";
const TRIGGER_FAILURE = "Trigger failure";

export type TriggerEnd =
  | { readonly kind: "event"; readonly payload: JsonValue }
  | { readonly kind: "failure"; readonly traceback: readonly string[] }
  | { readonly kind: "timeout" };

export interface WaitingTry {
  readonly state: TaskInstanceState;
  readonly next_method: string | null;
  readonly next_kwargs: Readonly<Record<string, JsonValue>> | null;
}

/** What the next process of the try is told. */
export interface Resumption {
  readonly next_method: string;
  readonly next_kwargs: Readonly<Record<string, JsonValue>>;
  readonly cause: string;
}

/** Null where the try does not wait any more. */
export function afterDeferral(waiting: WaitingTry, end: TriggerEnd): Resumption | null {
  if (waiting.state !== "deferred" && waiting.state !== "awaiting_input") return null;
  const { next_method, next_kwargs } = waiting;
  if (end.kind === "event" && next_method !== null) {
    const cause = waiting.state === "deferred" ? "Its trigger fired" : "It was answered";
    return { next_method, next_kwargs: { ...next_kwargs, event: end.payload }, cause };
  }
  const timedOut = end.kind === "timeout";
  const traceback = end.kind === "failure" ? [...end.traceback] : [];
  return {
    next_method: FAIL,
    next_kwargs: { error: timedOut ? TRIGGER_TIMEOUT : TRIGGER_FAILURE, traceback },
    cause: timedOut
      ? "Its trigger did not fire in time"
      : `Its trigger failed: ${traceback.at(-1) ?? "no reason given"}`,
  };
}
