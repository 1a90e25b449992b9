/** The short form of `npm run chaos`. */
import { describe, expect, it } from "vitest";
import { LEASE_SECONDS, runChaos } from "./chaos.ts";
import { readEffects } from "./effects.ts";

describe.skipIf(process.platform !== "linux")("chaos on real processes (reads /proc, so Linux only)", () => {
  it("loses nothing, doubles nothing, and recovers within two leases", async () => {
    const report = await runChaos({ runs: 30, pauseMs: 1500, limitMs: 120_000, say: () => undefined });
    expect(report.lost).toEqual([]);
    expect(report.doubled).toEqual([]);
    expect(report.slowestRescueSeconds).toBeLessThanOrEqual(2 * LEASE_SECONDS);
  }, 240_000);
});

describe("what tasks wrote", () => {
  it("tells a try that ran twice, and one that ran beside an earlier one", () => {
    const lines = [
      "begin r a 1 10",
      "begin r a 2 15",
      "end r a 1 20",
      "end r a 2 30",
      "begin r b 1 10",
      "begin r b 1 11",
    ];
    const effects = readEffects(lines.join("\n"));
    expect(effects.doubled()).toEqual(["r a: try 2 began before try 1 ended", "r b: try 1 began twice"]);
    expect([effects.repeated(), effects.ended("r", "a"), effects.ended("r", "b")]).toEqual([1, true, false]);
  });
});
