/** A queued try that no worker takes although one could: it is queued again some times, then it counts as lost. */

/** Airflow's `num_stuck_in_queued_retries`. */
const MOST_REQUEUES = 2;

export type StuckEffect =
  | { readonly kind: "requeue"; readonly cause: string }
  | { readonly kind: "lost"; readonly detail: string };

/** `requeues`: how often this try was queued again already. */
export function stuckEffect(requeues: number, timeoutSeconds: number): StuckEffect {
  const why = `no worker took it within ${timeoutSeconds} s although one had a free slot`;
  if (requeues >= MOST_REQUEUES) return { kind: "lost", detail: `${why}, ${requeues + 1} times` };
  return { kind: "requeue", cause: `Queued again (${requeues + 1} of ${MOST_REQUEUES}): ${why}` };
}
