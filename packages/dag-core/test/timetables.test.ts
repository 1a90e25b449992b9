/** Airflow's timetables beyond the plain cron trigger: next runs, manual data intervals, missed ticks. */
import { at, iso } from "@updraft/testkit/dags";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assertTimetable,
  describeTimetable,
  hasBeat,
  type Instant,
  inferManualDataInterval,
  intervalOfTick,
  missedTicks,
  nextRun,
  type RunInfo,
  ScheduleError,
  type ScheduleFacts,
  type TimeStep,
  type Timetable,
  tickOf,
} from "../src/index.ts";
import { table } from "./table.ts";

const HOUR: TimeStep = { months: 0, seconds: 3600 };
const MONTH: TimeStep = { months: 1, seconds: 0 };

/** `05 06:00` is that time on a day of March 2026; longer texts name the month too. */
function day(text: string): Instant {
  return at(`2026-${text.length > 8 ? "" : "03-"}${text.replace(" ", "T")}:00Z`);
}

function short(instant: Instant | undefined): string {
  return instant === undefined ? "never" : iso(instant).slice(5, 16).replace("T", " ").replace(/^03-/, "");
}

const TIMETABLES: Readonly<Record<string, Timetable>> = {
  daily: { type: "cron", expression: "0 0 * * *", timezone: "UTC" },
  "daily 24h": { type: "cron", expression: "0 0 * * *", timezone: "UTC", interval: 86_400 },
  hourly: { type: "cron", expression: "0 * * * *", timezone: "UTC" },
  "hourly now": { type: "cron", expression: "0 * * * *", timezone: "UTC", run_immediately: true },
  "hourly no": { type: "cron", expression: "0 * * * *", timezone: "UTC", run_immediately: false },
  "hourly 20m": { type: "cron", expression: "0 * * * *", timezone: "UTC", run_immediately: 1200 },
  "6:00 and :30": { type: "multiple_cron", expressions: ["0 6 * * *", "30 * * * *"], timezone: "UTC" },
  "daily interval": { type: "cron_data_interval", expression: "0 0 * * *", timezone: "UTC" },
  "monthly interval": { type: "cron_data_interval", expression: "0 0 1 * *", timezone: "UTC" },
  "delta 1h": { type: "delta_trigger", step: HOUR },
  "delta 1h 30m": { type: "delta_trigger", step: HOUR, interval: 1800 },
  "delta month": { type: "delta_trigger", step: MONTH },
  "interval 1h": { type: "delta_data_interval", step: HOUR },
  "interval month": { type: "delta_data_interval", step: MONTH },
  events: { type: "events", dates: [day("05 00:00"), day("11 06:00"), day("20 00:00")], restrict_to_events: false },
  restricted: { type: "events", dates: [day("05 00:00"), day("11 06:00")], restrict_to_events: true },
};

function named(name: string | undefined): Timetable {
  const found = TIMETABLES[name ?? ""];
  if (found === undefined) throw new Error(`no timetable ${name}`);
  return found;
}

function facts(row: Record<string, string | undefined>): ScheduleFacts {
  const instant = (text: string | undefined) => (text === undefined || text === "" ? null : day(text));
  const last = (row.last ?? "").split("..");
  const [start = null, end = start] = last.map((text) => instant(text));
  return {
    last: start === null || end === null ? null : { data_interval_start: start, data_interval_end: end },
    earliest: instant(row.earliest),
    latest: instant(row.latest),
    catchup: row.catchup === "yes",
    now: day(row.now ?? ""),
  };
}

function text(run: RunInfo | null): string {
  if (run === null) return "never";
  expect(run.logical_date).toBe(run.data_interval_start);
  expect(run.run_after).toBe(run.data_interval_end);
  const { data_interval_start: start, data_interval_end: end } = run;
  return start === end ? short(start) : `${short(start)}..${short(end)}`;
}

