/** The fixed instants of a periodic timetable, searched from either side. */
import type { Instant, Timetable } from "../model.ts";
import { cronClock, nextTick, previousTick, tickAtOrAfter, tickAtOrBefore } from "./cron-clock.ts";

export interface TickSource {
  /** Strictly after, strictly before. */
  after(instant: Instant): Instant;
  before(instant: Instant): Instant;
  atOrAfter(instant: Instant): Instant;
  atOrBefore(instant: Instant): Instant;
  /** The first tick of a DAG that never ran and has no start date. */
  first(now: Instant): Instant;
}

export type PeriodicTimetable = Extract<Timetable, { type: "cron" | "delta" }>;

/** How late the first run of a DAG without a start date may be: at least this, or a tenth of the gap. */
const FIRST_RUN_GRACE_MS = 5 * 60_000;

/** The ticks of a periodic timetable. */
export function tickSource(timetable: PeriodicTimetable): TickSource {
  return timetable.type === "cron"
    ? cronTicks(timetable.expression, timetable.timezone)
    : deltaTicks(timetable.seconds);
}

function cronTicks(expression: string, timezone: string): TickSource {
  const clock = cronClock(expression, timezone);
  return {
    after: (instant) => nextTick(clock, instant),
    before: (instant) => previousTick(clock, instant),
    atOrAfter: (instant) => tickAtOrAfter(clock, instant),
    atOrBefore: (instant) => tickAtOrBefore(clock, instant),
    first: (now) => {
      const previous = tickAtOrBefore(clock, now);
      const next = nextTick(clock, previous);
      return now - previous <= Math.max((next - previous) / 10, FIRST_RUN_GRACE_MS) ? previous : next;
    },
  };
}

/**
 * Airflow counts a delta from the last run. Here ticks are the multiples of the interval since the epoch, so that the
 * beat survives pauses and restarts, and how many were missed is arithmetic.
 */
function deltaTicks(seconds: number): TickSource {
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
