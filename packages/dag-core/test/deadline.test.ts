import { describe, expect, it } from "vitest";
import { type DeadlineAlert, type DeadlineFacts, deadlineTime } from "../src/index.ts";

const FACTS: DeadlineFacts = { logical_date: 1000, queued_at: 5000, now: 6000, durations: [4, 2], variable: null };

function time(alert: Partial<DeadlineAlert>, facts: Partial<DeadlineFacts> = {}): number | null {
  const whole = { name: null, interval: 60, callback: null, ...alert } as DeadlineAlert;
  return deadlineTime(whole, { ...FACTS, ...facts })?.deadline_time ?? null;
}

describe("deadlineTime", () => {
  const average = { reference_type: "AverageRuntimeDeadline", max_runs: 2, min_runs: 2 } as const;

  it("counts from the logical date, the queueing, a fixed time, or the mean duration", () => {
    expect(time({ reference: { reference_type: "DagRunLogicalDateDeadline" } })).toBe(61_000);
    expect(time({ reference: { reference_type: "DagRunQueuedAtDeadline" } })).toBe(65_000);
    expect(time({ reference: { reference_type: "FixedDatetimeDeadline", datetime: 7000 }, interval: -1 })).toBe(6000);
    expect(time({ reference: average })).toBe(6000 + 3000 + 60_000);
    expect(time({ reference: { ...average, max_runs: 1, min_runs: 1 } })).toBe(6000 + 4000 + 60_000);
  });

  it("is none without its reference", () => {
    expect(time({ reference: { reference_type: "DagRunLogicalDateDeadline" } }, { logical_date: null })).toBeNull();
    expect(time({ reference: average }, { durations: [4] })).toBeNull();
    expect(time({ reference: { ...average, min_runs: 0 } }, { durations: [] })).toBeNull();
  });

  it("takes its interval from a variable, and is none where that is no number", () => {
    const alert = { reference: { reference_type: "DagRunQueuedAtDeadline" }, interval: { variable: "v" } } as const;
    expect(time(alert, { variable: "1.5" })).toBe(6500);
    for (const variable of [null, "", "soon"]) expect(time(alert, { variable })).toBeNull();
  });
});
