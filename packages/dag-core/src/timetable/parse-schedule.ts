/** From what authors write as `schedule` to a timetable. */
import type { Instant, TimeStep, TimeTimetable } from "../model.ts";
import { suggest } from "../suggest.ts";
import { parseCron } from "./cron-expression.ts";
import { ScheduleError } from "./schedule-error.ts";
import { assertTimezone } from "./zone.ts";

const CRON_PRESETS: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@quarterly": "0 0 1 */3 *",
  "@yearly": "0 0 1 1 *",
};
/** A thousand years. */
const MOST_MONTHS = 12_000;
const PRESETS = ["@once", "@continuous", ...Object.keys(CRON_PRESETS)];

/** Reads null, a preset or a cron expression on the clock of `timezone`. Throws a `ScheduleError` with a hint. */
export function parseSchedule(schedule: string | null | undefined, timezone = "UTC"): TimeTimetable {
  if (schedule === null || schedule === undefined) return { type: "null" };
  if (schedule === "@once") return { type: "once" };
  if (schedule === "@continuous") return { type: "continuous" };
  return cronTimetable(schedule, timezone);
}

/** A cron expression or preset, evaluated on the wall clock of `timezone` (an IANA name). */
export function cronTimetable(schedule: string, timezone: string): Extract<TimeTimetable, { type: "cron" }> {
  if (typeof schedule !== "string" || schedule.trim() === "") {
    throw new ScheduleError(
      "The schedule is empty",
      "Leave it out or use null for a DAG that only runs when triggered",
    );
  }
  assertTimezone(timezone);
  const expression = schedule.startsWith("@") ? preset(schedule) : schedule.trim().split(/\s+/).join(" ");
  parseCron(expression);
  return { type: "cron", expression, timezone };
}

/** One run every so many seconds. Ticks lie on the epoch grid of the interval. */
export function deltaTimetable(seconds: number): TimeTimetable {
  assertLength(seconds, 0.001);
  return { type: "delta", seconds };
}

/** Throws a `ScheduleError` on what no timetable can follow; every other function of this folder may trust the rest. */
export function assertTimetable(timetable: TimeTimetable): void {
  switch (timetable.type) {
    case "cron":
    case "multiple_cron":
      for (const one of timetable.type === "cron" ? [timetable.expression] : someOf(timetable.expressions))
        cronTimetable(one, timetable.timezone);
      assertLength(timetable.interval ?? 0, 0);
      if (typeof timetable.run_immediately === "number") assertLength(timetable.run_immediately, 0);
      return;
    case "cron_data_interval":
      cronTimetable(timetable.expression, timetable.timezone);
      return;
    case "delta":
      deltaTimetable(timetable.seconds);
      return;
    case "delta_trigger":
    case "delta_data_interval":
      assertStep(timetable.step);
      if (timetable.type === "delta_trigger") assertLength(timetable.interval ?? 0, 0);
      return;
    case "events":
      assertEvents(timetable.dates);
      return;
    default:
      return;
  }
}

function someOf(expressions: readonly string[]): readonly string[] {
  if (expressions.length > 0) return expressions;
  throw new ScheduleError("The schedule has no cron expression", "Give at least one");
}

function assertStep({ months, seconds }: TimeStep): void {
  if (!Number.isSafeInteger(months) || months < 0 || months > MOST_MONTHS) {
    throw new ScheduleError(`The interval of ${months} months is no length of time`, "Use whole months or years");
  }
  assertLength(seconds, months === 0 ? 0.001 : 0);
}

function assertEvents(dates: readonly Instant[]): void {
  const ascending = dates.every((date, index) => Number.isSafeInteger(date) && date > (dates[index - 1] ?? -Infinity));
  if (dates.length > 0 && ascending) return;
  throw new ScheduleError("The events of the schedule are no dates in ascending order", "Give at least one date");
}

function assertLength(seconds: number, shortest: number): void {
  const milliseconds = seconds * 1000;
  const whole = Math.round(milliseconds);
  if (seconds >= shortest && Number.isSafeInteger(whole) && Math.abs(milliseconds - whole) <= 1e-6) return;
  throw new ScheduleError(
    `The interval of ${seconds} seconds is no length of time`,
    "Use a positive number of seconds in whole milliseconds, such as { every: 5 }",
  );
}

function preset(schedule: string): string {
  const expression = CRON_PRESETS[schedule];
  if (expression !== undefined) return expression;
  const meant = suggest(schedule, PRESETS);
  const hint = meant === null ? `Use a cron expression or one of ${PRESETS.join(", ")}` : `Did you mean '${meant}'?`;
  throw new ScheduleError(`The schedule '${schedule}' is no known preset`, hint);
}
