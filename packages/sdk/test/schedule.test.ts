/** What authors may write as `schedule`, and the timetables that it becomes. */
import { describe, expect, it } from "vitest";
import { Dag as AirflowDag } from "../src/airflow.ts";
import { serializeBundle } from "../src/host.ts";
import { Bundle, Dag, type DagSpec } from "../src/index.ts";

type Defaults = Partial<Parameters<typeof serializeBundle>[1]["defaults"]>;

function read(spec: DagSpec, defaults: Defaults = {}) {
  const options = { maxActiveRuns: 16, maxActiveTasks: 16, catchup: false, ...defaults };
  const bundle = new Bundle(new Dag("d", spec));
  const { dags, errors } = serializeBundle(bundle, { relativeFileloc: "d.ts", defaults: options });
  return dags[0]?.timetable ?? errors[0]?.stack_trace ?? "nothing";
}

const JANUARY = new Date("2026-01-01T00:00:00Z");
const MARCH = new Date("2026-03-01T00:00:00Z");

describe("schedule", () => {
  it.each<[NonNullable<DagSpec["schedule"]>, object]>([
    ["@once", { type: "once" }],
    ["@hourly", { type: "cron", expression: "0 * * * *", timezone: "UTC" }],
    ["@weekly", { type: "cron", expression: "0 0 * * 0", timezone: "UTC" }],
    ["@monthly", { type: "cron", expression: "0 0 1 * *", timezone: "UTC" }],
    ["@quarterly", { type: "cron", expression: "0 0 1 */3 *", timezone: "UTC" }],
    ["@yearly", { type: "cron", expression: "0 0 1 1 *", timezone: "UTC" }],
    [{ every: 5 }, { type: "delta", seconds: 5 }],
    [
      { cron: "0 6 * * *", timezone: "Europe/Zurich", interval: 3600, runImmediately: 60 },
      { type: "cron", expression: "0 6 * * *", timezone: "Europe/Zurich", interval: 3600, run_immediately: 60 },
    ],
    [
      { crons: ["@daily", "0 6 * * *"], runImmediately: true },
      { type: "multiple_cron", expressions: ["0 0 * * *", "0 6 * * *"], timezone: "UTC", run_immediately: true },
    ],
    [{ cronDataInterval: "@daily" }, { type: "cron_data_interval", expression: "0 0 * * *", timezone: "UTC" }],
    [
      { deltaTrigger: { days: 1, hours: 2 }, interval: 60 },
      { type: "delta_trigger", step: { months: 0, seconds: 93_600 }, interval: 60 },
    ],
    [{ deltaDataInterval: { years: 1, months: 1 } }, { type: "delta_data_interval", step: { months: 13, seconds: 0 } }],
    [
      { events: [MARCH, JANUARY, MARCH], restrictToEvents: true },
      { type: "events", dates: [JANUARY.getTime(), MARCH.getTime()], restrict_to_events: true },
    ],
  ])("%j", (schedule, timetable) => {
    expect(read({ schedule })).toEqual(timetable);
  });

  it("runs on the Dag's clock, or else on the configured one", () => {
    const timezone = "Europe/Zurich";
    expect(read({ schedule: "@daily", timezone })).toMatchObject({ timezone });
    expect(read({ schedule: "@daily" }, { timezone })).toMatchObject({ timezone });
    expect(read({ schedule: { cron: "@daily", timezone: "UTC" }, timezone })).toMatchObject({ timezone: "UTC" });
  });

  it("stands for the period that is over where create_cron_data_intervals says so", () => {
    const defaults = { createCronDataIntervals: true };
    expect(read({ schedule: "@daily" }, defaults)).toMatchObject({ type: "cron_data_interval" });
    expect(read({ schedule: { cron: "@daily" } }, defaults)).toMatchObject({ type: "cron_data_interval" });
    expect(read({ schedule: { cron: "@daily", interval: 60 } }, defaults)).toMatchObject({ type: "cron" });
    expect(read({ schedule: { every: 60 } }, defaults)).toEqual({
      type: "delta_data_interval",
      step: { months: 0, seconds: 60 },
    });
    expect(read({ schedule: "@once" }, defaults)).toEqual({ type: "once" });
  });

  it("says what is wrong in the author's words", () => {
    const wrong = (schedule: unknown) => read({ schedule: schedule as never });
    expect(wrong({ evry: 5 })).toMatch("needs one of the parts every, cron, crons");
    expect(wrong({ every: 5, timezone: "UTC" })).toMatch('has an unknown part "timezone"; it is { every }');
    expect(wrong({ deltaTrigger: { fortnights: 1 } })).toMatch('"fortnights" is none of them');
    expect(wrong({ deltaTrigger: { months: 0.5 } })).toMatch("0.5 months is no length of time");
    expect(wrong({ cron: 5 })).toMatch("needs cron as a cron expression, not");
    expect(wrong({ crons: [] })).toMatch("has no cron expression");
    expect(wrong({ events: [5] })).toMatch("needs events as an array of Dates");
    expect(wrong({ events: [] })).toMatch("no dates in ascending order");
    expect(read({ schedule: "@daily", timezone: "Mars/Olympus" })).toMatch("The time zone 'Mars/Olympus' is unknown");
  });

  it("is text alone in Airflow's dialect", () => {
    const dag = new AirflowDag("d", { schedule: { every: 5 } as never });
    const defaults = { maxActiveRuns: 16, maxActiveTasks: 16, catchup: false };
    const { errors } = serializeBundle(new Bundle(dag), { relativeFileloc: "d.ts", defaults });
    expect(errors[0]?.stack_trace).toMatch("intervals and time zones come with @updraft/sdk");
    expect(() => new AirflowDag("d", { timezone: "UTC" } as never)).toThrow('Unknown option "timezone"');
  });
});
