import { dag, group } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import { clearScope, type ScopeNames } from "../src/index.ts";
import { table } from "./table.ts";

const setup = { is_setup: true };
const teardown = { is_teardown: true };
const FORM = dag(
  "open > a > b > close > after, open > close, lonely",
  {
    task_group: group(null, [{ group: group("g", [{ task_id: "a" }, { group: group("g.in", [{ task_id: "b" }]) }]) }]),
  },
  { open: setup, close: teardown },
);

function scopeText(task_ids: ScopeNames["task_ids"], directions: string): string {
  const scope = clearScope(FORM, {
    task_ids,
    include_upstream: directions.includes("up"),
    include_downstream: directions.includes("down"),
  });
  const words = [...scope].map(([id, indexes]) => (indexes === null ? id : `${id}[${[...indexes].join(",")}]`));
  return words.sort().join(" ");
}

describe("clearScope", () => {
  it.each(
    table(`
      names    | directions | scope
      lonely   | -          | lonely
      a        | -          | a close open
      a        | down       | a after b close open
      b        | up         | a b close open
      b        | up down    | a after b close open
      open     | -          | close open
      close    | -          | close open
      after    | -          | after
      after    | up         | a after b close open
      g        | -          | a b close open
      g.in     | -          | b close open
      nothing  | -          | -
    `),
  )("$names with $directions means $scope", ({ names = "", directions = "", scope = "" }) => {
    expect(scopeText(names === "" ? [] : [names], directions)).toBe(scope);
  });

  it("takes pairs of task and map index, and a bare id for all indexes", () => {
    const pairs = [["lonely", 0] as const, ["lonely", 2] as const];
    expect(scopeText(pairs, "")).toBe("lonely[0,2]");
    expect(scopeText([...pairs, "lonely"], "")).toBe("lonely");
    expect(scopeText(["lonely", ...pairs], "")).toBe("lonely");
  });

  it("means every task without names", () => {
    expect(scopeText(null, "")).toBe("a after b close lonely open");
  });
});
