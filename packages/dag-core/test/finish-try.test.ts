import { at, task } from "@updraft/testkit/dags";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finishTry, retryDelaySeconds, type TaskInstanceState, type TryEnd, type TryFacts } from "../src/index.ts";
import { table } from "./table.ts";

const NOW = at("2026-03-01T00:00:00Z");
const RETRY: TryEnd = { kind: "failed", retry: true, retry_delay_seconds: null };
const ENDS: Record<string, TryEnd> = {
  success: { kind: "success" },
  failed: RETRY,
  "failed for good": { ...RETRY, retry: false },
  skipped: { kind: "skipped" },
  removed: { kind: "removed" },
  deferred: { kind: "deferred", classpath: "a.Trigger" },
  awaiting_input: { kind: "awaiting_input" },
  up_for_reschedule: { kind: "up_for_reschedule", reschedule_date: NOW },
  lost: { kind: "lost", detail: "no heartbeat from host-1 since 00:00:00" },
};

function facts(overrides: Partial<TryFacts> = {}): TryFacts {
  return { state: "running", try_number: 1, max_tries: 2, dag_id: "d", logical_date: NOW, end_date: NOW, ...overrides };
}

describe("finishTry", () => {
  it.each(
    table(`
      state        | try | max_tries | retries | outcome         | result
      running      | 1   | 2         | 2       | success         | success
      running      | 1   | 2         | 2       | failed          | up_for_retry
      running      | 2   | 2         | 2       | failed          | up_for_retry
      running      | 3   | 2         | 2       | failed          | failed
      running      | 1   | 0         | 0       | failed          | failed
      running      | 1   | 5         | 0       | failed          | failed
      running      | 1   | 2         | 2       | failed for good | failed
      running      | 1   | 2         | 2       | lost            | up_for_retry
      running      | 3   | 2         | 2       | lost            | failed
      queued       | 1   | 2         | 2       | lost            | up_for_retry
      running      | 1   | 2         | 2       | skipped         | skipped
      running      | 1   | 2         | 2       | removed         | removed
      running      | 1   | 2         | 2       | deferred          | deferred
      running      | 3   | 2         | 2       | awaiting_input    | awaiting_input
      running      | 3   | 2         | 0       | up_for_reschedule | up_for_reschedule
      restarting   | 1   | 2         | 2       | deferred          | up_for_retry
      deferred     | 1   | 2         | 2       | deferred          | repeated
      scheduled    | 1   | 2         | 2       | deferred          | rejected
      deferred     | 1   | 2         | 2       | success           | rejected
      awaiting_input | 1 | 2         | 2       | lost              | rejected
      up_for_reschedule | 1 | 2      | 2       | up_for_reschedule | repeated
      restarting   | 9   | 0         | 0       | success         | up_for_retry
      restarting   | 9   | 0         | 0       | failed for good | up_for_retry
      restarting   | 9   | 0         | 0       | lost            | up_for_retry
      success      | 1   | 2         | 2       | success         | repeated
      failed       | 3   | 2         | 2       | failed          | repeated
      up_for_retry | 1   | 2         | 2       | failed          | repeated
      up_for_retry | 1   | 2         | 2       | lost            | repeated
      skipped      | 1   | 2         | 2       | skipped         | repeated
      success      | 1   | 2         | 2       | failed          | rejected
      failed       | 1   | 2         | 2       | success         | rejected
      queued       | 1   | 2         | 2       | success         | rejected
      scheduled    | 1   | 2         | 2       | lost            | rejected
      -            | 1   | 2         | 2       | success         | rejected
    `),
  )("$state, try $try of max $max_tries, $outcome -> $result", (row) => {
    const state = (row.state === "" ? null : row.state) as TaskInstanceState;
    const given = facts({ state, try_number: Number(row.try), max_tries: Number(row.max_tries) });
    const end = ENDS[row.outcome ?? ""];
    if (end === undefined) throw new Error("no such outcome");
    const decision = finishTry(given, end, task({ task_id: "t", retries: Number(row.retries) }), given.try_number, NOW);
    expect(decision.kind === "moved" ? decision.state : decision.kind).toBe(row.result);
  });

  it("makes three tries of retries = 2", () => {
    const always = task({ task_id: "t", retries: 2 });
    const states = [1, 2, 3].map((try_number) => finishTry(facts({ try_number }), RETRY, always, try_number, NOW));
    expect(states.map((decision) => decision.kind === "moved" && decision.state)).toEqual([
      "up_for_retry",
      "up_for_retry",
      "failed",
    ]);
  });

  it("keeps the try of what waits, whatever else is left", () => {
    for (const kind of ["deferred", "awaiting_input", "up_for_reschedule"]) {
      const decision = finishTry(facts({ try_number: 3 }), ENDS[kind] ?? RETRY, task({ task_id: "t" }), 3, NOW);
      expect(decision).toEqual({ kind: "moved", state: kind, next_retry_at: null, cause: expect.any(String) });
    }
  });

  it("rejects an older try and refuses one that never started", () => {
    const twice = facts({ try_number: 2 });
    expect(finishTry(twice, RETRY, task({ task_id: "t" }), 1, NOW)).toMatchObject({ kind: "rejected" });
    expect(() => finishTry(twice, RETRY, task({ task_id: "t" }), 3, NOW)).toThrow("Impossible state");
  });

  it("waits from the end of the try, or as long as the task asked for", () => {
    const patient = task({ task_id: "t", retries: 1, retry_delay: 10 });
    const ended = facts({ end_date: NOW - 4000 });
    expect(finishTry(ended, RETRY, patient, 1, NOW)).toMatchObject({ next_retry_at: NOW + 6000 });
    expect(finishTry(ended, { ...RETRY, retry_delay_seconds: 1.5 }, patient, 1, NOW)).toMatchObject({
      next_retry_at: NOW - 2500,
    });
  });

  it("restarts a cleared try at once, whatever the delay", () => {
    const decision = finishTry(facts({ state: "restarting" }), ENDS.lost ?? RETRY, task({ task_id: "t" }), 1, NOW);
    expect(decision).toMatchObject({ kind: "moved", state: "up_for_retry", next_retry_at: NOW });
  });

  it("names the reason in the cause", () => {
    const decision = finishTry(facts({ max_tries: 0 }), ENDS.lost ?? RETRY, task({ task_id: "t" }), 1, NOW);
    expect(decision).toMatchObject({ cause: "Try 1 of 1 failed: no heartbeat from host-1 since 00:00:00" });
  });
});

