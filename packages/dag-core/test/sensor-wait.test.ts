import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSensorTimedOut, type SensorPlan, sensorWaitSeconds } from "../src/index.ts";
import { table } from "./table.ts";

const PLAN: SensorPlan = {
  poke_interval: 60,
  timeout: 604_800,
  exponential_backoff: false,
  max_wait: null,
  mode: "poke",
};
const BACKOFF = { ...PLAN, exponential_backoff: true };

describe("sensorWaitSeconds", () => {
  it("is the poke interval without backoff", () => {
    expect(sensorWaitSeconds(PLAN, { elapsed: 1e6, pokes: 9, seed: "s" })).toBe(60);
  });

  it.each(
    table(`
      poke | look | from | below
      60   | 1    | 30   | 60
      60   | 2    | 60   | 120
      60   | 3    | 120  | 240
      60   | 5    | 480  | 960
      1    | 1    | 1    | 2
      0    | 4    | 1    | 2
    `),
  )("poke $poke: wait $look lies in [$from, $below)", ({ poke, look, from, below }) => {
    const wait = sensorWaitSeconds(
      { ...BACKOFF, poke_interval: Number(poke) },
      { elapsed: 0, pokes: Number(look), seed: "s" },
    );
    expect(wait).toBeGreaterThanOrEqual(Number(from));
    expect(wait).toBeLessThan(Number(below));
  });

  it("ends with the time-out, and is never longer than max_wait", () => {
    expect(sensorWaitSeconds({ ...BACKOFF, timeout: 100 }, { elapsed: 93.7, pokes: 9, seed: "s" })).toBe(7);
    expect(sensorWaitSeconds({ ...BACKOFF, max_wait: 5 }, { elapsed: 0, pokes: 9, seed: "s" })).toBe(5);
  });

  it("derives the look from the time elapsed where it reschedules: the waits so far fit into it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 12 }),
        fc.string(),
        (poke, looks, seed) => {
          const plan = { ...BACKOFF, poke_interval: poke, timeout: 1e9, mode: "reschedule" as const };
          const waits: number[] = [];
          let elapsed = 0;
          for (let look = 1; look <= looks; look += 1) {
            const wait = sensorWaitSeconds(plan, { elapsed, pokes: 1, seed });
            waits.push(wait);
            elapsed += wait;
          }
          const poked = waits.map((_, index) =>
            sensorWaitSeconds({ ...plan, mode: "poke" }, { elapsed: 0, pokes: index + 1, seed }),
          );
          expect(waits).toEqual(poked);
        },
      ),
    );
  });
});

it("a sensor gives up after its time-out, not at it", () => {
  expect([0, 604_800, 604_801].map((elapsed) => isSensorTimedOut(PLAN, elapsed))).toEqual([false, false, true]);
});
