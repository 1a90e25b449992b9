import { dag, task } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import {
  canonicalJson,
  type SerializedDag,
  type SerializedTask,
  suggest,
  type TriggerRule,
  validateDag,
} from "../src/index.ts";

function messages(broken: SerializedDag): string[] {
  return validateDag(broken).map((issue) => `${issue.task_id ?? "DAG"}: ${issue.message}`);
}

describe("validateDag", () => {
  it("accepts good DAGs, an empty one too", () => {
    expect(messages(dag("a > b > d, a > c > d"))).toEqual([]);
    expect(
      messages(dag("", { timetable: { type: "cron", expression: "0 6 * * *", timezone: "Europe/Zurich" } })),
    ).toEqual([]);
  });

  it.each<[string, SerializedDag]>([
    ["DAG: The tasks form a cycle: a >> b >> a", dag("a > b > a")],
    ["DAG: Task id 'a' is used more than once", dag("", { tasks: [task({ task_id: "a" }), task({ task_id: "a" })] })],
    ["DAG: DAG id 'a b' may only have letters, digits, '_', '-' and '.'", dag("a", { dag_id: "a b" })],
    ["DAG: DAG id is empty", dag("a", { dag_id: "" })],
    [`DAG: DAG id has 251 characters; at most 250 are allowed`, dag("a", { dag_id: "x".repeat(251) })],
    [
      "DAG: The schedule '@continuous' needs max_active_runs of at most 1, not 16",
      dag("a", { timetable: { type: "continuous" } }),
    ],
    ["DAG: max_active_tasks must be a whole number of at least 1, not 0", dag("a", { max_active_tasks: 0 })],
    ["DAG: dagrun_timeout must be more than 0 seconds, not 0", dag("a", { dagrun_timeout: 0 })],
    ["DAG: start_date is later than end_date", dag("a", { start_date: 2, end_date: 1 })],
  ])("%s", (message, broken) => {
    expect(messages(broken)).toEqual([message]);
  });

  it("passes on what is wrong with the schedule", () => {
    const cron = (expression: string, timezone: string) =>
      messages(dag("a", { timetable: { type: "cron", expression, timezone } }));
    expect(cron("61 * * * *", "UTC")).toEqual([expect.stringContaining("'61' is no minute")]);
    expect(cron("0 0 * * *", "Mars/Base")).toEqual([expect.stringContaining("The time zone 'Mars/Base' is unknown")]);
    expect(messages(dag("a", { timetable: { type: "delta", seconds: -5 } }))).toEqual([
      expect.stringContaining("no length of time"),
    ]);
  });

  it.each<[string, Partial<SerializedTask>]>([
    ["Unknown trigger rule 'all_sucess'; did you mean 'all_success'?", { trigger_rule: "all_sucess" as TriggerRule }],
    ["pool_slots must be a whole number of at least 1, not 0", { pool_slots: 0 }],
    ["retries must be a whole number of at least 0, not -1", { retries: -1 }],
    ["retry_delay must be at least 0 seconds, not NaN", { retry_delay: Number.NaN }],
    ["execution_timeout must be more than 0 seconds, not 0", { execution_timeout: 0 }],
    ["priority_weight must be a whole number, not 1.5", { priority_weight: 1.5 }],
    ["max_active_tis_per_dag must be a whole number of at least 1, not 0", { max_active_tis_per_dag: 0 }],
    ["queue must not be empty", { queue: "" }],
    ["Task 'extract' is before 'loda', which does not exist; did you mean 'load'?", { downstream_task_ids: ["loda"] }],
    ["Task 'extract' names its successor 'load' more than once", { downstream_task_ids: ["load", "load"] }],
    [
      "Input 'x' takes the result of 'laod', which does not exist; did you mean 'load'?",
      { arg_bindings: [{ name: "x", kind: "xcom", task_id: "laod" }] },
    ],
    [
      "Input 'x' takes the result of 'load', which is not upstream",
      { arg_bindings: [{ name: "x", kind: "xcom", task_id: "load" }] },
    ],
  ])("%s", (message, broken) => {
    expect(messages(dag("extract, load", {}, { extract: broken }))).toEqual([`extract: ${message}`]);
  });

  it("limits the rules under fail_fast", () => {
    expect(messages(dag("a > b", { fail_fast: true }, { b: { trigger_rule: "all_done" } }))).toEqual([
      "b: A DAG with fail_fast allows only the trigger rules all_success and all_done_setup_success, not 'all_done'",
    ]);
    expect(messages(dag("a > b", { fail_fast: true }))).toEqual([]);
  });
});

describe("canonicalJson", () => {
  it("does not depend on the order of keys, but on that of lists", () => {
    expect(canonicalJson({ b: [1, { d: 2, c: null }], a: "x" })).toBe('{"a":"x","b":[1,{"c":null,"d":2}]}');
    expect(canonicalJson({ a: undefined, b: 1 })).toBe(canonicalJson({ b: 1 }));
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
  });

  it("refuses what JSON cannot hold", () => {
    expect(() => canonicalJson({ at: Number.NaN })).toThrow("NaN");
    expect(() => canonicalJson({ call: () => 1 })).toThrow("plain data");
  });
});

describe("suggest", () => {
  it("offers near words only", () => {
    expect(suggest("one_sucess", ["one_success", "one_done"])).toBe("one_success");
    expect(suggest("zzzzzz", ["one_success"])).toBeNull();
  });
});
