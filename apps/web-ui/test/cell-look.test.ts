import type { GridTaskSummary } from "@updraft/contract";
import { expect, it } from "vitest";
import { cellFill, cellWords } from "../src/grid/cell-look.ts";
import { childStatesWords, STATE_ORDER, stateName, stateWords } from "../src/state/state-names.ts";

function summary(over: Partial<GridTaskSummary>): GridTaskSummary {
  const base = { task_id: "t", task_display_name: "t", state: null, child_states: null, has_note: false };
  return { ...base, min_start_date: null, max_end_date: null, dag_version_number: 1, ...over };
}

it("fills a cell with its state, and with shares where there are several", () => {
  expect(cellFill(summary({ state: "success" }))).toBe("var(--state-success)");
  expect(cellFill(summary({ state: "failed", child_states: { failed: 4 } }))).toBe("var(--state-failed)");
  expect(cellFill(summary({ state: "failed", child_states: { success: 3, failed: 1 } }))).toBe(
    "linear-gradient(to right, var(--state-failed) 0.0% 25.0%, var(--state-success) 25.0% 100.0%)",
  );
});

it("tells what a cell shows", () => {
  expect(cellWords("t", "r", summary({ state: "up_for_retry", child_states: { no_status: 2, running: 1 } }))).toBe(
    "t\nr\nup for retry\n1 running, 2 no status",
  );
  expect(cellWords("t", "r", undefined)).toContain("not in this run");
});

it("takes states it doesn't know, and none, as no status", () => {
  expect([stateName("odd"), stateName(null), stateWords(undefined)]).toEqual(["none", "none", "no status"]);
  expect(childStatesWords({ success: 0 })).toBe("");
  expect(STATE_ORDER.map(stateName)).toEqual(STATE_ORDER);
});
