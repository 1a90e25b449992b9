import { setTimeout as sleep } from "node:timers/promises";
import type { Driver } from "../driver.ts";
import type { Figure, Row } from "../row.ts";
import { spread } from "../statistics.ts";

const RATE = 100;
/** Looked at one after the other until one is not held. */
const HIGHER_RATES = [150, 200, 300, 400, 600];
const HELD_P99_MS = 100;

export const b6: Row = {
  id: "B6",
  work: "open loop: single-task runs by REST at a fixed rate, and the highest rate held",
  async measure(bench) {
    const { driver } = await bench.shared();
    const { loadSeconds } = bench.options;
    await driver.warmUp("bench_one", 5);
    const loaded = await drive(driver, RATE, loadSeconds);
    const knee = await findKnee(driver, loaded, Math.min(5, loadSeconds));
    return [
      {
        what: `trigger to start at ${RATE} runs/s for ${loadSeconds} s`,
        isolation: "warm process",
        unit: "ms",
        samples: loaded,
        bars: [
          { of: "p50", limit: 15 },
          { of: "p99", limit: 100 },
        ],
        floor: bench.handOverFloor,
      },
      knee,
    ];
  },
};

/** `loaded` is what the lowest rate gave; 0 where not even that one was held. */
async function findKnee(driver: Driver, loaded: readonly number[], seconds: number): Promise<Figure> {
  let held = 0;
  let broken = "";
  for (const rate of [RATE, ...HIGHER_RATES]) {
    const { p50, p99 } = spread(rate === RATE ? loaded : await drive(driver, rate, seconds));
    if (p99 > HELD_P99_MS) {
      broken = `at ${rate} runs/s p50 is ${p50.toFixed(0)} ms and p99 ${p99.toFixed(0)} ms`;
      break;
    }
    held = rate;
  }
  return {
    what: `highest of ${[RATE, ...HIGHER_RATES].join(", ")} runs/s held with p99 <= ${HELD_P99_MS} ms`,
    isolation: "warm process",
    unit: "runs/s",
    samples: [held],
    bars: [],
    floor: null,
    ...(broken === "" ? {} : { note: broken }),
  };
}

/** From each call to the start of its task; calls are made by the clock, however long earlier ones take. */
async function drive(driver: Driver, rate: number, seconds: number): Promise<number[]> {
  const begun = Date.now();
  const calls: Promise<{ triggeredAt: number; runId: string }>[] = [];
  for (let n = 0; n < rate * seconds; n++) {
    const due = begun + (n * 1000) / rate;
    if (due > Date.now()) await sleep(due - Date.now());
    calls.push(driver.trigger("bench_one"));
  }
  const triggered = new Map((await Promise.all(calls)).map(({ runId, triggeredAt }) => [runId, triggeredAt]));
  const started = await driver.starts("bench_one", new Set(triggered.keys()));
  return [...triggered].map(([runId, at]) => (started.get(runId) ?? Number.NaN) - at);
}
