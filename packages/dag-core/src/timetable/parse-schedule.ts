/** From what authors write as `schedule` to a timetable. */
import type { Timetable } from "../model.ts";
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
const PRESETS = ["@once", "@continuous", ...Object.keys(CRON_PRESETS)];

/** Reads null, a preset or a cron expression (UTC). Throws a `ScheduleError` with a hint. */
export function parseSchedule(schedule: string | null | undefined): Timetable {
  if (schedule === null || schedule === undefined) return { type: "null" };
  if (schedule === "@once") return { type: "once" };
  if (schedule === "@continuous") return { type: "continuous" };
  return cronTimetable(schedule, "UTC");
}

/** A cron expression or preset, evaluated on the wall clock of `timezone` (an IANA name). */
export function cronTimetable(schedule: string, timezone: string): Timetable {
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
export function deltaTimetable(seconds: number): Timetable {
  const milliseconds = seconds * 1000;
  if (
    !Number.isFinite(seconds) ||
    milliseconds < 1 ||
    !Number.isSafeInteger(Math.round(milliseconds)) ||
    Math.abs(milliseconds - Math.round(milliseconds)) > 1e-6
  ) {
    throw new ScheduleError(
      `The interval of ${seconds} seconds is no length of time`,
      "Use a positive number of seconds in whole milliseconds, such as { every: 5 }",
    );
  }
  return { type: "delta", seconds };
}

function preset(schedule: string): string {
  const expression = CRON_PRESETS[schedule];
  if (expression !== undefined) return expression;
  const meant = suggest(schedule, PRESETS);
  const hint = meant === null ? `Use a cron expression or one of ${PRESETS.join(", ")}` : `Did you mean '${meant}'?`;
  throw new ScheduleError(`The schedule '${schedule}' is no known preset`, hint);
}
