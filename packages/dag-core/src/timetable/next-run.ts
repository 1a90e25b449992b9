/**
 * When a DAG runs next. Without catch-up only the newest tick counts; with it, every one since the last run.
 *
 * Triggers run at a tick, which ends their data interval; its start, a point earlier by `interval`, is the logical
 * date. Data intervals run when the period between two ticks is over; its begin is the logical date.
 */
import { assertNever } from "../assert.ts";
import { timePart } from "../asset/time-part.ts";
import type { Instant, Timetable } from "../model.ts";
import { type GridTimetable, type TriggerTicks, tickSource, triggerTicks } from "./tick-source.ts";
import { addSteps, stepFrom, wholeSteps } from "./time-step.ts";

export interface DataInterval {
  readonly data_interval_start: Instant;
  readonly data_interval_end: Instant;
}

export interface RunInfo extends DataInterval {
  readonly logical_date: Instant;
  readonly run_after: Instant;
}

export interface ScheduleFacts {
  /** Data interval of the newest run that the timetable made, or of the newest tick passed over. */
  readonly last: DataInterval | null;
  /** Earliest start date, latest end date; null where the author set none. */
  readonly earliest: Instant | null;
  readonly latest: Instant | null;
  readonly catchup: boolean;
  readonly now: Instant;
}

/** The next run, due now or later; null when there will be none. */
export function nextRun(schedule: Timetable, facts: ScheduleFacts): RunInfo | null {
  const timetable = timePart(schedule);
  switch (timetable.type) {
    case "null":
      return null;
    case "once":
      return facts.last === null ? atTick(facts.earliest ?? facts.now, 0, facts.latest) : null;
    case "continuous":
      return nextContinuous(facts);
    case "cron":
      return atTick(nextTriggerTick(triggerTicks(timetable), facts), timetable.interval ?? 0, facts.latest);
    case "multiple_cron":
      return atTick(nextOfMany(timetable, facts), timetable.interval ?? 0, facts.latest);
    case "delta":
      return atTick(nextTriggerTick(triggerTicks(timetable), facts), 0, facts.latest);
    case "delta_trigger":
      return atTick(nextTriggerTick(stepTicks(timetable, facts), facts), timetable.interval ?? 0, facts.latest);
    case "cron_data_interval":
      return nextInterval(cronPeriods(timetable), facts);
    case "delta_data_interval":
      return nextInterval(stepPeriods(timetable, facts), facts);
    case "events":
      return atTick(nextEvent(timetable, facts), 0, facts.latest);
    default:
      return assertNever(timetable);
  }
}

/**
 * The data interval of a run that somebody starts by hand at `instant`: up to that point for triggers, the last
 * complete period for cron intervals.
 */
export function inferManualDataInterval(schedule: Timetable, instant: Instant): { start: Instant; end: Instant } {
  const timetable = timePart(schedule);
  switch (timetable.type) {
    case "cron":
    case "multiple_cron":
    case "delta_trigger":
      return { start: instant - Math.round((timetable.interval ?? 0) * 1000), end: instant };
    case "cron_data_interval": {
      const ticks = tickSource(timetable);
      const end = ticks.atOrBefore(instant);
      return { start: ticks.before(end), end };
    }
    case "delta_data_interval":
      return { start: addSteps(instant, timetable.step, -1), end: instant };
    case "events": {
      const newest = timetable.restrict_to_events ? eventAt(timetable.dates, instant) : instant;
      return { start: newest, end: newest };
    }
    case "null":
    case "once":
    case "continuous":
    case "delta":
      return { start: instant, end: instant };
    default:
      return assertNever(timetable);
  }
}

function nextTriggerTick(ticks: TriggerTicks, { last, earliest, catchup, now }: ScheduleFacts): Instant {
  if (catchup) {
    if (last !== null) return ticks.after(last.data_interval_end);
    return earliest === null ? ticks.first(now) : ticks.atOrAfter(earliest);
  }
  const candidates = [ticks.atOrBefore(now)];
  if (last !== null) candidates.push(ticks.after(last.data_interval_end));
  else if (earliest === null) candidates.push(ticks.first(now));
  if (earliest !== null) candidates.push(ticks.atOrAfter(earliest));
  return Math.max(...candidates);
}

