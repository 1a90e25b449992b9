/** Timetables in words, for lists and headers. */
import { assertNever } from "../assert.ts";
import { isoText } from "../instant-text.ts";
import type { TimeStep, Timetable } from "../model.ts";
import { type CronFields, parseCron } from "./cron-expression.ts";

export interface TimetableDescription {
  /** Short, as shown in the Schedule column; null without a schedule. */
  readonly summary: string | null;
  readonly description: string;
  readonly periodic: boolean;
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** Summary and description of a timetable; `periodic` tells whether it has a beat. */
export function describeTimetable(timetable: Timetable): TimetableDescription {
  switch (timetable.type) {
    case "null":
      return { summary: null, description: "Never, external triggers only", periodic: false };
    case "once":
      return { summary: "@once", description: "Once, as soon as possible", periodic: false };
    case "continuous":
      return {
        summary: "@continuous",
        description: "As frequently as possible, but only one run at a time.",
        periodic: false,
      };
    case "cron":
      return {
        summary: timetable.expression,
        description: describeCron(timetable.expression, timetable.timezone),
        periodic: true,
      };
    case "cron_data_interval":
      return describeTimetable({ ...timetable, type: "cron" });
    case "multiple_cron":
      return {
        summary: timetable.expressions.join(", "),
        description: timetable.expressions.map((one) => describeCron(one, timetable.timezone)).join("; "),
        periodic: true,
      };
    case "delta_trigger":
    case "delta_data_interval":
      return describeStep(timetable.step);
    case "events":
      return {
        summary: `${timetable.dates.length} events`,
        description: `${timetable.dates.length} events between ${timetable.dates.map(isoText).at(0)} and ${timetable.dates.map(isoText).at(-1)}`,
        periodic: true,
      };
    case "delta":
      return {
        summary: durationText(timetable.seconds),
        description: `Every ${spokenDuration(timetable.seconds)}`,
        periodic: true,
      };
    case "asset":
      return { summary: "Asset", description: "Triggered by assets", periodic: false };
    case "asset_or_time":
      return joined("or", describeTimetable(timetable.timetable));
    case "asset_and_time":
      return joined("and", describeTimetable(timetable.timetable));
    default:
      return assertNever(timetable);
  }
}

function describeStep({ months, seconds }: TimeStep): TimetableDescription {
  if (months === 0) return describeTimetable({ type: "delta", seconds });
  const [size, unit] = months % 12 === 0 ? [months / 12, "year"] : [months, "month"];
  const rest = seconds === 0 ? "" : ` and ${spokenDuration(seconds)}`;
  return {
    summary: `${size} ${unit}${size === 1 ? "" : "s"}${seconds === 0 ? "" : `, ${durationText(seconds)}`}`,
    description: `Every ${size === 1 && rest === "" ? unit : `${size} ${unit}${size === 1 ? "" : "s"}`}${rest}`,
    periodic: true,
  };
}

function joined(word: "or" | "and", { summary, description, periodic }: TimetableDescription): TimetableDescription {
  return { summary: `Asset ${word} ${summary}`, description: `Triggered by assets ${word} ${description}`, periodic };
}

function describeCron(expression: string, timezone: string): string {
  const fields = parseCron(expression);
  const zone = timezone === "UTC" ? "" : ` (${timezone})`;
  return [timeText(fields), ...dayTexts(fields)].join(", ") + zone;
}

function timeText({ seconds, minutes, hours }: CronFields): string {
  const onMinute = seconds.length === 1 && seconds[0] === 0;
  if (onMinute && minutes.length * hours.length <= 4) return `At ${times(minutes, hours).join(", ")}`;
  const minuteText = everyText(minutes, 60, "minute");
  const parts = [onMinute ? "" : everyText(seconds, 60, "second"), minuteText];
  if (hours.length < 24 || minuteText.startsWith("at")) parts.push(everyText(hours, 24, "hour"));
  const text = parts.filter((part) => part !== "").join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function times(minutes: readonly number[], hours: readonly number[]): string[] {
  return hours.flatMap((hour) => minutes.map((minute) => `${twoDigits(hour)}:${twoDigits(minute)}`));
}

function everyText(values: readonly number[], size: number, unit: string): string {
  const step = (values[1] ?? size) - (values[0] ?? 0);
  const even =
    values[0] === 0 &&
    values.length > 1 &&
    values.length === Math.ceil(size / step) &&
    values.every((value, index) => value === index * step);
  if (even) return step === 1 ? `every ${unit}` : `every ${step} ${unit}s`;
  return `at ${unit} ${values.join(", ")}`;
}

function dayTexts(fields: CronFields): string[] {
  const onDays = fields.daysOfMonth.length < 31 ? `on day ${fields.daysOfMonth.join(", ")} of the month` : null;
  const onWeekdays = fields.daysOfWeek.length < 7 ? `on ${fields.daysOfWeek.map((day) => DAYS[day]).join(", ")}` : null;
  const inMonths =
    fields.months.length < 12 ? `in ${fields.months.map((month) => MONTHS[month - 1]).join(", ")}` : null;
  const days = onDays !== null && onWeekdays !== null ? [`${onDays} or ${onWeekdays}`] : [onDays, onWeekdays];
  return [...days, inMonths].filter((text) => text !== null);
}

/** `0:00:05`, `1 day, 0:00:00`: how Airflow shows a timedelta. */
function durationText(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const rest = seconds - days * 86_400;
  const fraction = rest % 1 === 0 ? "" : (rest % 1).toFixed(6).slice(1);
  const clock = `${Math.floor(rest / 3600)}:${twoDigits(Math.floor(rest / 60) % 60)}:${twoDigits(Math.floor(rest) % 60)}${fraction}`;
  return days === 0 ? clock : `${days} day${days === 1 ? "" : "s"}, ${clock}`;
}

function spokenDuration(seconds: number): string {
  const units: readonly [number, string][] = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ];
  const [size, unit] = units.find(([length]) => seconds % length === 0) ?? [1, "second"];
  const amount = seconds / size;
  return amount === 1 ? unit : `${amount} ${unit}s`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