describe("retryDelaySeconds", () => {
  const failed = (try_number: number) => ({ dag_id: "d", logical_date: NOW, try_number });

  it.each(
    table(`
      delay | backoff | max | try | from  | below
      10    | 2       | -   | 1   | 10    | 20
      10    | 2       | -   | 2   | 20    | 40
      10    | 2       | -   | 3   | 40    | 80
      10    | 2       | 15  | 3   | 15    | 15.1
      10    | 0       | 5   | 3   | 10    | 10.1
      10    | 1       | 5   | 3   | 10    | 10.1
      0     | 2       | -   | 1   | 1     | 2
      300   | 2       | -   | 30  | 86400 | 86400.1
      300   | 9       | -   | 999 | 86400 | 86400.1
    `),
  )("delay $delay, backoff $backoff, max $max, try $try waits in [$from, $below)", (row) => {
    const policy = {
      task_id: "t",
      retry_delay: Number(row.delay),
      retry_exponential_backoff: Number(row.backoff),
      max_retry_delay: row.max === "" ? null : Number(row.max),
    };
    const wait = retryDelaySeconds(failed(Number(row.try)), policy);
    expect(wait).toBeGreaterThanOrEqual(Number(row.from));
    expect(wait).toBeLessThan(Number(row.below));
    expect(retryDelaySeconds(failed(Number(row.try)), policy)).toBe(wait);
  });

  it("spreads tasks over the interval", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 40, maxLength: 40 }), (ids) => {
        const waits = ids.map((task_id) =>
          retryDelaySeconds(failed(1), {
            task_id,
            retry_delay: 1000,
            retry_exponential_backoff: 2,
            max_retry_delay: null,
          }),
        );
        expect(new Set(waits).size).toBeGreaterThan(20);
      }),
    );
  });
});
