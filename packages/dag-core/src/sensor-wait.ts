/**
 * When a sensor looks again, and when it gives up. Seconds throughout.
 *
 * With backoff the n-th wait lies in `[b, 2b)`, b = max(floor(poke_interval * 2^(n-2)), 1), by a jitter that hangs on the
 * names only. A sensor that reschedules does not remember how often it looked, so it derives n from the time elapsed.
 */
import { fnv1a } from "./hash.ts";

export interface SensorPlan {
  readonly poke_interval: number;
  readonly timeout: number;
  readonly exponential_backoff: boolean;
  readonly max_wait: number | null;
  readonly mode: "poke" | "reschedule";
}

export interface SensorProgress {
  /** Since the sensor looked first in this try. */
  readonly elapsed: number;
  /** Looks of this process so far. */
  readonly pokes: number;
  /** Names the try: dag, task, start. */
  readonly seed: string;
}

/** Asked after a look that found nothing, so a sensor looks at least once. */
export function isSensorTimedOut({ timeout }: SensorPlan, elapsed: number): boolean {
  return elapsed > timeout;
}

export function sensorWaitSeconds(plan: SensorPlan, { elapsed, pokes, seed }: SensorProgress): number {
  if (!plan.exponential_backoff) return plan.poke_interval;
  const count = plan.mode === "reschedule" ? looksWithin(plan, elapsed, seed) : pokes;
  const wait = Math.min(plan.timeout - Math.floor(elapsed), backoff(plan, count, seed));
  return Math.max(0, plan.max_wait === null ? wait : Math.min(plan.max_wait, wait));
}

function backoff({ poke_interval }: SensorPlan, count: number, seed: string): number {
  const least = Math.max(Math.floor(poke_interval * 2 ** (count - 2)), 1);
  return least + (fnv1a(`${seed}#${count}`) % least);
}

/** How many looks fit into the time that has passed. */
function looksWithin(plan: SensorPlan, elapsed: number, seed: string): number {
  let count = 0;
  for (let passed = 0; passed <= elapsed; passed += backoff(plan, count, seed)) count += 1;
  return count;
}
