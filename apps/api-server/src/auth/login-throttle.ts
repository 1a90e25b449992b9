/**
 * Slows guessing down: after some failures from one address or for one user, further logins wait, twice as long with
 * each failure. What is remembered is bounded; the oldest is forgotten first.
 */
import { ApiError } from "@updraft/contract";
import type { Clock } from "@updraft/service-kit";

const FREE_FAILURES = 5;
const LONGEST_WAIT_SECONDS = 60;
/** Failures older than this don't count. */
const MEMORY_MS = 15 * 60_000;
const MOST_KEYS = 10_000;
/** A hash takes a tenth of a second of a core and 16 MB. */
const MOST_AT_ONCE = 8;

interface Failures {
  readonly count: number;
  readonly last: number;
}

export interface LoginThrottle {
  /** Runs `attempt`, which tells whether the login was good; throws `ApiError` where it has to wait. */
  guard(keys: readonly string[], attempt: () => Promise<boolean>): Promise<boolean>;
}

export function createLoginThrottle(clock: Clock): LoginThrottle {
  const failures = new Map<string, Failures>();
  let running = 0;

  function secondsToWait(key: string): number {
    const known = failures.get(key);
    if (known === undefined || known.count < FREE_FAILURES) return 0;
    const wait = Math.min(2 ** (known.count - FREE_FAILURES), LONGEST_WAIT_SECONDS);
    return Math.ceil(wait - (clock.now() - known.last) / 1000);
  }

  function remember(key: string): void {
    const known = failures.get(key);
    const now = clock.now();
    const count = known !== undefined && now - known.last < MEMORY_MS ? known.count + 1 : 1;
    failures.delete(key);
    failures.set(key, { count, last: now });
    const oldest = failures.keys().next().value;
    if (failures.size > MOST_KEYS && oldest !== undefined) failures.delete(oldest);
  }

  return {
    async guard(keys, attempt) {
      const seconds = Math.max(0, ...keys.map(secondsToWait));
      if (seconds > 0) throw new ApiError("too_many_logins", { seconds });
      if (running >= MOST_AT_ONCE) throw new ApiError("too_many_logins", { seconds: 1 });
      running += 1;
      try {
        const good = await attempt();
        for (const key of keys) good ? failures.delete(key) : remember(key);
        return good;
      } finally {
        running -= 1;
      }
    },
  };
}
