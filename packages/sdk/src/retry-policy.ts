/** `retryPolicy`: the author decides what a failure means, in the process of the task. */
import { describeValue, isPlainObject } from "./json.ts";
import { FailTask } from "./task-errors.ts";
import { getLogger } from "./task-logger.ts";
import { TaskRescheduled } from "./wait-signals.ts";

export type RetryDecision =
  /** As without a policy: retried while retries are left. */
  | "default"
  /** Fails for good. */
  | "fail"
  | { readonly action: "fail"; readonly reason?: string }
  /** Retried, still within the retries; after `delay` seconds where given. */
  | "retry"
  | { readonly action: "retry"; readonly delay?: number }
  /** Starts again after `delay` seconds without using a retry, within the given bounds of this try. */
  | {
      readonly action: "reschedule";
      readonly delay: number;
      readonly maxReschedules?: number;
      /** Seconds since the try started first. */
      readonly rescheduleTimeout?: number;
    };

export interface RetryFacts {
  readonly tryNumber: number;
  readonly maxTries: number;
  /** How often this try was rescheduled. */
  readonly rescheduleCount: number;
  /** When this try started first. */
  readonly startDate: Date;
}

export type RetryPolicy = (error: Error, facts: RetryFacts) => RetryDecision | Promise<RetryDecision>;

/** What to throw in place of `error`, and how long to wait where that is retried. */
export interface PolicyVerdict {
  readonly thrown: unknown;
  readonly retryDelaySeconds?: number;
}

/** A policy that fails itself counts as none. */
export async function applyPolicy(policy: RetryPolicy, error: Error, facts: RetryFacts): Promise<PolicyVerdict> {
  try {
    return verdictOf(await policy(error, facts), error, facts);
  } catch (problem) {
    getLogger().error(
      `The retry policy failed, so it is left out: ${problem instanceof Error ? problem.message : String(problem)}`,
    );
    return { thrown: error };
  }
}

function verdictOf(decision: RetryDecision, error: Error, facts: RetryFacts): PolicyVerdict {
  const { action, ...rest } = typeof decision === "string" ? { action: decision } : asObject(decision);
  switch (action) {
    case "default":
      return { thrown: error };
    case "fail": {
      const reason = "reason" in rest && typeof rest.reason === "string" ? rest.reason : error.message;
      return { thrown: new FailTask(reason, { cause: error }) };
    }
    case "retry": {
      const delay = "delay" in rest ? rest.delay : undefined;
      return delay === undefined ? { thrown: error } : { thrown: error, retryDelaySeconds: seconds(delay) };
    }
    case "reschedule":
      return { thrown: rescheduled(decision, facts) ?? error };
    default:
      throw new Error(`it returned the unknown action ${describeValue(action)}`);
  }
}

function rescheduled(decision: RetryDecision, { rescheduleCount, startDate }: RetryFacts): TaskRescheduled | null {
  const { delay, maxReschedules, rescheduleTimeout } = decision as Extract<RetryDecision, { action: "reschedule" }>;
  const at = Date.now() + seconds(delay) * 1000;
  if (maxReschedules !== undefined && rescheduleCount >= maxReschedules) return null;
  if (rescheduleTimeout !== undefined && at - startDate.getTime() > rescheduleTimeout * 1000) return null;
  return new TaskRescheduled(new Date(at));
}

function asObject(decision: unknown): { readonly action: unknown; readonly [key: string]: unknown } {
  if (!isPlainObject(decision)) throw new Error(`it returned ${describeValue(decision)}`);
  return { action: undefined, ...decision };
}

function seconds(value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new Error(`its delay must be a number of seconds from 0, not ${describeValue(value)}`);
}
