/**
 * Ticks that passed without becoming runs, counted so that people can be told. A tick is the end of a trigger's data
 * interval and the start of a data-interval timetable's period.
 */
import type { Instant, TimeStep, TimeTimetable } from "../model.ts";
import type { DataInterval } from "./next-run.ts";
import { type TickSource, tickSource } from "./tick-source.ts";
import { addSteps, wholeSteps } from "./time-step.ts";

export interface MissedTicks {
  readonly first: Instant;
  readonly last: Instant;
  /** Exact for intervals of fixed length; for others at most the given limit. */
  readonly count: number;
}

/** Whether ticks follow each other, so that a newer one supersedes those that could not run. */
export function hasBeat(timetable: TimeTimetable): boolean {
  return timetable.type !== "null" && timetable.type !== "once" && timetable.type !== "continuous";
}

/** The tick that a run of this data interval belongs to. */
export function tickOf(timetable: TimeTimetable, interval: DataInterval): Instant {
  return countsByStart(timetable) ? interval.data_interval_start : interval.data_interval_end;
}

/** The data interval of a tick. */
export function intervalOfTick(timetable: TimeTimetable, tick: Instant): DataInterval {
  switch (timetable.type) {
    case "cron_data_interval":
      return { data_interval_start: tick, data_interval_end: tickSource(timetable).after(tick) };
    case "delta_data_interval":
      return { data_interval_start: tick, data_interval_end: addSteps(tick, timetable.step, 1) };
    case "cron":
    case "multiple_cron":
    case "delta_trigger":
      return { data_interval_start: tick - Math.round((timetable.interval ?? 0) * 1000), data_interval_end: tick };
    default:
      return { data_interval_start: tick, data_interval_end: tick };
  }
}

/**
 * The ticks strictly between two; null when there are none or the timetable has no beat. Counting stops at `limit`,
 * so that a long downtime costs no more than that many steps; `first` and `last` are always exact.
 */
export function missedTicks(
  timetable: TimeTimetable,
  afterTick: Instant,
  beforeTick: Instant,
  limit: number,
): MissedTicks | null {
  switch (timetable.type) {
    case "null":
    case "once":
    case "continuous":
      return null;
    case "delta_trigger":
    case "delta_data_interval":
      return missedSteps(timetable.step, afterTick, beforeTick);
    default: {
      const missed = missedOfGrid(tickSource(timetable), { afterTick, beforeTick });
      if (missed === null) return null;
      if (timetable.type === "delta") {
        return { ...missed, count: (missed.last - missed.first) / Math.round(timetable.seconds * 1000) + 1 };
      }
      return { ...missed, count: countTicks(tickSource(timetable), missed, limit) };
    }
  }
}

function countsByStart({ type }: TimeTimetable): boolean {
  return type === "cron_data_interval" || type === "delta_data_interval";
}

interface Gap {
  readonly afterTick: Instant;
  readonly beforeTick: Instant;
}

function missedOfGrid(ticks: TickSource, { afterTick, beforeTick }: Gap): { first: Instant; last: Instant } | null {
  const first = ticks.after(afterTick);
  return first < beforeTick ? { first, last: ticks.before(beforeTick) } : null;
}

function countTicks(ticks: TickSource, { first, last }: { first: Instant; last: Instant }, limit: number): number {
  let count = 1;
  for (let tick = first; tick < last && count < limit; count += 1) tick = ticks.after(tick);
  return count;
}

/** Counted from the last tick, which is where the next one would have followed from. */
function missedSteps(step: TimeStep, afterTick: Instant, beforeTick: Instant): MissedTicks | null {
  const count = wholeSteps(afterTick, beforeTick - 1, step);
  if (count < 1) return null;
  return { first: addSteps(afterTick, step, 1), last: addSteps(afterTick, step, count), count };
}
