import { at, iso } from "@updraft/testkit/dags";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cronTimetable, parseSchedule, ScheduleError } from "../src/index.ts";
import {
  type CronClock,
  cronClock,
  nextTick,
  previousTick,
  tickAtOrAfter,
  tickAtOrBefore,
} from "../src/timetable/cron-clock.ts";
import { type CronFields, parseCron } from "../src/timetable/cron-expression.ts";
import { offsetAt } from "../src/timetable/zone.ts";
import { table } from "./table.ts";

const DAY = 86_400_000;

function ticks(clock: CronClock, after: string, count: number): string[] {
  let instant = at(after);
  return Array.from({ length: count }, () => {
    instant = nextTick(clock, instant);
    return iso(instant);
  });
}

/** Ticks backwards, oldest first. */
function ticksBefore(clock: CronClock, before: string, count: number): string[] {
  let instant = at(before);
  return Array.from({ length: count }, () => {
    instant = previousTick(clock, instant);
    return iso(instant);
  }).reverse();
}

describe("cron ticks over clock changes (Europe/Zurich)", () => {
  it.each(
    table(`
      cron           | ticks
      30 2 * * *     | 2023-03-25T01:30:00Z 2023-03-26T01:30:00Z 2023-03-27T00:30:00Z
      30 2 * * *     | 2023-10-28T00:30:00Z 2023-10-29T01:30:00Z 2023-10-30T01:30:00Z
      30 * * * *     | 2023-10-28T23:30:00Z 2023-10-29T00:30:00Z 2023-10-29T01:30:00Z 2023-10-29T02:30:00Z
      30 */2 * * *   | 2023-10-28T22:30:00Z 2023-10-29T01:30:00Z 2023-10-29T03:30:00Z
      0 0 * * *      | 2023-03-25T23:00:00Z 2023-03-26T22:00:00Z 2023-03-27T22:00:00Z
      30 * * * *     | 2023-03-25T23:30:00Z 2023-03-26T00:30:00Z 2023-03-26T01:30:00Z
      0,30 2,3 * * * | 2023-03-25T02:30:00Z 2023-03-26T01:00:00Z 2023-03-26T01:30:00Z 2023-03-27T00:00:00Z
      0 * * * mon    | 2023-10-29T23:00:00Z 2023-10-30T00:00:00Z
    `),
  )("$cron: $ticks", (row) => {
    const expected = (row.ticks ?? "").split(" ");
    const clock = cronClock(row.cron ?? "", "Europe/Zurich");
    expect(ticks(clock, iso(at(expected[0] ?? "") - 1), expected.length)).toEqual(expected);
    expect(ticksBefore(clock, iso(at(expected.at(-1) ?? "") + 1), expected.length)).toEqual(expected);
  });

  it("finds the tick still to come when asked inside the repeated hour", () => {
    const clock = cronClock("30 2 * * *", "Europe/Zurich");
    expect(iso(nextTick(clock, at("2023-10-29T00:45:00Z")))).toBe("2023-10-29T01:30:00Z");
    expect(iso(previousTick(clock, at("2023-10-29T00:45:00Z")))).toBe("2023-10-28T00:30:00Z");
  });
});

describe("cron ticks", () => {
  it.each(
    table(`
      cron             | after                | next
      0 0 29 2 *       | 2096-03-01T00:00:00Z | 2104-02-29T00:00:00Z
      0 0 31 * *       | 2026-01-31T00:00:00Z | 2026-03-31T00:00:00Z
      0 12 13 * fri    | 2026-03-01T00:00:00Z | 2026-03-06T12:00:00Z
      0 12 13 * fri    | 2026-03-06T12:00:00Z | 2026-03-13T12:00:00Z
      0 0 * * 7        | 2026-03-02T00:00:00Z | 2026-03-08T00:00:00Z
      0 0 * * sat-sun  | 2026-03-02T00:00:00Z | 2026-03-07T00:00:00Z
      0 22-2/2 * * *   | 2026-03-02T22:00:00Z | 2026-03-03T00:00:00Z
      5/20 * * * *     | 2026-03-02T00:25:00Z | 2026-03-02T00:45:00Z
      */15 9-17 * * 1-5 | 2026-03-06T17:45:00Z | 2026-03-09T09:00:00Z
      * * * * * */5    | 2026-03-02T00:00:01Z | 2026-03-02T00:00:05Z
      * * * * * */5    | 2026-03-02T00:00:55Z | 2026-03-02T00:01:00Z
      0 0 1 jan,JUL ?  | 2026-03-02T00:00:00Z | 2026-07-01T00:00:00Z
      0 0 1 */3 *      | 2026-03-02T00:00:00Z | 2026-04-01T00:00:00Z
    `),
  )("$cron after $after: $next", (row) => {
    const clock = cronClock(row.cron ?? "", "UTC");
    expect(iso(nextTick(clock, at(row.after ?? "")))).toBe(row.next);
    expect(previousTick(clock, at(row.next ?? ""))).toBeLessThanOrEqual(at(row.after ?? ""));
  });

  it("keeps milliseconds out of ticks", () => {
    const clock = cronClock("* * * * *", "UTC");
    expect(iso(nextTick(clock, at("2026-03-02T00:00:00.001Z")))).toBe("2026-03-02T00:01:00Z");
    expect(iso(tickAtOrAfter(clock, at("2026-03-02T00:01:00Z")))).toBe("2026-03-02T00:01:00Z");
    expect(iso(tickAtOrBefore(clock, at("2026-03-02T00:01:59.999Z")))).toBe("2026-03-02T00:01:00Z");
  });

  it.each(
    table(`
      cron         | message
      * * * *      | 5 or 6 fields
      every day    | neither a preset nor a cron expression
      60 * * * *   | '60' is no minute
      * 24 * * *   | '24' is no hour
      * * 0 * *    | '0' is no day of month
      * * * jann * | Did you mean 'jan'?
      * * L * *    | not supported
      * * * * 5#2  | not supported
      */0 * * * *  | is no minute
      ? * * * *    | is no minute
      0 0 31 2 *   | never comes
      0 0 31 4,6 * | never comes
      @dayly       | Did you mean '@daily'?
      @reboot      | no known preset
    `),
  )("refuses '$cron': $message", (row) => {
    expect(() => parseSchedule(row.cron)).toThrow(ScheduleError);
    expect(() => parseSchedule(row.cron)).toThrow(row.message ?? "");
  });

  it("refuses empty schedules and unknown zones", () => {
    expect(() => parseSchedule("")).toThrow("empty");
    expect(() => cronTimetable("@daily", "Europe/Zuerich")).toThrow("The time zone 'Europe/Zuerich' is unknown");
    expect(cronTimetable(" 0  6 * * * ", "Europe/Zurich")).toEqual({
      type: "cron",
      expression: "0 6 * * *",
      timezone: "Europe/Zurich",
    });
  });
});

