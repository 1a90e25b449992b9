/**
 * A loop as ticks: timers and wake-ups only call `runOnce`, one at a time, so that a test can call it as well.
 *
 * ```
 *   waiting --interval or wake--> running --done--> waiting
 *   running --wake--> running, dirty --done--> running (once more, however many wakes came)
 * ```
 */
import type { Clock } from "./clock.ts";
import { systemIds } from "./ids.ts";
import type { Logger } from "./logger.ts";

export interface LoopOptions {
  readonly name: string;
  /** Longest time between two ticks; a function is asked before each wait, as by who knows the next due instant. */
  readonly intervalMs: number | (() => number);
  /** Share of the interval added or taken at random (0.1 = ±10 %), so that many instances don't tick together. */
  readonly jitter?: number;
  /** One bounded piece of work. An error is logged and the loop goes on. */
  readonly runOnce: () => Promise<unknown>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random?: () => number;
}

export interface Loop {
  /** Ticks as soon as possible; during a tick it makes one more follow. */
  wake(): void;
  /** Resolves when the running tick is done. May be called twice. */
  stop(): Promise<void>;
}

/** Starts ticking at once. */
export function startLoop(options: LoopOptions): Loop {
  const { clock, logger, name, runOnce } = options;
  let dirty = true;
  let stopped = false;
  let waiting = new AbortController();

  const running = run();

  async function run(): Promise<void> {
    while (!stopped) {
      if (!dirty) {
        waiting = new AbortController();
        await clock.sleep(nextWaitMs(options), waiting.signal);
      }
      if (stopped) return;
      dirty = false;
      await runOnce().catch((error: unknown) =>
        logger.error({ err: error, loop: name }, "a tick failed; the loop goes on"),
      );
    }
  }

  return {
    wake() {
      dirty = true;
      waiting.abort();
    },
    async stop() {
      stopped = true;
      waiting.abort();
      await running;
    },
  };
}

function nextWaitMs({ intervalMs, jitter = 0, random = systemIds.random }: LoopOptions): number {
  const interval = typeof intervalMs === "number" ? intervalMs : intervalMs();
  return Math.max(0, interval * (1 + jitter * (2 * random() - 1)));
}
