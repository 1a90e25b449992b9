/** The fixed instants of a periodic timetable, searched from either side. */
import { assertNever } from "../assert.ts";
import type { CronTriggerOptions, Instant, Timetable } from "../model.ts";
import { cronClock, nextTick, previousTick, tickAtOrAfter, tickAtOrBefore } from "./cron-clock.ts";

/** What the next tick of a trigger follows from. */
export interface TriggerTicks {
  /** Strictly after. */
  after(instant: Instant): Instant;
  atOrAfter(instant: Instant): Instant;
  atOrBefore(instant: Instant): Instant;
  /** The first tick of a DAG that never ran and has no start date. */
  first(now: Instant): Instant;
}

/** A fixed set of instants. */
export interface TickSource extends Omit<TriggerTicks, "first"> {
  /** Strictly before. */
  before(instant: Instant): Instant;
}

type Ticks = TickSource & TriggerTicks;

/** Those whose ticks are a fixed set of instants. */
export type GridTimetable = Extract<
  Timetable,
  { type: "cron" | "multiple_cron" | "cron_data_interval" | "delta" | "events" }
>;

/** How late the first run of a DAG without a start date may be: at least this, or a tenth of the gap. */
const FIRST_RUN_GRACE_MS = 5 * 60_000;

/** The ticks of a timetable with a fixed grid; of events, none is `Infinity` after the last and before the first. */
export function tickSource(timetable: GridTimetable): TickSource {
  switch (timetable.type) {
    case "cron":
      return cronTicks(timetable.expression, timetable.timezone, timetable);
    case "multiple_cron":
      return unionOf(timetable.expressions.map((one) => cronTicks(one, timetable.timezone, {})));
    case "cron_data_interval":
      return cronTicks(timetable.expression, timetable.timezone, {});
    case "delta":
      return deltaTicks(timetable.seconds);
    case "events":
      return eventTicks(timetable.dates);
    default:
      return assertNever(timetable);
  }
}

/** The ticks of a trigger with one beat. */
export function triggerTicks(timetable: Extract<GridTimetable, { type: "cron" | "delta" }>): TriggerTicks {
  return timetable.type === "cron"
    ? cronTicks(timetable.expression, timetable.timezone, timetable)
    : deltaTicks(timetable.seconds);
}

function cronTicks(expression: string, timezone: string, { run_immediately }: CronTriggerOptions): Ticks {
  const clock = cronClock(expression, timezone);
  return {
    after: (instant) => nextTick(clock, instant),
    before: (instant) => previousTick(clock, instant),
    atOrAfter: (instant) => tickAtOrAfter(clock, instant),
    atOrBefore: (instant) => tickAtOrBefore(clock, instant),
    first: (now) => {
      const previous = tickAtOrBefore(clock, now);
      if (run_immediately === true) return previous;
      const next = tickAtOrAfter(clock, now);
      const usual = Math.max((next - previous) / 10, FIRST_RUN_GRACE_MS);
      const grace = typeof run_immediately === "number" ? run_immediately * 1000 : usual;
      return now - previous <= grace ? previous : next;
    },
  };
}

/**
 * Airflow counts a delta from the last run. Here ticks are the multiples of the interval since the epoch, so that the
 * beat survives pauses and restarts, and how many were missed is arithmetic.
 */
function deltaTicks(seconds: number): Ticks {
  const step = Math.round(seconds * 1000);
  const floor = (instant: Instant): Instant => Math.floor(instant / step) * step;
  const ceil = (instant: Instant): Instant => Math.ceil(instant / step) * step;
  return {
    after: (instant) => floor(instant) + step,
    before: (instant) => ceil(instant) - step,
    atOrAfter: ceil,
    atOrBefore: floor,
    first: floor,
  };
}

function eventTicks(dates: readonly Instant[]): TickSource {
  const from = (test: (date: Instant) => boolean) => dates.find(test) ?? Number.POSITIVE_INFINITY;
  const until = (test: (date: Instant) => boolean) => dates.findLast(test) ?? Number.NEGATIVE_INFINITY;
  return {
    after: (instant) => from((date) => date > instant),
    before: (instant) => until((date) => date < instant),
    atOrAfter: (instant) => from((date) => date >= instant),
    atOrBefore: (instant) => until((date) => date <= instant),
  };
}

/** The ticks of all members; an instant that several share is one tick. */
function unionOf(members: readonly TickSource[]): TickSource {
  const soonest = (search: (member: TickSource) => Instant) => Math.min(...members.map(search));
  const latest = (search: (member: TickSource) => Instant) => Math.max(...members.map(search));
  return {
    after: (instant) => soonest((member) => member.after(instant)),
    before: (instant) => latest((member) => member.before(instant)),
    atOrAfter: (instant) => soonest((member) => member.atOrAfter(instant)),
    atOrBefore: (instant) => latest((member) => member.atOrBefore(instant)),
  };
}
