/**
 * Cron expressions: five fields, or six with seconds last. Names, ranges, steps and lists; `7` is Sunday as `0` is.
 * When both day fields are restricted, a day matches if either does. `L`, `W` and `#` are refused.
 */
import { suggest } from "../suggest.ts";
import { ScheduleError } from "./schedule-error.ts";

/** The allowed values of every field, ascending. */
export interface CronFields {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly number[];
  readonly months: readonly number[];
  readonly daysOfWeek: readonly number[];
  /** Both day fields are restricted: either may match. */
  readonly eitherDay: boolean;
  /** The hour field allows every hour, which decides how clock changes are treated. */
  readonly everyHour: boolean;
}

interface FieldRule {
  readonly title: string;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MINUTE: FieldRule = { title: "minute", min: 0, max: 59, names: [] };
const HOUR: FieldRule = { title: "hour", min: 0, max: 23, names: [] };
const DAY_OF_MONTH: FieldRule = { title: "day of month", min: 1, max: 31, names: [] };
const MONTH: FieldRule = { title: "month", min: 1, max: 12, names: MONTHS };
const DAY_OF_WEEK: FieldRule = { title: "day of week", min: 0, max: 7, names: DAYS };
const SECOND: FieldRule = { title: "second", min: 0, max: 59, names: [] };
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Parses an expression; throws a `ScheduleError` that names the field. */
export function parseCron(expression: string): CronFields {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== 5 && parts.length !== 6) {
    throw new ScheduleError(
      `The schedule '${expression}' is neither a preset nor a cron expression of 5 or 6 fields`,
      "Write 'minute hour day-of-month month day-of-week', such as '0 6 * * *', or a preset such as '@daily'",
    );
  }
  const field = (index: number, rule: FieldRule): number[] => parseField(parts[index] ?? "0", rule, expression);
  const weekdays = [...new Set(field(4, DAY_OF_WEEK).map((day) => day % 7))].sort((a, b) => a - b);
  const fields = {
    seconds: field(5, SECOND),
    minutes: field(0, MINUTE),
    hours: field(1, HOUR),
    daysOfMonth: field(2, DAY_OF_MONTH),
    months: field(3, MONTH),
    daysOfWeek: weekdays,
  };
  const eitherDay = fields.daysOfMonth.length < 31 && weekdays.length < 7;
  if (!eitherDay) assertDayExists(fields.daysOfMonth, fields.months, expression);
  return { ...fields, eitherDay, everyHour: fields.hours.length === 24 };
}

function parseField(text: string, rule: FieldRule, expression: string): number[] {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    for (const value of parsePart(part, rule, expression)) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

function parsePart(part: string, rule: FieldRule, expression: string): number[] {
  const match = /^(\*|\?|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/i.exec(part);
  const start = match?.[1];
  if (match === null || start === undefined) throw fieldError(part, rule, expression);
  const [, , end, step] = match;
  const every = step === undefined ? 1 : Number(step);
  if (every < 1) throw fieldError(part, rule, expression);
  if (start === "*" || start === "?") {
    if (end !== undefined || (start === "?" && rule !== DAY_OF_MONTH && rule !== DAY_OF_WEEK))
      throw fieldError(part, rule, expression);
    return range(rule.min, rule === DAY_OF_WEEK ? 6 : rule.max, every);
  }
  const low = parseValue(start, rule, expression);
  const lastOfField = rule === DAY_OF_WEEK ? 6 : rule.max;
  const high =
    end !== undefined ? parseValue(end, rule, expression) : step === undefined ? low : Math.max(low, lastOfField);
  return low <= high ? range(low, high, every) : wrappedRange({ low, high, every }, rule);
}

function range(low: number, high: number, step: number): number[] {
  return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, index) => low + index * step);
}

/** `fri-mon` or `22-2`: the steps go on from the field's start. */
function wrappedRange({ low, high, every }: { low: number; high: number; every: number }, rule: FieldRule): number[] {
  const size = rule === DAY_OF_WEEK ? 7 : rule.max - rule.min + 1;
  return range(low, high + size, every).map((value) => ((value - rule.min) % size) + rule.min);
}

function parseValue(text: string, rule: FieldRule, expression: string): number {
  const named = rule.names.indexOf(text.toLowerCase());
  if (named >= 0) return named + (rule === MONTH ? 1 : 0);
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= rule.min && value <= rule.max)) throw fieldError(text, rule, expression);
  return value;
}

function fieldError(part: string, rule: FieldRule, expression: string): ScheduleError {
  const names = rule.names.length > 0 ? ` or ${rule.names[0]}-${rule.names.at(-1)}` : "";
  const meant = /^[a-z]+$/i.test(part) ? suggest(part, rule.names) : null;
  const special =
    /[LW#]/i.test(part) && /day/.test(rule.title) && meant === null ? " (L, W and # are not supported)" : "";
  const hint =
    meant === null
      ? `Allowed are ${rule.min}-${rule.max}${names}, with * , - and /${special}`
      : `Did you mean '${meant}'?`;
  return new ScheduleError(`'${part}' is no ${rule.title} in the cron expression '${expression}'`, hint);
}

function assertDayExists(days: readonly number[], months: readonly number[], expression: string): void {
  const first = days[0] ?? 1;
  if (months.some((month) => first <= (LONGEST_MONTHS[month - 1] ?? 0))) return;
  throw new ScheduleError(
    `The cron expression '${expression}' names a day that never comes`,
    `Day ${first} exists in none of its months`,
  );
}
