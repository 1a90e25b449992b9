import { dag, task } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import {
  decideInstance,
  distantWatchers,
  effectiveLeaves,
  type InstanceFacts,
  relatedTasks,
  type SerializedTask,
  type TaskInstanceState,
  TRIGGER_RULES,
  type TriggerRule,
  taskShapes,
  type UpstreamCounts,
  validateDag,
} from "../src/index.ts";
import { table } from "./table.ts";

const NOTHING: UpstreamCounts = { total: 0, success: 0, failed: 0, upstream_failed: 0, skipped: 0, removed: 0 };
const SETUP = { is_setup: true };
const TEARDOWN = { is_teardown: true, trigger_rule: "all_done_setup_success" as const };
const BARE = { indirectSetups: [], directSetups: [], scope: [], deciders: [], isMapped: false, retryingGroups: [] };

function facts(overrides: Partial<InstanceFacts> & { task?: SerializedTask } = {}): InstanceFacts {
  return {
    task: task({ task_id: "t" }),
    shape: BARE,
    map_index: -1,
    upstream: NOTHING,
    related: [],
    decisions: [],
    past: { kind: "met" },
    held: null,
    is_paused: false,
    ...overrides,
  };
}

function verdictOf(given: InstanceFacts): string {
  const verdict = decideInstance(given);
  return verdict.kind === "set" ? verdict.state : verdict.kind;
}

/** `a success, b none` as the related instances of a task. */
function related(text: string) {
  return text
    .split(",")
    .map((one) => one.trim().split(" "))
    .filter(([id]) => id !== "")
    .map(([task_id = "", state]) => ({
      task_id,
      map_index: -1,
      state: (state === "none" ? null : state) as TaskInstanceState,
    }));
}

describe("decideInstance", () => {
  it.each(
    table(`
      setups                 | rule        | upstream | verdict
      s success              | all_success | success  | run
      s success, s2 success  | all_done    | failed   | run
      s none                 | all_done    | success  | wait
      s running              | one_success | success  | wait
      s failed               | all_done    | success  | upstream_failed
      s failed               | all_done    | none     | upstream_failed
      s upstream_failed      | one_failed  | none     | upstream_failed
      s skipped              | all_done    | success  | skipped
      s skipped, s2 failed   | all_done    | success  | upstream_failed
      s removed              | all_done    | success  | run
      s failed               | always      | success  | run
      s none                 | all_done    | skipped  | wait
      s none                 | all_success | failed   | upstream_failed
    `),
  )("setups further up [$setups], $rule over [$upstream] -> $verdict", (row) => {
    const { setups = "", rule, upstream } = row;
    const given = facts({
      task: task({ task_id: "t", trigger_rule: rule as TriggerRule }),
      shape: { ...BARE, indirectSetups: ["s", "s2"] },
      related: related(setups),
      upstream: { ...NOTHING, total: 1, ...(upstream === "none" ? {} : { [upstream ?? ""]: 1 }) },
    });
    expect(verdictOf(given)).toBe(row.verdict);
  });

  it.each(
    table(`
      setups             | scope      | verdict
      s success          | b success  | run
      s success          | b running  | wait
      s success          | b none     | wait
      s success          | b failed   | run
      s failed           | b running  | upstream_failed
      s skipped          | b skipped  | skipped
      s failed, s2 success | b success | run
    `),
  )("a teardown with setups [$setups] and, between them, [$scope] -> $verdict", ({ setups, scope, verdict }) => {
    const given = facts({
      task: task({ task_id: "t", ...TEARDOWN }),
      shape: { ...BARE, directSetups: ["s", "s2"], scope: ["b"] },
      related: related(`${setups}, ${scope}`),
      upstream: { ...NOTHING, total: 2, success: 2 },
    });
    expect(verdictOf(given)).toBe(verdict);
  });

  it.each(TRIGGER_RULES)(
    "withholds every skip of %s while the run before does not allow the task, and only skips",
    (rule) => {
      for (const state of ["success", "failed", "upstream_failed", "skipped", "removed"] as const) {
        const upstream = { ...NOTHING, total: 1, [state]: 1 };
        const patient = task({ task_id: "t", trigger_rule: rule, wait_for_past_depends_before_skipping: true });
        const blocked = { kind: "blocked", cause: "depends_on_past: it failed" } as const;
        const before = verdictOf(facts({ task: patient, upstream }));
        const expected = before === "skipped" || before === "run" ? "wait" : before;
        expect(verdictOf(facts({ task: patient, upstream, past: blocked }))).toBe(expected);
        const hasty = task({ task_id: "t", trigger_rule: rule });
        expect(verdictOf(facts({ task: hasty, upstream, past: blocked }))).toBe(before === "run" ? "wait" : before);
      }
    },
  );

  it("waits for the run before without being stuck, and names it", () => {
    const past = { kind: "blocked", cause: "depends_on_past: it did not succeed in the run before, r1" } as const;
    expect(decideInstance(facts({ past }))).toEqual({ kind: "wait", cause: past.cause, isStuck: false });
  });

  it("waits for a group before it that runs again, whatever its rule says", () => {
    for (const trigger_rule of TRIGGER_RULES) {
      const upstream = { ...NOTHING, total: 1, failed: 1 };
      expect(verdictOf(facts({ task: task({ task_id: "t", trigger_rule }), upstream, held: "g runs again" }))).toBe(
        "wait",
      );
    }
  });

  it("is stuck when everything upstream is over and the rule still can't tell", () => {
    const given = facts({
      task: task({ task_id: "t", trigger_rule: "all_skipped" }),
      upstream: { ...NOTHING, total: 2, skipped: 1, removed: 1 },
    });
    expect(decideInstance(given)).toMatchObject({ kind: "wait", isStuck: true });
  });

  it.each(
    table(`
      decider | decision               | own index | verdict
      plain   | {"followed":["x"]}     | -1        | skipped
      plain   | {"followed":["t"]}     | -1        | run
      plain   | {"skipped":["t"]}      | 4         | skipped
      plain   | {"skipped":["x"]}      | -1        | run
      plain   | "t"                    | -1        | run
      mapped  | {"skipped":["t"]}      | 2         | skipped
      mapped  | {"skipped":["t"]}      | 3         | run
    `),
  )("a $decider decider left $decision for an instance at $own index -> $verdict", (row) => {
    const isMapped = row.decider === "mapped";
    const given = facts({
      shape: { ...BARE, deciders: [{ task_id: "pick", isMapped }] },
      map_index: Number(row["own index"] === "" ? -1 : row["own index"]),
      decisions: [{ task_id: "pick", map_index: isMapped ? 2 : -1, value: JSON.parse(row.decision ?? "") }],
      upstream: { ...NOTHING, total: 1, success: 1 },
    });
    expect(verdictOf(given)).toBe(row.verdict);
  });

  it("lets an empty task succeed at once, unless it updates assets or its DAG is paused", () => {
    const empty = task({ task_id: "t", is_empty: true });
    expect(verdictOf(facts({ task: empty }))).toBe("success");
    expect(verdictOf(facts({ task: empty, is_paused: true }))).toBe("wait");
    expect(verdictOf(facts({ task: { ...empty, outlets: [{ name: "a", uri: "a" }] } }))).toBe("run");
  });

  it("hands the placeholder of a mapped task to its expansion, once it may run", () => {
    const shape = { ...BARE, isMapped: true };
    expect(verdictOf(facts({ shape }))).toBe("expand");
    expect(verdictOf(facts({ shape, map_index: 0 }))).toBe("run");
    expect(verdictOf(facts({ shape, upstream: { ...NOTHING, total: 1 } }))).toBe("wait");
  });
});

