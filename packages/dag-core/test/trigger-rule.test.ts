import { describe, expect, it } from "vitest";
import { evaluateTriggerRule, TRIGGER_RULES, type TriggerRule, type UpstreamCounts } from "../src/index.ts";
import { table } from "./table.ts";

type End = "success" | "failed" | "upstream_failed" | "skipped" | "removed" | null;
const ENDS: readonly End[] = ["success", "failed", "upstream_failed", "skipped", "removed", null];

/** Every multiset of upstream states (null = unfinished) of up to `size` upstream tasks. */
function* upstreamStates(size: number, from = 0): Iterable<End[]> {
  yield [];
  if (size === 0) return;
  for (let index = from; index < ENDS.length; index += 1) {
    for (const rest of upstreamStates(size - 1, index)) yield [ENDS[index] ?? null, ...rest];
  }
}

function countsOf(states: readonly End[]): UpstreamCounts {
  const count = (state: End): number => states.filter((other) => other === state).length;
  return {
    total: states.length,
    success: count("success"),
    failed: count("failed"),
    upstream_failed: count("upstream_failed"),
    skipped: count("skipped"),
    removed: count("removed"),
  };
}

/**
 * The rules read off their definitions, over the list of states instead of counts. "Known" is what the finished ones
 * prove; a verdict that needs the others waits for them.
 */
const oracle: Record<TriggerRule, (states: readonly End[]) => string> = {
  always: () => "run",
  all_success: (s) => {
    if (has(s, "failed", "upstream_failed")) return "upstream_failed";
    if (has(s, "skipped")) return "skipped";
    return only(s, "success", "removed") ? "run" : "wait";
  },
  all_failed: (s) => {
    if (has(s, "success", "skipped")) return "skipped";
    return only(s, "failed", "upstream_failed", "removed") ? "run" : "wait";
  },
  all_done: (s) => (over(s) ? "run" : "wait"),
  all_done_setup_success: (s) => (over(s) ? "run" : "wait"),
  all_done_min_one_success: (s) => {
    if (has(s, "skipped")) return "skipped";
    if (!over(s)) return "wait";
    return has(s, "success") ? "run" : "upstream_failed";
  },
  one_success: (s) => {
    if (has(s, "success")) return "run";
    if (!over(s)) return "wait";
    return only(s, "skipped") ? "skipped" : "upstream_failed";
  },
  one_failed: (s) => {
    if (has(s, "failed", "upstream_failed")) return "run";
    return over(s) ? "skipped" : "wait";
  },
  one_done: (s) => {
    if (has(s, "success", "failed")) return "run";
    return over(s) ? "skipped" : "wait";
  },
  none_failed: (s) => {
    if (has(s, "failed", "upstream_failed")) return "upstream_failed";
    return over(s) ? "run" : "wait";
  },
  none_failed_min_one_success: (s) => {
    if (has(s, "failed", "upstream_failed")) return "upstream_failed";
    if (!over(s)) return "wait";
    if (has(s, "success")) return "run";
    return only(s, "skipped") ? "skipped" : "upstream_failed";
  },
  none_skipped: (s) => {
    if (has(s, "skipped")) return "skipped";
    return over(s) ? "run" : "wait";
  },
  all_skipped: (s) => {
    if (has(s, "success", "failed", "upstream_failed")) return "skipped";
    return only(s, "skipped") ? "run" : "wait";
  },
};

const has = (states: readonly End[], ...wanted: End[]): boolean => states.some((state) => wanted.includes(state));
const only = (states: readonly End[], ...allowed: End[]): boolean => states.every((state) => allowed.includes(state));
const over = (states: readonly End[]): boolean => !has(states, null);

function verdict(rule: TriggerRule, states: readonly End[]): string {
  const result = evaluateTriggerRule(rule, countsOf(states));
  return result.kind === "set" ? result.state : result.kind;
}

describe("evaluateTriggerRule", () => {
  it.each(TRIGGER_RULES)("agrees with the definition of %s for every mix of up to five upstream tasks", (rule) => {
    let cases = 0;
    for (const states of upstreamStates(5)) {
      if (states.length === 0) continue;
      expect(`${states}: ${verdict(rule, states)}`).toBe(`${states}: ${oracle[rule](states)}`);
      cases += 1;
    }
    expect(cases).toBe(461);
  });

  it.each(TRIGGER_RULES)("runs at once without upstream tasks: %s", (rule) => {
    expect(verdict(rule, [])).toBe("run");
  });

  it.each(
    table(`
      rule                        | upstream                        | verdict
      all_done                    | failed                          | run
      all_success                 | failed                          | upstream_failed
      one_done                    | upstream_failed                 | skipped
      none_failed_min_one_success | skipped success                 | run
      none_failed_min_one_success | skipped skipped                 | skipped
      none_failed_min_one_success | skipped removed                 | upstream_failed
      all_done_setup_success      | upstream_failed                 | run
      all_skipped                 | skipped removed                 | wait
      one_success                 | success unfinished              | run
      all_success                 | skipped unfinished              | skipped
    `),
  )("$rule over [$upstream] gives $verdict", ({ rule, upstream, verdict: expected }) => {
    const states = (upstream ?? "").split(" ").map((state) => (state === "unfinished" ? null : state) as End);
    expect(verdict(rule as TriggerRule, states)).toBe(expected);
  });

  it("asks under all_done_setup_success how the direct setups ended, for every mix of up to two setups and two others", () => {
    let cases = 0;
    for (const setups of upstreamStates(2)) {
      for (const others of upstreamStates(2)) {
        const all = [...setups, ...others];
        if (all.length === 0) continue;
        const { total, success, skipped } = countsOf(setups);
        const counts = { ...countsOf(all), setups: { total, success, skipped } };
        const result = evaluateTriggerRule("all_done_setup_success", counts);
        const expected = !over(all)
          ? "wait"
          : setups.length === 0 || has(setups, "success")
            ? "run"
            : only(setups, "skipped")
              ? "skipped"
              : "upstream_failed";
        expect(`${all}: ${result.kind === "set" ? result.state : result.kind}`).toBe(`${all}: ${expected}`);
        cases += 1;
      }
    }
    expect(cases).toBe(28 * 28 - 1);
  });

  it("removes surplus mapped tasks under all_success only", () => {
    const counts = countsOf(["success", "success", "removed"]);
    expect(evaluateTriggerRule("all_success", counts, 2)).toMatchObject({ kind: "set", state: "removed" });
    expect(evaluateTriggerRule("all_success", counts, 1)).toEqual({ kind: "run" });
    expect(evaluateTriggerRule("none_failed", counts, 2)).toEqual({ kind: "run" });
  });

  it("says why in words", () => {
    expect(evaluateTriggerRule("all_success", countsOf(["failed", "success", null]))).toEqual({
      kind: "set",
      state: "upstream_failed",
      cause: "Trigger rule all_success: of 3 upstream tasks 1 success, 1 failed",
    });
  });

  it("refuses counts that cannot be", () => {
    expect(() => evaluateTriggerRule("all_done", { ...countsOf(["success"]), failed: 1 })).toThrow("Impossible state");
  });
});
