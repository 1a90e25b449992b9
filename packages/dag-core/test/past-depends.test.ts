import { at, task } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import { evaluatePast, type PastFacts, type PreviousRun } from "../src/index.ts";
import { table } from "./table.ts";

const BEFORE = at("2026-03-01T00:00:00Z");
const DAY = 86_400_000;

describe("evaluatePast", () => {
  it.each(
    table(`
      task                            | before                                 | verdict
      plain                           | unsuccessful 1                         | met
      depends                         | none                                   | met
      depends                         | unsuccessful 0                         | met
      depends                         | unsuccessful 1                         | blocked
      depends, first of its backfill  | unsuccessful 1                         | met
      depends, catchup, starts later  | unsuccessful 1                         | met
      depends, starts later           | unsuccessful 1                         | blocked
      depends, catchup                | unsuccessful 1                         | blocked
      depends                         | no instance                            | blocked
      depends, ignores first          | no instance                            | met
      depends, ignores first, earlier | no instance                            | blocked
      depends                         | unsuccessful 0, unsuccessful below 1   | met
      depends, waits for downstream   | unsuccessful 0, unsuccessful below 1   | blocked
      depends, waits for downstream   | unsuccessful 0, unsuccessful below 0   | met
      waits for downstream            | unsuccessful 1                         | met
    `),
  )("$task, with [$before] in the run before: $verdict", (row) => {
    const said = (row.task ?? "").split(", ");
    const given = task({
      task_id: "t",
      depends_on_past: said.includes("depends"),
      wait_for_downstream: said.includes("waits for downstream"),
      ignore_first_depends_on_past: said.includes("ignores first"),
      start_date: said.includes("starts later") ? BEFORE + DAY : null,
    });
    const facts: PastFacts = {
      catchup: said.includes("catchup"),
      is_first_of_backfill: said.includes("first of its backfill"),
      previous: previousOf(row.before ?? ""),
      has_earlier_instance: said.includes("earlier"),
    };
    expect(evaluatePast(given, facts).kind).toBe(row.verdict);
  });

  it("names the run that holds the task back", () => {
    const given = task({ task_id: "t", depends_on_past: true });
    const facts = { catchup: false, is_first_of_backfill: false, previous: previousOf("unsuccessful 1") };
    expect(evaluatePast(given, { ...facts, has_earlier_instance: true })).toEqual({
      kind: "blocked",
      cause: "depends_on_past: it did not succeed in the run before, r1",
    });
  });
});

function previousOf(text: string): PreviousRun | null {
  if (text === "none") return null;
  const number = (label: string) => Number(new RegExp(`(?:^|, )${label} (\\d)`).exec(text)?.[1] ?? 0);
  return {
    run_id: "r1",
    logical_date: BEFORE,
    instances: text === "no instance" ? 0 : 2,
    unsuccessful: number("unsuccessful"),
    unsuccessful_downstream: number("unsuccessful below"),
  };
}
