/** From `schedule` to a timetable, complaining in the author's terms. */
import {
  assertTimetable,
  cronTimetable,
  deltaTimetable,
  parseSchedule,
  ScheduleError,
  type TimeStep,
  type TimeTimetable,
  type Timetable,
} from "@updraft/dag-core";
import { readAssetSchedule } from "./asset-schedule.ts";
import { errorAt } from "./call-site.ts";
import type { DagModel } from "./dag-model.ts";
import { describeValue, isPlainObject } from "./json.ts";

export interface ScheduleDefaults {
  /** The clock of schedules of Dags that name no time zone. */
  readonly timezone?: string;
  /** Cron expressions and intervals stand for the period that is over, not for the point in time. */
  readonly createCronDataIntervals?: boolean;
  /** One run for all queued events of assets instead of one for each. */
  readonly batchAssetEvents?: boolean;
}

/** What a schedule is read with. */
interface Reading {
  readonly timezone: string;
  readonly dataIntervals: boolean;
  readonly refuse: (complaint: string) => never;
}

type Parts = Readonly<Record<string, unknown>>;

/** The forms a schedule object may have, by the part that tells them apart, with the parts it takes. */
const KINDS: readonly {
  readonly key: string;
  readonly parts: readonly string[];
  readonly read: (parts: Parts, reading: Reading) => TimeTimetable;
}[] = [
  { key: "every", parts: [], read: readEvery },
  { key: "cron", parts: ["timezone", "interval", "runImmediately"], read: readCron },
  { key: "crons", parts: ["timezone", "interval", "runImmediately"], read: readCrons },
  { key: "cronDataInterval", parts: ["timezone"], read: readCronDataInterval },
  { key: "deltaTrigger", parts: ["interval"], read: readDeltaTrigger },
  { key: "deltaDataInterval", parts: [], read: readDeltaDataInterval },
  { key: "events", parts: ["restrictToEvents"], read: readEvents },
];

export function readTimetable(model: DagModel, defaults: ScheduleDefaults): Timetable {
  const { schedule, timezone = defaults.timezone ?? "UTC" } = model.spec;
  if (schedule === undefined) return { type: "null" };
  const refuse = (complaint: string): never => {
    throw errorAt(model.site, `schedule for Dag "${model.dagId}" ${complaint}`);
  };
  if (typeof schedule !== "string" && !model.dialect.objectSchedules) {
    return refuse("must be a string; intervals and time zones come with @updraft/sdk");
  }
  const reading = { timezone, dataIntervals: defaults.createCronDataIntervals ?? false, refuse };
  try {
    const readTime = (time: unknown) => readTimeSchedule(time, reading);
    const assets = { batchAssetEvents: defaults.batchAssetEvents ?? false, readTime, refuse };
    return readAssetSchedule(schedule, assets) ?? readTime(schedule);
  } catch (error) {
    if (error instanceof ScheduleError) return refuse(`is not valid: ${error.message}`);
    throw error;
  }
}

function readTimeSchedule(schedule: unknown, reading: Reading): TimeTimetable {
  const timetable = typeof schedule === "string" ? readText(schedule, reading) : readObject(schedule, reading);
  assertTimetable(timetable);
  return timetable;
}

function readText(schedule: string, { timezone, dataIntervals }: Reading): TimeTimetable {
  const timetable = schedule === "" ? cronTimetable("", timezone) : parseSchedule(schedule, timezone);
  return timetable.type === "cron" && dataIntervals ? { ...timetable, type: "cron_data_interval" } : timetable;
}

function readObject(schedule: unknown, reading: Reading): TimeTimetable {
  const { refuse } = reading;
  if (!isPlainObject(schedule)) return refuse(`must be a string or an object, not ${describeValue(schedule)}`);
  const kind = KINDS.find(({ key }) => key in schedule);
  if (kind === undefined) {
    return refuse(`needs one of the parts ${KINDS.map(({ key }) => key).join(", ")}, such as { every: seconds }`);
  }
  const known = [kind.key, ...kind.parts];
  const unknown = Object.keys(schedule).find((part) => !known.includes(part));
  if (unknown !== undefined) return refuse(`has an unknown part "${unknown}"; it is { ${known.join(", ")} }`);
  return kind.read(schedule, reading);
}

function readEvery({ every }: Parts, { dataIntervals, refuse }: Reading): TimeTimetable {
  if (typeof every !== "number") return refuse(`needs { every: seconds }, not ${describeValue(every)}`);
  const timetable = deltaTimetable(every);
  return dataIntervals ? { type: "delta_data_interval", step: { months: 0, seconds: every } } : timetable;
}

