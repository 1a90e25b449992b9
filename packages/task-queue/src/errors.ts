/**
 * The queue's errors, in our words; errors of the libraries below stay in `cause`.
 */

/** Redis can't be reached, or doesn't answer in time. Nothing is lost by it: the sweep offers again. */
export class QueueUnreachableError extends Error {
  constructor(action: string, address: string, cause?: unknown) {
    super(
      `Could not ${action}: Redis at ${address} doesn't answer. Check that it runs and that AIRFLOW__CELERY__BROKER_URL (or REDIS_URL) names it.`,
      { cause },
    );
    this.name = "QueueUnreachableError";
  }
}