describe("taskShapes", () => {
  it("asks nothing of a DAG without setups and deciders", () => {
    const shapes = taskShapes(dag("a > b > d, a > c > d"));
    expect([...shapes.values()].flatMap(relatedTasks)).toEqual([]);
    expect([...distantWatchers(shapes)]).toEqual([]);
  });

  it.each(
    table(`
      edges                                    | task | setups | scope
      s > a > b > t, s > t                     | b    | s      | -
      s > a > b > t, s > t                     | a    | -      | -
      s > a > t, s > t, t > after              | after | -     | -
      s > a > b, s > t, a > t                  | b    | -      | -
      s > a > b                                | b    | s      | -
      s > a > c > t, s > b > c, s > t          | t    | -      | a b
      s > a > t, s > t                         | t    | -      | -
      s > a > s2 > b > t2 > t, s2 > t2, s > t  | b    | s      | -
      s > a > s2 > b > t2 > t, s2 > t2, s > t  | t    | -      | a b s2
    `),
  )("$edges: $task stands on [$setups], waits for [$scope]", (row) => {
    const given = dag(row.edges ?? "", {}, { s: SETUP, s2: SETUP, t: TEARDOWN, t2: TEARDOWN });
    const shape = taskShapes(given).get(row.task ?? "");
    expect(shape?.indirectSetups.toSorted().join(" ")).toBe(row.setups);
    expect(shape?.scope.toSorted().join(" ")).toBe(row.scope);
  });

  it("tells whom to look at again when a setup or a task between ends", () => {
    const given = dag("s > a > b > t, s > t", {}, { s: SETUP, t: TEARDOWN });
    expect(Object.fromEntries(distantWatchers(taskShapes(given)))).toEqual({ s: ["b"], a: ["t"] });
  });
});

describe("effectiveLeaves", () => {
  it.each(
    table(`
      edges                | fails run | leaves
      s > a > t, s > t     | no        | a
      s > a > t, s > t     | yes       | t
      a > b, a > c         | no        | b c
      t                    | no        | t
      t > t2               | no        | t2
    `),
  )("$edges, a teardown failing the run: $fails run -> $leaves", (row) => {
    const teardown = { ...TEARDOWN, on_failure_fail_dagrun: row["fails run"] === "yes" };
    const given = dag(row.edges ?? "", {}, { s: SETUP, t: teardown, t2: teardown });
    expect(effectiveLeaves(given).toSorted().join(" ")).toBe(row.leaves);
  });
});

describe("validateDag with setups", () => {
  const messages = (edges: string, tasks: Record<string, Partial<SerializedTask>>) =>
    validateDag(dag(edges, {}, tasks)).map(({ task_id, message }) => `${task_id}: ${message}`);

  it("wants all_success right after a setup, but lets a teardown have its own rule", () => {
    expect(messages("s > a > t, s > t", { s: SETUP, t: TEARDOWN })).toEqual([]);
    expect(messages("s > a", { s: SETUP, a: { trigger_rule: "all_done" } })).toEqual([
      "a: Comes right after setup 's', so its trigger rule must be all_success, not 'all_done'",
    ]);
  });

  it("refuses what is both, and a failing run without a teardown", () => {
    expect(messages("s", { s: { ...SETUP, ...TEARDOWN } })).toEqual(["s: A task is a setup or a teardown, not both"]);
    expect(messages("a", { a: { on_failure_fail_dagrun: true } })).toEqual([
      "a: Only a teardown may have on_failure_fail_dagrun",
    ]);
  });
});
