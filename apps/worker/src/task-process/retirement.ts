/**
 * Whether a task process may run another try, and if not, why.
 */
import { countOpenHandles, newOpenHandles, type OpenHandles } from "@updraft/service-kit/open-handles";
import type { ReuseLimits } from "../protocol.ts";

/** What keeps a process awake is given so long to end after a try: a socket's close takes a turn or two of the loop. */
const SETTLE_MS = 100;
const LOOK_EVERY_MS = 10;

export interface Retirement {
  /** What the top of the author's file opened belongs to the process, not to a try. */
  noteLoaded(): void;
  /** Counts the try that just ended; null: the process may be used again. */
  check(limits: ReuseLimits): Promise<string | null>;
}

export function createRetirement(): Retirement {
  let handlesAtStart = countOpenHandles();
  const memoryAtStart = process.memoryUsage.rss();
  let tries = 0;

  return {
    noteLoaded() {
      handlesAtStart = countOpenHandles();
    },
    async check({ max_tries, max_growth_bytes }) {
      tries += 1;
      if (tries >= max_tries) return `it has run ${tries} tries`;
      const growth = process.memoryUsage.rss() - memoryAtStart;
      if (growth > max_growth_bytes) return `its memory grew by ${Math.round(growth / 1024 / 1024)} MiB`;
      const left = await leftHandles(handlesAtStart);
      return left.length === 0 ? null : `the try left behind: ${left.join(", ")}`;
    },
  };
}

async function leftHandles(before: OpenHandles): Promise<string[]> {
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    const left = newOpenHandles(before);
    if (left.length === 0 || waitedMs >= SETTLE_MS) return left;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
