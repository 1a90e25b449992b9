import { at } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import {
  clearRunEffect,
  clearSelects,
  clearTaskEffect,
  countStates,
  type DagRunState,
  type DagRunType,
  evaluateDeadlock,
  evaluateRun,
  failFastEffect,
  generateRunId,
  markRunEffect,
  runStateEffect,
  runTypeOfId,
  skipDecision,
  skipRequestEffect,
  TASK_INSTANCE_STATES,
  type TaskInstanceState,
  timeoutEffect,
  validateRunId,
} from "../src/index.ts";
import { table } from "./table.ts";

const NOW = at("2026-03-01T06:05:04Z");

function states(text: string | undefined): TaskInstanceState[] {
  return (text ?? "")
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => (word === "none" ? null : word) as TaskInstanceState);
}

describe("evaluateRun", () => {
  it.each(
    table(`
      unfinished | leaves                  | running for | timeout | result
      0          | success                 | 1           | -       | success/success
      0          | skipped                 | 1           | -       | success/success
      0          | skipped skipped         | 1           | -       | success/success
      0          | -                       | 1           | -       | success/success
      0          | success removed         | 1           | -       | success/success
      0          | success failed          | 1           | -       | failed/task_failure
      0          | success upstream_failed | 1           | -       | failed/task_failure
      1          | failed running          | 1           | -       | running/null
      0          | none                    | 1           | -       | running/null
      0          | success                 | 11          | 10      | failed/timed_out
      3          | none                    | 11          | 10      | failed/timed_out
      3          | none                    | 10          | 10      | running/null
      0          | success                 | 10          | 10      | success/success
    `),
  )("$unfinished unfinished, leaves [$leaves], $timeout s of time after $running for -> $result", (row) => {
    const evaluation = evaluateRun({
      unfinished: Number(row.unfinished),
      leafStates: countStates(states(row.leaves)),
      startDate: NOW - Number(row["running for"]) * 1000,
      dagrunTimeout: row.timeout === "" ? null : Number(row.timeout),
      now: NOW,
    });
    expect(`${evaluation.state}/${evaluation.reason}`).toBe(row.result);
  });

  it("does not time out a run that has not started", () => {
    expect(
      evaluateRun({ unfinished: 1, leafStates: countStates([null]), startDate: null, dagrunTimeout: 1, now: NOW })
        .state,
    ).toBe("running");
  });
});

describe("evaluateDeadlock", () => {
  const free = { depends_on_past: false, max_active_tis_per_dag: null, max_active_tis_per_dagrun: null };
  const stuck = { state: null, verdict: "wait", task: free } as const;

  it("fails a run in which nothing can move", () => {
    expect(evaluateDeadlock([stuck, stuck])).toMatchObject({ state: "failed", reason: "all_tasks_deadlocked" });
  });

  it.each([
    ["nothing is unfinished", []],
    ["one may run", [stuck, { ...stuck, verdict: "run" as const }]],
    ["one is decided", [stuck, { ...stuck, verdict: "set" as const }]],
    ["one waits for a retry", [stuck, { ...stuck, state: "up_for_retry" as const }]],
    ["one is deferred", [stuck, { ...stuck, state: "deferred" as const }]],
    ["one waits for the previous run", [stuck, { ...stuck, task: { ...free, depends_on_past: true } }]],
    ["one waits for other runs of its task", [stuck, { ...stuck, task: { ...free, max_active_tis_per_dag: 1 } }]],
    ["one waits for its own kind", [stuck, { ...stuck, task: { ...free, max_active_tis_per_dagrun: 1 } }]],
  ])("is no deadlock when %s", (_, unfinished) => {
    expect(evaluateDeadlock(unfinished)).toBeNull();
  });
});

describe("runStateEffect", () => {
  it.each(
    table(`
      from    | to      | queued_at | start_date | end_date
      -       | queued  | now       | keep       | keep
      queued  | running | keep      | started    | null
      queued  | failed  | keep      | keep       | now
      running | queued  | now       | null       | null
      running | success | keep      | keep       | now
      success | queued  | now       | null       | null
      failed  | running | keep      | now        | null
      success | failed  | keep      | keep       | keep
      running | running | keep      | keep       | keep
    `),
  )("$from -> $to", (row) => {
    const from = (row.from === "" ? null : row.from) as DagRunState | null;
    const dates = runStateEffect(from, row.to as DagRunState, NOW - 1, NOW);
    const words: Record<string, unknown> = { keep: undefined, null: null, now: NOW, started: NOW - 1 };
    for (const date of ["queued_at", "start_date", "end_date"] as const)
      expect(dates[date]).toBe(words[row[date] ?? ""]);
  });

  it("starts a run now when it never started", () => {
    expect(runStateEffect("queued", "running", null, NOW).start_date).toBe(NOW);
  });
});

