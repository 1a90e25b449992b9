/**
 * When a DAG runs next. Cron and delta timetables are triggers: logical date, start and end of the data interval all
 * are the tick. Without catch-up only the newest tick counts; with it, every one since the last run.
 */
import { assertNever } from "../assert.ts";
import type { Instant, Timetable } from "../model.ts";
import { type TickSource, tickSource } from "./tick-source.ts";

export interface RunInfo {
  readonly logical_date: Instant;
  readonly data_interval_start: Instant;
  readonly data_interval_end: Instant;
  readonly run_after: Instant;
}

export interface ScheduleFacts {
  /** Data interval of the newest run that the timetable made, or of the newest tick passed over. */
  readonly last: { readonly data_interval_start: Instant; readonly data_interval_end: Instant } | null;
  /** Earliest start date, latest end date; null where the author set none. */
  readonly earliest: Instant | null;
  readonly latest: Instant | null;
  readonly catchup: boolean;
  readonly now: Instant;
}

/** The next run, due now or later; null when there will be none. */
export function nextRun(timetable: Timetable, facts: ScheduleFacts): RunInfo | null {
  switch (timetable.type) {
    case "null":
      return null;
    case "once":
      return facts.last === null ? atPoint(facts.earliest ?? facts.now, facts.latest) : null;
    case "continuous":
      return nextContinuous(facts);
    case "cron":
    case "delta":
      return atPoint(nextTriggerTick(tickSource(timetable), facts), facts.latest);
    default:
      return assertNever(timetable);
  }
}

/** The data interval of a run that somebody starts by hand at `instant`: a point, for every timetable there is. */
export function inferManualDataInterval(_timetable: Timetable, instant: Instant): { start: Instant; end: Instant } {
  return { start: instant, end: instant };
}

function nextTriggerTick(ticks: TickSource, { last, earliest, catchup, now }: ScheduleFacts): Instant {
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

/** Starts where the last one ended; a start that would repeat a logical date moves on by the smallest step. */
function nextContinuous({ last, earliest, latest, now }: ScheduleFacts): RunInfo | null {
  const begin = last === null ? (earliest ?? now) : Math.max(last.data_interval_end, last.data_interval_start + 1);
  const end = Math.max(begin, now);
  if (latest !== null && end > latest) return null;
  return { logical_date: begin, data_interval_start: begin, data_interval_end: end, run_after: end };
}

function atPoint(tick: Instant, latest: Instant | null): RunInfo | null {
  if (latest !== null && tick > latest) return null;
  return { logical_date: tick, data_interval_start: tick, data_interval_end: tick, run_after: tick };
}