describe("cron properties", () => {
  const list = (min: number, max: number) =>
    fc.oneof(
      fc.constant("*"),
      fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
      fc.array(fc.integer({ min, max }), { minLength: 1, maxLength: 3 }).map((values) => values.join(",")),
    );
  const expression = fc
    .tuple(list(0, 59), list(0, 23), list(1, 28), list(1, 12), list(0, 6))
    .map((fields) => fields.join(" "));
  const zone = fc.constantFrom(
    "UTC",
    "Europe/Zurich",
    "America/New_York",
    "Asia/Kolkata",
    "America/Havana",
    "Asia/Kathmandu",
  );
  const instant = fc.integer({ min: at("2022-01-01T00:00:00Z"), max: at("2027-01-01T00:00:00Z") });

  /** The definition, minute by minute. */
  function matches(fields: CronFields, wall: number): boolean {
    const date = new Date(wall);
    const dom = fields.daysOfMonth.includes(date.getUTCDate());
    const dow = fields.daysOfWeek.includes(date.getUTCDay());
    return (
      wall % 60_000 === 0 &&
      fields.minutes.includes(date.getUTCMinutes()) &&
      fields.hours.includes(date.getUTCHours()) &&
      fields.months.includes(date.getUTCMonth() + 1) &&
      (fields.eitherDay ? dom || dow : dom && dow)
    );
  }

  it("agrees with a minute-by-minute search in UTC", () => {
    fc.assert(
      fc.property(expression, instant, (cron, start) => {
        const clock = cronClock(cron, "UTC");
        const next = nextTick(clock, start);
        const fields = parseCron(cron);
        let minute = Math.floor(start / 60_000) * 60_000 + 60_000;
        while (minute - start < 3 * DAY && !matches(fields, minute)) minute += 60_000;
        if (minute - start < 3 * DAY) expect(iso(next)).toBe(iso(minute));
        else expect(next).toBeGreaterThanOrEqual(minute);
      }),
      { numRuns: 150 },
    );
  });

  it("steps back to where it came from, in every zone", () => {
    fc.assert(
      fc.property(expression, zone, instant, (cron, timezone, start) => {
        const clock = cronClock(cron, timezone);
        const first = nextTick(clock, start);
        const second = nextTick(clock, first);
        expect(first).toBeGreaterThan(start);
        expect(iso(previousTick(clock, second))).toBe(iso(first));
        expect(previousTick(clock, first)).toBeLessThanOrEqual(start);
        expect(tickAtOrAfter(clock, first)).toBe(first);
        expect(tickAtOrBefore(clock, first)).toBe(first);
      }),
      {
        numRuns: 300,
        // Midnight in Havana comes twice in autumn and not at all in spring, at the edge of a month, a day, a weekday.
        examples: [
          ["0 * * */5 *", "America/Havana", 1_782_874_800_000],
          ["1 * 1 */2 */7", "America/Havana", 1_698_894_060_000],
          ["0 * * * */7", "America/Havana", 1_646_622_000_000],
        ],
      },
    );
  });

  it("shows a matching wall clock at every tick away from clock changes", () => {
    fc.assert(
      fc.property(expression, zone, instant, (cron, timezone, start) => {
        const tick = nextTick(cronClock(cron, timezone), start);
        fc.pre(offsetAt(timezone, tick - DAY) === offsetAt(timezone, tick + DAY));
        expect(matches(parseCron(cron), tick + offsetAt(timezone, tick))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("stays fast for sparse expressions and dense seconds", () => {
    const sparse = cronClock("0 0 29 2 *", "Europe/Zurich");
    const dense = cronClock("* 1-5 * * * *", "Europe/Zurich");
    let instantSparse = at("2020-01-01T00:00:00Z");
    let instantDense = at("2023-10-28T23:58:20Z");
    for (let index = 0; index < 20; index += 1) instantSparse = nextTick(sparse, instantSparse);
    for (let index = 0; index < 200; index += 1) instantDense = nextTick(dense, instantDense);
    expect(iso(instantSparse)).toBe("2096-02-28T23:00:00Z");
    expect(iso(instantDense)).toBe("2023-10-29T01:01:40Z");
  });
});