describe("clear, mark, skip", () => {
  it("allows as many new tries as the task has retries", () => {
    const afterTwo = { state: "failed", try_number: 2, max_tries: 1 } as const;
    expect(clearTaskEffect(afterTwo, 1)).toEqual({ state: null, max_tries: 3 });
    expect(clearTaskEffect({ state: null, try_number: 0, max_tries: 1 }, 1)).toEqual({ state: null, max_tries: 1 });
  });

  it("restarts what runs", () => {
    expect(clearTaskEffect({ state: "running", try_number: 2, max_tries: 1 }, 1)).toEqual({
      state: "restarting",
      max_tries: 1,
    });
  });

  it("queues a finished run again and leaves a queued one", () => {
    expect(clearRunEffect("failed", NOW)).toEqual({
      state: "queued",
      clear_number_increment: 1,
      dates: { queued_at: NOW, start_date: null, end_date: null },
    });
    expect(clearRunEffect("running", NOW)).toEqual({
      state: "running",
      clear_number_increment: 1,
      dates: { queued_at: NOW },
    });
    expect(clearRunEffect("queued", NOW)).toEqual({ state: "queued", clear_number_increment: 0, dates: {} });
  });

  it.each(
    table(`
      state             | mark success | fail_fast | skip request | timeout | only_failed | only_running
      none              | skipped      | skipped   | skipped      | skipped | no          | no
      scheduled         | skipped      | skipped   | skipped      | skipped | no          | no
      queued            | skipped      | skipped   | skipped      | skipped | no          | no
      running           | success      | failed    | -            | skipped | no          | yes
      success           | -            | -         | -            | -       | no          | no
      failed            | -            | -         | -            | -       | yes         | no
      skipped           | -            | -         | -            | -       | no          | no
      upstream_failed   | -            | skipped   | skipped      | -       | yes         | no
      removed           | -            | skipped   | skipped      | -       | no          | no
      up_for_retry      | skipped      | skipped   | skipped      | skipped | no          | no
      up_for_reschedule | success      | skipped   | skipped      | skipped | no          | no
      deferred          | success      | skipped   | skipped      | skipped | no          | no
      awaiting_input    | success      | skipped   | skipped      | skipped | no          | no
      restarting        | skipped      | skipped   | skipped      | skipped | no          | no
    `),
  )("$state", (row) => {
    const [state = null] = states(row.state);
    expect(markRunEffect(state, "success") ?? "").toBe(row["mark success"]);
    expect(failFastEffect(state) ?? "").toBe(row.fail_fast);
    expect(skipRequestEffect(state) ?? "").toBe(row["skip request"]);
    expect(timeoutEffect(state) ?? "").toBe(row.timeout);
    expect(clearSelects(state, { only_failed: true, only_running: false })).toBe(row.only_failed === "yes");
    expect(clearSelects(state, { only_failed: false, only_running: true })).toBe(row.only_running === "yes");
    expect(clearSelects(state, { only_failed: false, only_running: false })).toBe(true);
  });

  it("covers every state in the table above", () => {
    expect(TASK_INSTANCE_STATES).toHaveLength(13);
  });
});

describe("skipDecision", () => {
  it.each([
    [{ followed: ["a"] }, "a", false],
    [{ followed: ["a"] }, "b", true],
    [{ followed: [] }, "a", true],
    [{ skipped: ["a"] }, "a", true],
    [{ skipped: ["a"] }, "b", false],
    [{ followed: "a" }, "b", false],
    [["a"], "a", false],
    ["a", "a", false],
    [null, "a", false],
    [undefined, "a", false],
  ])("%j for %s: %s", (value, taskId, skip) => {
    expect(skipDecision(value, taskId)).toBe(skip);
  });
});

describe("run ids", () => {
  it("are made of type, instant and suffix", () => {
    expect(generateRunId("scheduled", NOW, null)).toBe("scheduled__2026-03-01T06:05:04+00:00");
    expect(generateRunId("manual", NOW + 120, "x7")).toBe("manual__2026-03-01T06:05:04.120000+00:00_x7");
    expect(generateRunId("operator_triggered", NOW, null)).toBe("manual__2026-03-01T06:05:04+00:00");
  });

  it.each(
    table(`
      run id                                 | type      | fine
      manual__2026-03-01T06:05:04+00:00      | manual    | yes
      my-run.1~2:3+4                         | manual    | yes
      scheduled__2026-03-01T06:05:04+00:00   | scheduled | yes
      scheduled__2026-03-01T06:05:04+00:00   | manual    | no
      backfill__x                            | manual    | no
      ../etc                                 | manual    | no
      a b                                    | manual    | no
      a/b                                    | manual    | no
      -                                      | manual    | no
    `),
  )("'$run id' for a $type run: $fine", (row) => {
    const message = validateRunId(row["run id"] ?? "", row.type as DagRunType);
    expect(message === null ? "yes" : "no").toBe(row.fine);
  });

  it("limits the length and reads the type back", () => {
    expect(validateRunId("x".repeat(251), "manual")).toContain("251");
    for (const type of ["scheduled", "backfill", "asset_triggered"] as const)
      expect(runTypeOfId(generateRunId(type, NOW, null))).toBe(type);
    expect(runTypeOfId("anything")).toBe("manual");
  });
});
