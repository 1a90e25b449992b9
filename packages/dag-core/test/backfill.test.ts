import { at, dag, iso } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import {
  type BackfillRange,
  backfillVerdict,
  type DagRunState,
  planBackfill,
  type ReprocessBehavior,
  type SerializedDag,
} from "../src/index.ts";
import { table } from "./table.ts";

const NOW = at("2026-03-11T06:00:00Z");
const DAILY = dag("a", { timetable: { type: "cron", expression: "0 0 * * *", timezone: "UTC" } });
const PERIODS = dag("a", { timetable: { type: "cron_data_interval", expression: "0 0 * * *", timezone: "UTC" } });

function range(from: string, to: string, overrides: Partial<BackfillRange> = {}): BackfillRange {
  return {
    from_date: at(`2026-03-${from}T00:00:00Z`),
    to_date: at(`2026-03-${to}T00:00:00Z`),
    run_backwards: false,
    reprocess_behavior: "none",
    max_active_runs: 10,
    ...overrides,
  };
}

function dates(form: SerializedDag, wanted: BackfillRange): string | readonly string[] {
  const plan = planBackfill(form, wanted, NOW);
  return plan.kind === "refused" ? plan.message : plan.runs.map(({ logical_date }) => iso(logical_date).slice(8, 10));
}

describe("planBackfill", () => {
  it("takes every logical date of the range, whatever start date and catchup say", () => {
    expect(dates({ ...DAILY, start_date: NOW, end_date: NOW }, range("01", "03"))).toEqual(["01", "02", "03"]);
  });

  it("runs backwards from the newest", () => {
    expect(dates(DAILY, range("01", "03", { run_backwards: true }))).toEqual(["03", "02", "01"]);
  });

  it("leaves out what is not over yet", () => {
    expect(dates(DAILY, range("10", "20"))).toEqual(["10", "11"]);
    expect(dates(PERIODS, range("08", "20"))).toEqual(["08", "09", "10"]);
  });

  it("follows deltas, events and several crons too", () => {
    const form = (timetable: SerializedDag["timetable"]) => ({ ...DAILY, timetable });
    expect(
      dates(form({ type: "delta_data_interval", step: { months: 0, seconds: 86_400 } }), range("01", "02")),
    ).toEqual(["01", "02"]);
    expect(dates(form({ type: "delta", seconds: 86_400 }), range("01", "02"))).toEqual(["01", "02"]);
    const events = [at("2026-03-05T00:00:00Z"), at("2026-03-07T00:00:00Z"), at("2026-03-09T00:00:00Z")];
    expect(dates(form({ type: "events", dates: events, restrict_to_events: false }), range("05", "08"))).toEqual([
      "05",
      "07",
    ]);
  });

  const past = dag("a", { timetable: DAILY.timetable }, { a: { depends_on_past: true } });
  const typed = { ...DAILY, allowed_run_types: ["scheduled" as const] };
  it.each<[string, SerializedDag, BackfillRange, string]>([
    ["no schedule", dag("a"), range("01", "02"), "non-periodic schedule"],
    ["@once", dag("a", { timetable: { type: "once" } }), range("01", "02"), "non-periodic schedule"],
    ["@continuous", dag("a", { timetable: { type: "continuous" } }), range("01", "02"), "non-periodic schedule"],
    ["a range that ends before it begins", DAILY, range("03", "02"), "must not be after to_date"],
    ["a range in the future", DAILY, range("12", "13"), "future dates"],
    ["no run at all", PERIODS, range("11", "11"), "no runs to create"],
    [
      "a range beyond measure",
      dag("a", { timetable: { type: "delta", seconds: 1 } }),
      range("01", "11"),
      "more than 100000",
    ],
    ["backwards with depends_on_past", past, range("01", "02", { run_backwards: true }), "in reverse"],
    ["depends_on_past without reprocessing", past, range("01", "02"), "You must set reprocess behavior"],
    ["no active run", DAILY, range("01", "02", { max_active_runs: 0 }), "at least 1"],
    ["a DAG that does not allow it", typed, range("01", "02"), "does not allow backfill runs"],
  ])("refuses %s", (_, form, wanted, message) => {
    expect(dates(form, wanted)).toContain(message);
  });

  it("takes depends_on_past where it reprocesses", () => {
    expect(dates(past, range("01", "02", { reprocess_behavior: "failed" }))).toEqual(["01", "02"]);
  });
});

describe("backfillVerdict", () => {
  it.each(
    table(`
      existing | none           | failed         | completed
      -        | create         | create         | create
      queued   | in flight      | in flight      | in flight
      running  | in flight      | in flight      | in flight
      success  | already exists | already exists | reprocess
      failed   | already exists | reprocess      | reprocess
    `),
  )("of a run that is [$existing]: $none, $failed, $completed", ({ existing, ...verdicts }) => {
    const state = existing === "" ? undefined : (existing as DagRunState);
    for (const [behavior, verdict] of Object.entries(verdicts))
      expect(backfillVerdict(state, behavior as ReprocessBehavior)).toBe(verdict);
  });
});
