/**
 * How long a failed try waits before the next one.
 *
 * Backoff with a jitter that is the same for everyone who asks: it hangs on the names and the try only. Airflow takes
 * SHA-1 for it; this uses 32-bit FNV-1a, because the core has no crypto. Only the choice inside `[b, 2b)` differs.
 */
import { fnv1a } from "./hash.ts";
import type { Instant, SerializedTask } from "./model.ts";

const MAX_DELAY_SECONDS = 86_400;

/** The try that failed: names and number seed the jitter. */
export interface FailedTry {
  readonly dag_id: string;
  readonly logical_date: Instant | null;
  readonly try_number: number;
}

type RetryPolicy = Pick<SerializedTask, "task_id" | "retry_delay" | "max_retry_delay" | "retry_exponential_backoff">;

/** Seconds between the end of the failed try and its successor. */
export function retryDelaySeconds(failed: FailedTry, task: RetryPolicy): number {
  const multiplier = task.retry_exponential_backoff;
  if (multiplier === 0 || multiplier === 1) return task.retry_delay;
  const base = Math.max(1, Math.ceil(task.retry_delay * multiplier ** (failed.try_number - 1)));
  const seed = `${failed.dag_id}#${task.task_id}#${failed.logical_date}#${failed.try_number}`;
  const wait = base < MAX_DELAY_SECONDS ? base + (fnv1a(seed) % base) : MAX_DELAY_SECONDS;
  return Math.min(wait, MAX_DELAY_SECONDS, task.max_retry_delay ?? MAX_DELAY_SECONDS);
}
