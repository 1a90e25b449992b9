/** Ticks that passed without becoming runs, counted so that people can be told. */
import type { Instant, Timetable } from "../model.ts";
import { tickSource } from "./tick-source.ts";

export interface MissedTicks {
  readonly first: Instant;
  readonly last: Instant;
  /** Exact for delta timetables; for cron at most the given limit. */
  readonly count: number;
}

/**
 * The ticks strictly between two instants; null when there are none or the timetable has no beat. Counting a cron
 * stops at `limit`, so that a long downtime costs no more than that many steps; `first` and `last` are always exact.
 */
export function missedTicks(
  timetable: Timetable,
  afterTick: Instant,
  beforeTick: Instant,
  limit: number,
): MissedTicks | null {
  if (timetable.type !== "cron" && timetable.type !== "delta") return null;
  const ticks = tickSource(timetable);
  const first = ticks.after(afterTick);
  if (first >= beforeTick) return null;
  const last = ticks.before(beforeTick);
  if (timetable.type === "delta")
    return { first, last, count: (last - first) / Math.round(timetable.seconds * 1000) + 1 };
  let count = 1;
  for (let tick = first; tick < last && count < limit; count += 1) tick = ticks.after(tick);
  return { first, last, count };
}