describe("nextRun", () => {
  it.each(
    table(`
      timetable        | catchup | last               | earliest | latest   | now      | next
      daily            | no      | -                  | 01 00:00 | -        | 11 06:00 | 11 00:00
      daily interval   | no      | -                  | 01 00:00 | -        | 11 06:00 | 10 00:00..11 00:00
      hourly           | no      | -                  | -        | -        | 11 06:04 | 11 06:00
      hourly           | no      | -                  | -        | -        | 11 06:07 | 11 07:00
      hourly no        | no      | -                  | -        | -        | 11 06:04 | 11 06:00
      hourly no        | no      | -                  | -        | -        | 11 06:07 | 11 07:00
      hourly now       | no      | -                  | -        | -        | 11 06:59 | 11 06:00
      hourly 20m       | no      | -                  | -        | -        | 11 06:20 | 11 06:00
      hourly 20m       | no      | -                  | -        | -        | 11 06:21 | 11 07:00
      hourly 20m       | yes     | -                  | -        | -        | 11 06:21 | 11 07:00
      hourly           | no      | -                  | 11 06:30 | -        | 11 06:04 | 11 07:00
      daily 24h        | no      | -                  | 01 00:00 | -        | 11 06:00 | 10 00:00..11 00:00
      daily 24h        | yes     | 10 00:00..11 00:00 | 01 00:00 | -        | 11 06:00 | 11 00:00..12 00:00
      daily 24h        | yes     | -                  | 01 00:00 | -        | 11 06:00 | 02-28 00:00..01 00:00
      6:00 and :30     | yes     | 11 05:30           | 01 00:00 | -        | 11 09:00 | 11 06:00
      6:00 and :30     | yes     | 11 06:00           | 01 00:00 | -        | 11 09:00 | 11 06:30
      6:00 and :30     | no      | 11 05:30           | -        | -        | 11 06:10 | 11 06:00
      6:00 and :30     | no      | 11 06:30           | -        | -        | 11 06:45 | 11 07:30
      6:00 and :30     | no      | -                  | -        | -        | 11 06:45 | 11 06:00
      daily interval   | yes     | -                  | 01 06:00 | -        | 11 06:00 | 02 00:00..03 00:00
      daily interval   | yes     | -                  | -        | -        | 11 06:00 | never
      daily interval   | no      | -                  | -        | -        | 11 06:00 | 10 00:00..11 00:00
      daily interval   | no      | -                  | -        | -        | 11 00:00 | 10 00:00..11 00:00
      daily interval   | no      | 10 00:00..11 00:00 | -        | -        | 11 06:00 | 11 00:00..12 00:00
      daily interval   | no      | 04 00:00..05 00:00 | -        | -        | 11 06:00 | 10 00:00..11 00:00
      daily interval   | no      | -                  | 20 06:00 | -        | 11 06:00 | 21 00:00..22 00:00
      daily interval   | yes     | 09 00:00..10 00:00 | -        | 10 00:00 | 11 06:00 | 10 00:00..11 00:00
      daily interval   | yes     | 10 00:00..11 00:00 | -        | 10 00:00 | 11 06:00 | never
      monthly interval | yes     | 10 00:00..11 00:00 | -        | -        | 11 06:00 | 04-01 00:00..05-01 00:00
      delta 1h         | no      | -                  | -        | -        | 11 06:07 | 11 06:07
      delta 1h         | no      | 11 05:30           | -        | -        | 11 06:07 | 11 06:30
      delta 1h         | no      | 11 01:00           | -        | -        | 11 06:07 | 11 06:07
      delta 1h         | yes     | 11 01:00           | -        | -        | 11 06:07 | 11 02:00
      delta 1h         | yes     | -                  | 11 01:10 | -        | 11 06:07 | 11 01:10
      delta 1h         | no      | -                  | 12 01:10 | -        | 11 06:07 | 12 01:10
      delta 1h         | yes     | 11 01:00           | -        | 11 01:30 | 11 06:07 | never
      delta 1h 30m     | yes     | 11 00:30..11 01:00 | -        | -        | 11 06:07 | 11 01:30..11 02:00
      delta month      | yes     | 02-28 00:00        | 01-31 00:00 | -     | 11 06:07 | 31 00:00
      interval 1h      | no      | -                  | -        | -        | 11 06:07 | 11 05:00..11 06:00
      interval 1h      | no      | -                  | 01 01:10 | -        | 11 06:07 | 11 05:00..11 06:00
      interval 1h      | no      | 11 05:00..11 06:00 | -        | -        | 11 06:07 | 11 06:00..11 07:00
      interval 1h      | yes     | -                  | 11 01:10 | -        | 11 06:07 | 11 01:10..11 02:10
      interval 1h      | yes     | 11 01:10..11 02:10 | 11 01:10 | -        | 11 06:07 | 11 02:10..11 03:10
      interval 1h      | yes     | -                  | -        | -        | 11 06:07 | never
      interval month   | no      | -                  | 01-15 06:00 | -     | 16 06:07 | 02-15 06:00..15 06:00
      interval month   | no      | -                  | 01-31 00:00 | -     | 16 06:07 | 01-31 00:00..02-28 00:00
      interval month   | yes     | 01-31 00:00..02-28 00:00 | 01-31 00:00 | - | 16 06:07 | 02-28 00:00..31 00:00
      events           | no      | -                  | -        | -        | 11 06:00 | 11 06:00
      events           | no      | -                  | -        | -        | 11 06:01 | 20 00:00
      events           | no      | 05 00:00           | -        | -        | 10 00:00 | 11 06:00
      events           | no      | -                  | 12 00:00 | -        | 01 00:00 | 20 00:00
      events           | yes     | -                  | -        | -        | 11 06:00 | 05 00:00
      events           | yes     | 05 00:00           | -        | -        | 25 06:00 | 11 06:00
      events           | yes     | 20 00:00           | -        | -        | 25 06:00 | never
      events           | no      | -                  | -        | 19 00:00 | 12 06:00 | never
    `),
  )("$timetable, catchup $catchup, last [$last], from [$earliest] to [$latest], at $now: $next", (row) => {
    expect(text(nextRun(named(row.timetable), facts(row)))).toBe(row.next);
  });
});

