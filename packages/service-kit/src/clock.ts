/**
 * Time as a port: services get a `Clock`, so that tests drive it.
 */

/** Instants are milliseconds since the epoch, UTC. */
export interface Clock {
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; it never rejects. Look at the signal afterwards. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  sleep: (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal?.aborted === true) return resolve();
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      signal?.addEventListener("abort", finish, { once: true });
    }),
});

/** Aborts what only has to end. The default reason is an exception with its stack, made anew each time. */
export const NO_REASON = null;
