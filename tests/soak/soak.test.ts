/** The soak's short form; `npm run soak -- 30` takes half an hour. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { printReport, type Soak, soakFor, startSoak } from "./soak.ts";

const SHORT_MS = 45_000;

describe.skipIf(process.platform !== "linux")("the flagship for a while (reads /proc, so Linux only)", () => {
  let soak: Soak;
  beforeAll(async () => {
    soak = await startSoak();
  }, 300_000);
  afterAll(() => soak?.stop(), 60_000);

  it("misses no tick, loses and doubles no sample", async () => {
    await soakFor(soak, SHORT_MS);
    const report = await soak.settle();
    printReport(report);
    expect(report).toMatchObject({ unaccounted: [], failedRuns: [], missing: [], surplus: [] });
    expect(report.ticks).toBeGreaterThanOrEqual(Math.floor(SHORT_MS / 5000) - 1);
    expect(report.expected).toBeGreaterThan(report.ticks * 100);
    expect(report.ups).toBe(report.records);
  });
});