describe("inferManualDataInterval", () => {
  it.each(
    table(`
      timetable      | at       | interval
      daily          | 11 06:00 | 11 06:00..11 06:00
      daily 24h      | 11 06:00 | 10 06:00..11 06:00
      6:00 and :30   | 11 06:00 | 11 06:00..11 06:00
      daily interval | 11 06:00 | 10 00:00..11 00:00
      daily interval | 11 00:00 | 10 00:00..11 00:00
      delta 1h       | 11 06:07 | 11 06:07..11 06:07
      delta 1h 30m   | 11 06:07 | 11 05:37..11 06:07
      interval 1h    | 11 06:07 | 11 05:07..11 06:07
      interval month | 31 00:00 | 02-28 00:00..31 00:00
      events         | 11 06:07 | 11 06:07..11 06:07
      restricted     | 11 06:07 | 11 06:00..11 06:00
      restricted     | 01 06:07 | 05 00:00..05 00:00
    `),
  )("$timetable at $at: $interval", (row) => {
    const { start, end } = inferManualDataInterval(named(row.timetable), day(row.at ?? ""));
    expect(`${short(start)}..${short(end)}`).toBe(row.interval);
  });
});

describe("missedTicks", () => {
  it.each(
    table(`
      timetable      | after    | before   | missed
      6:00 and :30   | 11 05:30 | 11 07:30 | 11 06:00..11 06:30 2
      daily interval | 08 00:00 | 11 00:00 | 09 00:00..10 00:00 2
      delta 1h       | 11 01:10 | 11 06:07 | 11 02:10..11 05:10 4
      interval month | 01-15 00:00 | 20 00:00 | 02-15 00:00..15 00:00 2
      events         | 05 00:00 | 20 00:00 | 11 06:00..11 06:00 1
      events         | 11 06:00 | 20 00:00 | none
      delta 1h       | 11 01:10 | 11 02:10 | none
    `),
  )("$timetable between $after and $before: $missed", (row) => {
    const missed = missedTicks(named(row.timetable), day(row.after ?? ""), day(row.before ?? ""), 1000);
    const found = missed === null ? "none" : `${short(missed.first)}..${short(missed.last)} ${missed.count}`;
    expect(found).toBe(row.missed);
  });
});

