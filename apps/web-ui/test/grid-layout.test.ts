import type { GridNode, GridRun } from "@updraft/contract";
import { describe, expect, it } from "vitest";
import { gridColumns, gridRows, groupIds, movedPosition, placeSkippedTicks } from "../src/grid/grid-layout.ts";

const NODES: readonly GridNode[] = [
  { id: "a", label: "a" },
  {
    id: "g",
    label: "g",
    children: [
      { id: "g.b", label: "b", is_mapped: true },
      { id: "g.h", label: "h", children: [{ id: "g.h.c", label: "c" }] },
    ],
  },
];

function run(id: string, second: number): GridRun {
  const base = { dag_id: "d", queued_at: null, start_date: null, end_date: null, state: "success" as const };
  const rest = { run_type: "scheduled" as const, dag_versions: [], has_missed_deadline: false, has_note: false };
  return { ...base, ...rest, run_id: id, run_after: instant(second), duration: 1 };
}

function instant(second: number): string {
  return new Date(second * 1000).toISOString();
}

function tick(first: number, last: number, count: number, cause = "max_active_runs") {
  return { first_tick: instant(first), last_tick: instant(last), count, cause, recorded_at: instant(last) };
}

describe("gridRows", () => {
  it("lists groups before what they hold, each deeper by one", () => {
    const lines = gridRows(NODES, new Set()).map((row) => `${row.depth}${row.id}`);
    expect(lines).toEqual(["0a", "0g", "1g.b", "1g.h", "2g.h.c"]);
  });
  it("leaves out what is inside closed groups", () => {
    const rows = gridRows(NODES, new Set(["g.h"]));
    expect(rows.map((row) => row.id)).toEqual(["a", "g", "g.b", "g.h"]);
    expect(rows.at(-1)).toMatchObject({ isGroup: true, isOpen: false });
  });
  it("finds every group", () => {
    expect(groupIds(NODES)).toEqual(["g", "g.h"]);
  });
});

describe("columns", () => {
  it("have the newest run at the right", () => {
    expect(gridColumns([run("new", 9), run("old", 1)]).map((one) => one.run_id)).toEqual(["old", "new"]);
  });
});

describe("placeSkippedTicks", () => {
  const columns = [run("a", 10), run("b", 30)];
  it("puts ticks between the runs around them and after the last", () => {
    const marks = placeSkippedTicks(columns, [tick(15, 20, 2), tick(35, 40, 3)]);
    expect([...marks].map(([place, mark]) => [place, mark.count])).toEqual([
      [1, 2],
      [2, 3],
    ]);
  });
  it("adds up causes at one place", () => {
    const mark = placeSkippedTicks(columns, [tick(15, 15, 1), tick(20, 25, 2, "paused")]).get(1);
    expect(mark).toEqual({ count: 3, words: "1 skipped: max_active_runs\n2 skipped: paused" });
  });
  it("leaves out what lies before the first run shown", () => {
    expect(placeSkippedTicks(columns, [tick(1, 5, 1)]).size).toBe(0);
  });
});

describe("movedPosition", () => {
  const at = { row: 0, column: 0 };
  it.each([
    ["ArrowUp", { row: -1, column: 0 }],
    ["ArrowDown", { row: 1, column: 0 }],
    ["ArrowLeft", { row: 0, column: 0 }],
    ["End", { row: 0, column: 4 }],
  ])("%s", (key, expected) => {
    expect(movedPosition(at, key, 3, 5)).toEqual(expected);
  });
  it("leaves other keys alone", () => {
    expect(movedPosition(at, "x", 3, 5)).toBeNull();
  });
});
