/**
 * Cron on a clock without a zone. A wall-clock time is written as the epoch milliseconds it would have in UTC; searches
 * go over the fields from the largest down, so that a sparse expression costs no more than a dense one.
 */
import { assert } from "../assert.ts";
import type { CronFields } from "./cron-expression.ts";

const DAY = 86_400_000;
/** 29 February on a given weekday comes back within 40 years even over 2100. */
const MAX_DAYS = 366 * 41;

/** The first matching wall-clock time strictly after `wall`. */
export function nextWall(fields: CronFields, wall: number): number {
  const start = Math.floor(wall / 1000) * 1000 + 1000;
  let day = startOfDay(start);
  let within = nextInDay(fields, start - day);
  for (let tried = 0; tried < MAX_DAYS; tried += 1) {
    if (within !== null && dayMatches(fields, day)) return day + within;
    day = tried === 0 || monthMatches(fields, day) ? day + DAY : startOfNextMonth(day);
    within = nextInDay(fields, 0);
  }
  assert(false, "a parsed cron expression never matches");
}

/** The last matching wall-clock time strictly before `wall`. */
export function previousWall(fields: CronFields, wall: number): number {
  const start = Math.ceil(wall / 1000) * 1000 - 1000;
  let day = startOfDay(start);
  let within = previousInDay(fields, start - day);
  for (let tried = 0; tried < MAX_DAYS; tried += 1) {
    if (within !== null && dayMatches(fields, day)) return day + within;
    day = tried === 0 || monthMatches(fields, day) ? day - DAY : endOfPreviousMonth(day);
    within = previousInDay(fields, DAY - 1000);
  }
  assert(false, "a parsed cron expression never matches");
}

function dayMatches(fields: CronFields, day: number): boolean {
  if (!monthMatches(fields, day)) return false;
  const date = new Date(day);
  const byMonth = fields.daysOfMonth.includes(date.getUTCDate());
  const byWeek = fields.daysOfWeek.includes(date.getUTCDay());
  return fields.eitherDay ? byMonth || byWeek : byMonth && byWeek;
}

function monthMatches(fields: CronFields, day: number): boolean {
  return fields.months.includes(new Date(day).getUTCMonth() + 1);
}

/** Milliseconds into the day of the first match at or after `from`. */
function nextInDay(fields: CronFields, from: number): number | null {
  const { hour, minute, second } = clock(from);
  const sameMinute =
    fields.hours.includes(hour) && fields.minutes.includes(minute) ? atLeast(fields.seconds, second) : null;
  if (sameMinute !== null) return milliseconds(hour, minute, sameMinute);
  const first = { minute: fields.minutes[0] ?? 0, second: fields.seconds[0] ?? 0 };
  const sameHour = fields.hours.includes(hour) ? atLeast(fields.minutes, minute + 1) : null;
  if (sameHour !== null) return milliseconds(hour, sameHour, first.second);
  const laterHour = atLeast(fields.hours, hour + 1);
  return laterHour === null ? null : milliseconds(laterHour, first.minute, first.second);
}

/** Milliseconds into the day of the last match at or before `from`. */
function previousInDay(fields: CronFields, from: number): number | null {
  const { hour, minute, second } = clock(from);
  const sameMinute =
    fields.hours.includes(hour) && fields.minutes.includes(minute) ? atMost(fields.seconds, second) : null;
  if (sameMinute !== null) return milliseconds(hour, minute, sameMinute);
  const last = { minute: fields.minutes.at(-1) ?? 0, second: fields.seconds.at(-1) ?? 0 };
  const sameHour = fields.hours.includes(hour) ? atMost(fields.minutes, minute - 1) : null;
  if (sameHour !== null) return milliseconds(hour, sameHour, last.second);
  const earlierHour = atMost(fields.hours, hour - 1);
  return earlierHour === null ? null : milliseconds(earlierHour, last.minute, last.second);
}

function atLeast(values: readonly number[], from: number): number | null {
  return values.find((value) => value >= from) ?? null;
}

function atMost(values: readonly number[], to: number): number | null {
  return values.findLast((value) => value <= to) ?? null;
}

function clock(withinDay: number): { hour: number; minute: number; second: number } {
  const total = Math.floor(withinDay / 1000);
  return { hour: Math.floor(total / 3600), minute: Math.floor(total / 60) % 60, second: total % 60 };
}

function milliseconds(hour: number, minute: number, second: number): number {
  return (hour * 3600 + minute * 60 + second) * 1000;
}

function startOfDay(wall: number): number {
  return Math.floor(wall / DAY) * DAY;
}

function startOfNextMonth(day: number): number {
  const date = new Date(day);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

function endOfPreviousMonth(day: number): number {
  const date = new Date(day);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 0);
}
