import { at, iso } from "@updraft/testkit/dags";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cronTimetable,
  deltaTimetable,
  describeTimetable,
  inferManualDataInterval,
  missedTicks,
  nextRun,
  parseSchedule,
  type ScheduleFacts,
  type Timetable,
} from "../src/index.ts";
import { table } from "./table.ts";

function schedule(text: string): Timetable {
  if (text.startsWith("every ")) return deltaTimetable(Number(text.slice(6)));
  return text === "none" ? parseSchedule(null) : parseSchedule(text);
}

function facts(overrides: Partial<ScheduleFacts> & { now: number }): ScheduleFacts {
  return { last: null, earliest: null, latest: null, catchup: false, ...overrides };
}

function point(text: string | undefined): ScheduleFacts["last"] {
  return text === undefined || text === "" ? null : { data_interval_start: day(text), data_interval_end: day(text) };
}

/** `05 06:00` is that time on a day of March 2026. */
function day(text: string): number {
  return at(`2026-03-${text.replace(" ", "T")}${text.length === 8 ? ":00" : ""}Z`);
}

describe("nextRun", () => {
  it.each(
    table(`
      schedule    | catchup | last     | earliest | latest   | now      | next
      @daily      | no      | -        | 01 00:00 | -        | 11 06:00 | 11 00:00
      @daily      | yes     | -        | 01 00:00 | -        | 11 06:00 | 01 00:00
      @daily      | yes     | 01 00:00 | 01 00:00 | -        | 11 06:00 | 02 00:00
      @daily      | no      | 01 00:00 | 01 00:00 | -        | 11 06:00 | 11 00:00
      @daily      | no      | 11 00:00 | 01 00:00 | -        | 11 06:00 | 12 00:00
      @daily      | no      | -        | 20 05:00 | -        | 11 06:00 | 21 00:00
      @daily      | yes     | -        | 20 05:00 | -        | 11 06:00 | 21 00:00
      @daily      | no      | -        | -        | -        | 11 02:00 | 11 00:00
      @daily      | no      | -        | -        | -        | 11 03:00 | 12 00:00
      @hourly     | no      | -        | -        | -        | 11 06:04 | 11 06:00
      @hourly     | no      | -        | -        | -        | 11 06:06 | 11 06:00
      @hourly     | no      | -        | -        | -        | 11 06:07 | 11 07:00
      @hourly     | yes     | -        | -        | -        | 11 06:07 | 11 07:00
      @daily      | no      | 10 00:00 | -        | 10 12:00 | 11 06:00 | never
      @daily      | yes     | 09 00:00 | -        | 10 00:00 | 11 06:00 | 10 00:00
      @daily      | yes     | 10 00:00 | -        | 10 00:00 | 11 06:00 | never
      every 3600  | no      | -        | -        | -        | 11 06:07 | 11 06:00
      every 3600  | no      | 11 06:00 | -        | -        | 11 06:07 | 11 07:00
      every 3600  | no      | 11 01:00 | -        | -        | 11 06:07 | 11 06:00
      every 3600  | yes     | 11 01:00 | -        | -        | 11 06:07 | 11 02:00
      every 3600  | yes     | -        | 11 01:10 | -        | 11 06:07 | 11 02:00
      every 3600  | no      | -        | 12 01:10 | -        | 11 06:07 | 12 02:00
      @once       | no      | -        | -        | -        | 11 06:07 | 11 06:07
      @once       | no      | -        | 01 00:00 | -        | 11 06:07 | 01 00:00
      @once       | no      | 01 00:00 | 01 00:00 | -        | 11 06:07 | never
      @once       | no      | -        | 12 00:00 | 11 00:00 | 10 06:07 | never
      none        | no      | -        | 01 00:00 | -        | 11 06:07 | never
    `),
  )("$schedule, catchup $catchup, last [$last], from [$earliest] to [$latest], at $now: $next", (row) => {
    const run = nextRun(schedule(row.schedule ?? ""), {
      last: point(row.last),
      earliest: row.earliest === "" ? null : day(row.earliest ?? ""),
      latest: row.latest === "" ? null : day(row.latest ?? ""),
      catchup: row.catchup === "yes",
      now: day(row.now ?? ""),
    });
    const expected = row.next === "never" ? null : day(row.next ?? "");
    expect(iso(run?.logical_date)).toBe(iso(expected));
    if (run === null) return;
    expect(run).toEqual({
      logical_date: expected,
      data_interval_start: expected,
      data_interval_end: expected,
      run_after: expected,
    });
  });

  it("chains continuous runs without repeating a logical date", () => {
    const now = day("11 06:00");
    const continuous = parseSchedule("@continuous");
    const first = nextRun(continuous, facts({ now, earliest: now }));
    expect(first).toEqual({ logical_date: now, data_interval_start: now, data_interval_end: now, run_after: now });
    const second = nextRun(continuous, facts({ now: now + 500, last: first }));
    expect(second).toEqual({
      logical_date: now + 1,
      data_interval_start: now + 1,
      data_interval_end: now + 500,
      run_after: now + 500,
    });
    const third = nextRun(continuous, facts({ now: now + 900, last: second }));
    expect(third).toMatchObject({ data_interval_start: now + 500, data_interval_end: now + 900 });
    expect(nextRun(continuous, facts({ now, last: first, latest: now - 1 }))).toBeNull();
  });

  it("gives a manual run a point in time", () => {
    const now = day("11 06:00");
    expect(inferManualDataInterval(parseSchedule("@daily"), now)).toEqual({ start: now, end: now });
  });

  const periodic = fc.oneof(
    fc.integer({ min: 1, max: 100_000 }).map((seconds) => deltaTimetable(seconds)),
    fc
      .tuple(
        fc.constantFrom("*/7 * * * *", "0 6 * * 1-5", "30 2 * * *", "@hourly"),
        fc.constantFrom("UTC", "Europe/Zurich"),
      )
      .map(([cron, timezone]) => cronTimetable(cron, timezone)),
  );
  const instant = fc.integer({ min: at("2023-01-01T00:00:00Z"), max: at("2026-01-01T00:00:00Z") });

  it("catches up on every tick in order, and skips to the newest without catch-up", () => {
    fc.assert(
      fc.property(periodic, instant, fc.integer({ min: 0, max: 50_000_000 }), (timetable, begin, span) => {
        const now = begin + span;
        let last = nextRun(timetable, facts({ now, earliest: begin, catchup: true }));
        const firstTick = last?.logical_date ?? Number.NaN;
        expect(firstTick).toBeGreaterThanOrEqual(begin);
        let ticks = 0;
        while (last !== null && last.logical_date <= now && ticks < 400) {
          ticks += 1;
          const next = nextRun(timetable, facts({ now, last, earliest: begin, catchup: true }));
          expect(next?.logical_date).toBeGreaterThan(last.logical_date);
          last = next;
        }
        const newest = nextRun(timetable, facts({ now, earliest: begin }));
        if (ticks === 0) expect(newest?.logical_date).toBe(firstTick);
        else if (ticks < 400 && last !== null) {
          expect(newest?.logical_date).toBeLessThanOrEqual(now);
          expect(missedTicks(timetable, newest?.logical_date ?? 0, last.logical_date, 10)).toBeNull();
          const missed = missedTicks(timetable, firstTick - 1, last.logical_date, 1000);
          expect(missed).toEqual({ first: firstTick, last: newest?.logical_date, count: ticks });
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("missedTicks", () => {
  it("counts a year of five-second ticks without walking over them", () => {
    const missed = missedTicks(deltaTimetable(5), at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), 10);
    expect(missed).toEqual({
      first: at("2025-01-01T00:00:05Z"),
      last: at("2025-12-31T23:59:55Z"),
      count: 365 * 17_280 - 1,
    });
  });

  it("stops counting cron ticks at the limit but names the last one", () => {
    const missed = missedTicks(parseSchedule("* * * * *"), at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), 50);
    expect(missed).toEqual({ first: at("2025-01-01T00:01:00Z"), last: at("2025-12-31T23:59:00Z"), count: 50 });
  });

  it("finds none between neighbours and none without a beat", () => {
    expect(missedTicks(parseSchedule("@hourly"), day("11 06:00"), day("11 07:00"), 10)).toBeNull();
    expect(missedTicks(parseSchedule("@once"), day("01 00:00"), day("11 07:00"), 10)).toBeNull();
  });
});

describe("describeTimetable", () => {
  it.each(
    table(`
      schedule          | summary           | description
      @daily            | 0 0 * * *         | At 00:00
      @hourly           | 0 * * * *         | At minute 0, every hour
      @weekly           | 0 0 * * 0         | At 00:00, on Sunday
      @quarterly        | 0 0 1 */3 *       | At 00:00, on day 1 of the month, in January, April, July, October
      */5 * * * *       | */5 * * * *       | Every 5 minutes
      * * * * * */5     | * * * * * */5     | Every 5 seconds, every minute
      30 6,18 * * 1-5   | 30 6,18 * * 1-5   | At 06:30, 18:30, on Monday, Tuesday, Wednesday, Thursday, Friday
      every 5           | 0:00:05           | Every 5 seconds
      every 60          | 0:01:00           | Every minute
      every 90061       | 1 day, 1:01:01    | Every 90061 seconds
      every 172800      | 2 days, 0:00:00   | Every 2 days
      every 0.5         | 0:00:00.500000    | Every 0.5 seconds
      @once             | @once             | Once, as soon as possible
    `),
  )("$schedule", (row) => {
    const { summary, description } = describeTimetable(schedule(row.schedule ?? ""));
    expect({ summary, description }).toEqual({ summary: row.summary, description: row.description });
  });

  it("knows which have a beat, and names the zone", () => {
    expect(describeTimetable({ type: "null" })).toEqual({
      summary: null,
      description: "Never, external triggers only",
      periodic: false,
    });
    expect(describeTimetable(cronTimetable("0 6 * * *", "Europe/Zurich")).description).toBe("At 06:00 (Europe/Zurich)");
    expect(describeTimetable(deltaTimetable(5)).periodic).toBe(true);
  });

  it("refuses intervals that are no length of time", () => {
    for (const seconds of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 0.0001])
      expect(() => deltaTimetable(seconds)).toThrow("no length of time");
  });
});
