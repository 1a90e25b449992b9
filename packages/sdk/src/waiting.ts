/** How a handler lets its try wait, and what it hears when the wait ends badly. */
import { describeValue } from "./json.ts";
import { jsonObject, type Trigger } from "./triggers.ts";
import { TaskDeferred, TaskRescheduled } from "./wait-signals.ts";

export interface DeferOptions {
  readonly trigger: Trigger;
  /**
   * Which of the task's `methods` goes on, with the event. Unset: the handler itself is called again, and finds the event
   * as `getContext().triggerEvent`.
   */
  readonly method?: string | undefined;
  /** What that method gets besides the event. JSON. */
  readonly kwargs?: object | undefined;
  /** Seconds after which the wait fails. */
  readonly timeout?: number | undefined;
}

/** The name under which the handler itself goes on; Airflow's. */
export const EXECUTE = "execute";

/** Throws: the try gives its slot back and goes on when `trigger` fires. */
export function defer({ trigger, method = EXECUTE, kwargs = {}, timeout }: DeferOptions): never {
  if (timeout !== undefined && !(typeof timeout === "number" && timeout > 0))
    throw new Error(`timeout of defer must be a number of seconds above 0, not ${describeValue(timeout)}`);
  throw new TaskDeferred(trigger, { method, kwargs: jsonObject(kwargs, "kwargs of defer"), timeout: timeout ?? null });
}

/** Throws: the try gives its slot back and starts again at `date`, as the same try. */
export function reschedule(date: Date): never {
  if (!(date instanceof Date) || Number.isNaN(date.getTime()))
    throw new Error(`reschedule needs a valid Date, not ${describeValue(date)}`);
  throw new TaskRescheduled(date);
}

/** The trigger of a deferred task failed. */
export class TaskDeferralError extends Error {
  override readonly name: string = "TaskDeferralError";
}

/** The trigger of a deferred task did not fire in time. */
export class TaskDeferralTimeout extends TaskDeferralError {
  override readonly name = "TaskDeferralTimeout";
}
