/** Deadlines and allowed types of runs, as authors write them. */
import { describe, expect, it } from "vitest";
import { serializeBundle } from "../src/host.ts";
import { Bundle, Dag, type DagSpec } from "../src/index.ts";

function read(spec: DagSpec) {
  const defaults = { maxActiveRuns: 16, maxActiveTasks: 16, catchup: false };
  const { dags, errors } = serializeBundle(new Bundle(new Dag("d", spec)), { relativeFileloc: "d.ts", defaults });
  return dags[0] ?? errors[0]?.stack_trace ?? "nothing";
}

describe("deadline", () => {
  const date = new Date("2026-01-01T00:00:00Z");

  it.each<[NonNullable<DagSpec["deadline"]>, object]>([
    [
      { reference: "DAGRUN_QUEUED_AT", interval: 60 },
      {
        name: null,
        reference: { reference_type: "DagRunQueuedAtDeadline" },
        interval: 60,
        callback: null,
      },
    ],
    [
      { name: "n", reference: { FIXED_DATETIME: date }, interval: { variable: "sla" } },
      {
        name: "n",
        reference: { reference_type: "FixedDatetimeDeadline", datetime: date.getTime() },
        interval: { variable: "sla" },
        callback: null,
      },
    ],
    [
      {
        reference: { AVERAGE_RUNTIME: { maxRuns: 5 } },
        interval: -1,
        callback: { triggerDag: "on_call", conf: { n: 1 } },
      },
      {
        name: null,
        reference: { reference_type: "AverageRuntimeDeadline", max_runs: 5, min_runs: 5 },
        interval: -1,
        callback: { dag_id: "on_call", conf: { n: 1 } },
      },
    ],
  ])("%j", (deadline, alert) => {
    expect(read({ deadline })).toMatchObject({ deadlines: [alert] });
  });

  it("is one or many, and leaves no trace where there is none", () => {
    const alert = { reference: "DAGRUN_LOGICAL_DATE", interval: 1 } as const;
    expect(read({ deadline: [alert, alert] })).toMatchObject({ deadlines: [{ interval: 1 }, { interval: 1 }] });
    expect(read({})).not.toHaveProperty("deadlines");
    expect(read({ deadline: [] })).not.toHaveProperty("deadlines");
  });

  it("says what is wrong in the author's words", () => {
    const wrong = (deadline: unknown) => read({ deadline: deadline as never });
    expect(wrong({ reference: "NOW", interval: 1 })).toMatch('needs reference as "DAGRUN_LOGICAL_DATE"');
    expect(wrong({ reference: "DAGRUN_QUEUED_AT", interval: "1h" })).toMatch("needs interval in seconds");
    expect(wrong({ reference: "DAGRUN_QUEUED_AT", interval: 1, who: 1 })).toMatch('unknown part "who"');
    expect(wrong({ reference: { AVERAGE_RUNTIME: { maxRuns: 1, minRuns: 2 } }, interval: 1 })).toMatch(
      "minRuns from 1",
    );
    expect(wrong({ reference: "DAGRUN_QUEUED_AT", interval: 1, callback: {} })).toMatch("needs callback as");
    expect(wrong(5)).toMatch("must be an object");
  });
});

describe("allowedRunTypes", () => {
  it("is a list of Airflow's types", () => {
    expect(read({ allowedRunTypes: ["manual", "backfill"] })).toMatchObject({
      allowed_run_types: ["manual", "backfill"],
    });
    expect(read({})).toMatchObject({ allowed_run_types: null });
    expect(read({ allowedRunTypes: ["automatic" as never] })).toMatch("allowedRunTypes");
  });
});
