/** The states of task instances: which there are, which sets they form, which ends they take. */
import { at, task } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import {
  clearSelects,
  finishTry,
  hasInstance,
  isActive,
  isExecuting,
  isFinished,
  isWaiting,
  markedDownstreamIsCleared,
  TASK_INSTANCE_STATES,
  type TaskInstanceState,
  type TryEnd,
} from "../src/index.ts";
import { table } from "./table.ts";

const NOW = at("2026-03-01T00:00:00Z");
const STATES: readonly TaskInstanceState[] = [null, ...TASK_INSTANCE_STATES];
const named = (state: TaskInstanceState) => state ?? "none";
const only_failed = { only_failed: true, only_running: false };

it("are fourteen, with none", () => {
  expect(STATES.map(named).toSorted()).toEqual(
    [
      "awaiting_input deferred failed none queued removed restarting running scheduled skipped success up_for_reschedule",
      "up_for_retry upstream_failed",
    ]
      .join(" ")
      .split(" "),
  );
});

it.each<[string, (state: TaskInstanceState) => boolean, string]>([
  ["finished", isFinished, "failed removed skipped success upstream_failed"],
  ["executing", isExecuting, "queued running"],
  ["active", isActive, "awaiting_input deferred queued running"],
  ["waiting without a slot", isWaiting, "awaiting_input deferred up_for_reschedule"],
  ["failed for what clears failures", (state) => clearSelects(state, only_failed), "failed upstream_failed"],
  ["failed for what follows a marked task", markedDownstreamIsCleared, "failed upstream_failed"],
])("are %s", (_, holds, members) => {
  expect(STATES.filter(holds).map(named).toSorted().join(" ")).toBe(members);
});

describe("the end of a try", () => {
  const ends: Record<string, TryEnd> = {
    success: { kind: "success" },
    failed: { kind: "failed", retry: false, retry_delay_seconds: null },
    skipped: { kind: "skipped" },
    removed: { kind: "removed" },
    deferred: { kind: "deferred", classpath: "a.Trigger" },
    awaiting_input: { kind: "awaiting_input" },
    up_for_reschedule: { kind: "up_for_reschedule", reschedule_date: NOW },
    lost: { kind: "lost" },
  };
  const kinds = Object.keys(ends);

  function takenFrom(state: TaskInstanceState): string {
    const facts = { state, try_number: 1, max_tries: 0, dag_id: "d", logical_date: NOW, end_date: NOW };
    const of = (wanted: string) =>
      kinds.filter((kind) => {
        const end = ends[kind];
        return end !== undefined && finishTry(facts, end, task({ task_id: "t" }), 1, NOW).kind === wanted;
      });
    return `moved by ${of("moved").join(" ") || "nothing"}, repeated by ${of("repeated").join(" ") || "nothing"}`;
  }

  it("is taken from what runs alone, repeated by what is there already, and refused elsewhere", () => {
    const everything = `moved by ${kinds.join(" ")}, repeated by nothing`;
    expect(Object.fromEntries(STATES.map((state) => [named(state), takenFrom(state)]))).toEqual({
      none: "moved by nothing, repeated by nothing",
      scheduled: "moved by nothing, repeated by nothing",
      queued: "moved by lost, repeated by nothing",
      running: everything,
      restarting: everything,
      success: "moved by nothing, repeated by success",
      failed: "moved by nothing, repeated by failed lost",
      skipped: "moved by nothing, repeated by skipped",
      upstream_failed: "moved by nothing, repeated by nothing",
      removed: "moved by nothing, repeated by removed",
      up_for_retry: "moved by nothing, repeated by failed lost",
      up_for_reschedule: "moved by nothing, repeated by up_for_reschedule",
      deferred: "moved by nothing, repeated by deferred",
      awaiting_input: "moved by nothing, repeated by awaiting_input",
    });
  });
});

describe("an instance is made", () => {
  const [before, start, end, after] = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"].map((day) =>
    at(`${day}T00:00:00Z`),
  );

  it.each(
    table(`
      run_type  | date   | made
      scheduled | before | no
      scheduled | start  | yes
      scheduled | end    | yes
      scheduled | after  | no
      manual    | before | no
      backfill  | before | yes
      backfill  | after  | no
      manual    | -      | yes
    `),
  )("for a $run_type run at [$date] of a task with start and end: $made", ({ run_type, date, made }) => {
    const dates: Record<string, number | undefined> = { before, start, end, after };
    const run = { run_type: run_type as "manual", logical_date: dates[date ?? ""] ?? null };
    expect(hasInstance({ start_date: start ?? null, end_date: end ?? null }, run)).toBe(made === "yes");
  });
});