describe("descriptions and checks", () => {
  it.each(
    table(`
      timetable      | summary                | description
      6:00 and :30   | 0 6 * * *, 30 * * * *  | At 06:00; At minute 30, every hour
      daily interval | 0 0 * * *              | At 00:00
      delta 1h       | 1:00:00                | Every hour
      interval month | 1 month                | Every month
      events         | 3 events               | 3 events between 2026-03-05T00:00:00+00:00 and 2026-03-20T00:00:00+00:00
    `),
  )("$timetable", ({ timetable, summary, description }) => {
    expect(describeTimetable(named(timetable))).toEqual({ summary, description, periodic: true });
  });

  it("refuses timetables that nothing can follow", () => {
    const wrong: Timetable[] = [
      { type: "multiple_cron", expressions: [], timezone: "UTC" },
      { type: "multiple_cron", expressions: ["0 25 * * *"], timezone: "UTC" },
      { type: "cron_data_interval", expression: "0 0 * * *", timezone: "Mars/Olympus" },
      { type: "cron", expression: "0 0 * * *", timezone: "UTC", interval: -1 },
      { type: "delta_trigger", step: { months: 0, seconds: 0 } },
      { type: "delta_data_interval", step: { months: 0.5, seconds: 0 } },
      { type: "events", dates: [], restrict_to_events: false },
      { type: "events", dates: [2, 1], restrict_to_events: false },
    ];
    for (const timetable of wrong) expect(() => assertTimetable(timetable)).toThrow(ScheduleError);
    for (const timetable of Object.values(TIMETABLES)) expect(() => assertTimetable(timetable)).not.toThrow();
  });
});

describe("properties", () => {
  const zone = fc.constantFrom("UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe");
  const expression = fc.constantFrom("*/7 * * * *", "0 6 * * 1-5", "30 2 * * *", "30 * * * *", "0 0 1 * *");
  const step = fc.record({ months: fc.nat({ max: 14 }), seconds: fc.integer({ min: 1, max: 200_000 }) });
  const timetable: fc.Arbitrary<Timetable> = fc.oneof(
    fc.record({ type: fc.constant("cron_data_interval" as const), expression, timezone: zone }),
    fc.record({ type: fc.constant("cron" as const), expression, timezone: zone, interval: fc.nat({ max: 9000 }) }),
    fc.record({
      type: fc.constant("multiple_cron" as const),
      expressions: fc.array(expression, { minLength: 1, maxLength: 3 }),
      timezone: zone,
    }),
    fc.record({ type: fc.constant("delta_trigger" as const), step }),
    fc.record({ type: fc.constant("delta_data_interval" as const), step }),
  );
  const instant = fc.integer({ min: at("2023-01-01T00:00:00Z"), max: at("2026-01-01T00:00:00Z") });

  it("catch-up makes contiguous, strictly later runs from the start date on, and leaves out none", () => {
    fc.assert(
      fc.property(timetable, instant, (one, earliest) => {
        let last = nextRun(one, { last: null, earliest, latest: null, catchup: true, now: earliest });
        expect(last).not.toBeNull();
        for (let count = 0; last !== null && count < 40; count += 1) {
          expect(tickOf(one, last)).toBeGreaterThanOrEqual(earliest);
          const next = nextRun(one, { last, earliest, latest: null, catchup: true, now: earliest });
          expect(next?.logical_date).toBeGreaterThan(last.logical_date);
          if (next !== null && one.type.endsWith("data_interval")) {
            expect(next.data_interval_start).toBe(last.data_interval_end);
          }
          if (next !== null && one.type.startsWith("cron")) {
            expect(missedTicks(one, tickOf(one, last), tickOf(one, next), 5)).toBeNull();
            expect(intervalOfTick(one, tickOf(one, next))).toMatchObject({
              data_interval_start: next.data_interval_start,
              data_interval_end: next.data_interval_end,
            });
          }
          last = next;
        }
      }),
      { numRuns: 150 },
    );
  });

  it("without catch-up the next run is the newest due one or the first to come, whatever ran before", () => {
    fc.assert(
      fc.property(timetable, instant, fc.nat({ max: 40 * 86_400_000 }), (one, now, ago) => {
        const fresh = { earliest: null, latest: null, catchup: false, now };
        const first = nextRun(one, { ...fresh, now: now - ago, last: null });
        const next = nextRun(one, { ...fresh, last: first });
        expect(next?.logical_date).toBeGreaterThan(first?.logical_date ?? Number.NaN);
        const after = nextRun(one, { ...fresh, last: next });
        expect(after?.run_after).toBeGreaterThanOrEqual(now);
        expect(hasBeat(one)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