function readCron(parts: Parts, reading: Reading): TimeTimetable {
  const timetable = cronTimetable(textOf(parts.cron, "cron", reading), timezoneOf(parts, reading));
  const plain = parts.interval === undefined && parts.runImmediately === undefined;
  if (plain && reading.dataIntervals) return { ...timetable, type: "cron_data_interval" };
  return { ...timetable, ...triggerOptions(parts, reading) };
}

function readCrons(parts: Parts, reading: Reading): TimeTimetable {
  if (!Array.isArray(parts.crons)) return reading.refuse(`needs crons as an array, not ${describeValue(parts.crons)}`);
  const timezone = timezoneOf(parts, reading);
  const expressions = parts.crons.map((one) => cronTimetable(textOf(one, "crons", reading), timezone).expression);
  return { type: "multiple_cron", expressions, timezone, ...triggerOptions(parts, reading) };
}

function readCronDataInterval(parts: Parts, reading: Reading): TimeTimetable {
  const expression = textOf(parts.cronDataInterval, "cronDataInterval", reading);
  return { ...cronTimetable(expression, timezoneOf(parts, reading)), type: "cron_data_interval" };
}

function readDeltaTrigger(parts: Parts, reading: Reading): TimeTimetable {
  const { interval } = triggerOptions({ interval: parts.interval }, reading);
  const step = stepOf(parts.deltaTrigger, "deltaTrigger", reading);
  return { type: "delta_trigger", step, ...(interval === undefined ? {} : { interval }) };
}

function readDeltaDataInterval({ deltaDataInterval }: Parts, reading: Reading): TimeTimetable {
  return { type: "delta_data_interval", step: stepOf(deltaDataInterval, "deltaDataInterval", reading) };
}

function readEvents({ events, restrictToEvents = false }: Parts, { refuse }: Reading): TimeTimetable {
  if (!Array.isArray(events) || !events.every((date) => date instanceof Date))
    return refuse("needs events as an array of Dates");
  if (typeof restrictToEvents !== "boolean") return refuse("needs restrictToEvents as a boolean");
  const instants = events.map((date: Date) => date.getTime());
  const dates = [...new Set(instants)].sort((left, right) => left - right);
  return { type: "events", dates, restrict_to_events: restrictToEvents };
}

function triggerOptions({ interval, runImmediately }: Parts, { refuse }: Reading) {
  if (interval !== undefined && typeof interval !== "number")
    return refuse(`needs interval in seconds, not ${describeValue(interval)}`);
  if (runImmediately !== undefined && typeof runImmediately !== "boolean" && typeof runImmediately !== "number")
    return refuse(`needs runImmediately as a boolean or in seconds, not ${describeValue(runImmediately)}`);
  return {
    ...(interval === undefined ? {} : { interval }),
    ...(runImmediately === undefined ? {} : { run_immediately: runImmediately }),
  };
}

function textOf(value: unknown, part: string, { refuse }: Reading): string {
  return typeof value === "string" ? value : refuse(`needs ${part} as a cron expression, not ${describeValue(value)}`);
}

function timezoneOf({ timezone }: Parts, reading: Reading): string {
  if (timezone === undefined) return reading.timezone;
  return typeof timezone === "string"
    ? timezone
    : reading.refuse(`needs the name of a time zone, not ${describeValue(timezone)}`);
}

const UNITS: Readonly<Record<string, TimeStep>> = {
  years: { months: 12, seconds: 0 },
  months: { months: 1, seconds: 0 },
  weeks: { months: 0, seconds: 604_800 },
  days: { months: 0, seconds: 86_400 },
  hours: { months: 0, seconds: 3600 },
  minutes: { months: 0, seconds: 60 },
  seconds: { months: 0, seconds: 1 },
};

/** A number of seconds, or an amount of calendar units. */
function stepOf(value: unknown, part: string, { refuse }: Reading): TimeStep {
  if (typeof value === "number") return { months: 0, seconds: value };
  const expected = `${part} as seconds or as { ${Object.keys(UNITS).join(", ")} }`;
  if (!isPlainObject(value)) return refuse(`needs ${expected}, not ${describeValue(value)}`);
  let [months, seconds] = [0, 0];
  for (const [name, amount] of Object.entries(value)) {
    const unit = UNITS[name];
    if (unit === undefined || typeof amount !== "number") return refuse(`needs ${expected}; "${name}" is none of them`);
    months += unit.months * amount;
    seconds += unit.seconds * amount;
  }
  return { months, seconds };
}
