/** Time zones: the offset of a zone at an instant, by the runtime's own tz database. */
import type { Instant } from "../model.ts";
import { ScheduleError } from "./schedule-error.ts";

/** Making a formatter costs a hundred times as much as using it. Names are few, so nothing is ever dropped. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/** Throws a `ScheduleError` unless the runtime knows the zone. */
export function assertTimezone(timezone: string): void {
  try {
    formatterOf(timezone);
  } catch {
    throw new ScheduleError(
      `The time zone '${timezone}' is unknown`,
      "Use an IANA name such as 'Europe/Zurich' or 'UTC'",
    );
  }
}

/** Milliseconds that the zone's wall clock is ahead of UTC at `instant`. */
export function offsetAt(timezone: string, instant: Instant): number {
  if (timezone === "UTC") return 0;
  const part: Record<string, number> = {};
  for (const { type, value } of formatterOf(timezone).formatToParts(instant)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}

function formatterOf(timezone: string): Intl.DateTimeFormat {
  const known = formatters.get(timezone);
  if (known !== undefined) return known;
  const formatter = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formatters.set(timezone, formatter);
  return formatter;
}