/** Each member for itself, one run for an instant that several share: the newest that is due, else the soonest. */
function nextOfMany(timetable: Extract<GridTimetable, { type: "multiple_cron" }>, facts: ScheduleFacts): Instant {
  const ticks = timetable.expressions.map((expression) =>
    nextTriggerTick(triggerTicks({ ...timetable, type: "cron", expression }), facts),
  );
  const due = facts.catchup ? [] : ticks.filter((tick) => tick <= facts.now);
  return due.length > 0 ? Math.max(...due) : Math.min(...ticks);
}

/** A delta that counts from the last run: every instant may be a tick. */
function stepTicks({ step }: Extract<Timetable, { type: "delta_trigger" }>, { earliest }: ScheduleFacts): TriggerTicks {
  const same = (instant: Instant) => instant;
  return {
    after: (instant) => stepFrom(earliest ?? instant, instant, step),
    atOrAfter: same,
    atOrBefore: same,
    first: same,
  };
}

/** The periods of a data-interval timetable. */
interface Periods {
  after(start: Instant): Instant;
  atOrAfter(instant: Instant): Instant;
  atOrBefore(instant: Instant): Instant;
  /** Start of the newest period that is over. */
  latestComplete(now: Instant): Instant;
}

function cronPeriods(timetable: Extract<GridTimetable, { type: "cron_data_interval" }>): Periods {
  const ticks = tickSource(timetable);
  return {
    ...ticks,
    latestComplete: (now) => ticks.before(ticks.atOrBefore(now)),
  };
}

function stepPeriods(
  { step }: Extract<Timetable, { type: "delta_data_interval" }>,
  { earliest }: ScheduleFacts,
): Periods {
  const same = (instant: Instant) => instant;
  // A length in seconds lies on its epoch grid; months are counted from the start date.
  const anchor = step.months === 0 ? 0 : (earliest ?? 0);
  return {
    after: (start) => stepFrom(earliest ?? 0, start, step),
    atOrAfter: same,
    atOrBefore: same,
    latestComplete: (now) => addSteps(anchor, step, wholeSteps(anchor, now, step) - 1),
  };
}

function nextInterval(periods: Periods, { last, earliest, latest, catchup, now }: ScheduleFacts): RunInfo | null {
  const candidates = catchup ? [] : [periods.latestComplete(now)];
  if (earliest !== null) candidates.push(periods.atOrAfter(earliest));
  if (last !== null) candidates.push(periods.atOrBefore(last.data_interval_end));
  if (candidates.length === 0) return null;
  const aligned = Math.max(...candidates);
  // A changed schedule may align the end of the last period back over its start.
  const start = last !== null && aligned <= last.data_interval_start ? periods.after(aligned) : aligned;
  if (latest !== null && start > latest) return null;
  const end = periods.after(start);
  return { logical_date: start, data_interval_start: start, data_interval_end: end, run_after: end };
}

function nextEvent(
  timetable: Extract<GridTimetable, { type: "events" }>,
  { last, earliest, catchup, now }: ScheduleFacts,
): Instant {
  const ticks = tickSource(timetable);
  const candidates = [ticks.atOrAfter(Number.NEGATIVE_INFINITY)];
  if (last !== null) candidates.push(ticks.after(last.data_interval_end));
  if (earliest !== null) candidates.push(ticks.atOrAfter(earliest));
  if (!catchup) candidates.push(ticks.atOrAfter(now));
  return Math.max(...candidates);
}

/** The newest event up to an instant; the first one where none came yet. */
function eventAt(dates: readonly Instant[], instant: Instant): Instant {
  return dates.findLast((date) => date <= instant) ?? dates[0] ?? instant;
}

/** Starts where the last one ended; a start that would repeat a logical date moves on by the smallest step. */
function nextContinuous({ last, earliest, latest, now }: ScheduleFacts): RunInfo | null {
  const begin = last === null ? (earliest ?? now) : Math.max(last.data_interval_end, last.data_interval_start + 1);
  const end = Math.max(begin, now);
  if (latest !== null && end > latest) return null;
  return { logical_date: begin, data_interval_start: begin, data_interval_end: end, run_after: end };
}

function atTick(tick: Instant, intervalSeconds: number, latest: Instant | null): RunInfo | null {
  if (!Number.isFinite(tick) || (latest !== null && tick > latest)) return null;
  const start = tick - Math.round(intervalSeconds * 1000);
  return { logical_date: start, data_interval_start: start, data_interval_end: tick, run_after: tick };
}
