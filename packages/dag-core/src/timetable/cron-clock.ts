/**
 * The ticks of a cron expression in a time zone, with Airflow's treatment of clock changes.
 *
 * The expression is matched on the wall clock, then placed in time. A time that a spring change leaves out moves
 * forward by the change; a time that an autumn change brings twice happens once, at its second passing. Where every
 * hour is allowed, steps are elapsed time instead, so that both passings run.
 *
 * Two deliberate differences to Airflow, whose stepping hangs on where it starts: ticks here are a fixed set of
 * instants, so that searching from inside a repeated hour finds the tick that is still to come; and elapsed steps
 * longer than an hour (day fields with every hour) stay on the wall clock.
 */
import type { Instant } from "../model.ts";
import { type CronFields, parseCron } from "./cron-expression.ts";
import { nextWall, previousWall } from "./naive-cron.ts";
import { offsetAt } from "./zone.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A cron expression on the clock of one zone. */
export interface CronClock {
  readonly fields: CronFields;
  readonly timezone: string;
}

/** Reading an expression costs ten times as much as finding its next tick, and backfills ask for thousands. */
const clocks = new Map<string, CronClock>();
const MOST_CLOCKS = 1000;

/** Makes the clock; throws a `ScheduleError` on a bad expression. */
export function cronClock(expression: string, timezone: string): CronClock {
  const key = `${timezone} ${expression}`;
  const known = clocks.get(key);
  if (known !== undefined) return known;
  const clock = { fields: parseCron(expression), timezone };
  if (clocks.size >= MOST_CLOCKS) clocks.clear();
  clocks.set(key, clock);
  return clock;
}

/** First tick strictly after `instant`. */
export function nextTick(clock: CronClock, instant: Instant): Instant {
  const wall = instant + offsetAt(clock.timezone, instant);
  if (!clock.fields.everyHour) return nextFixed(clock, instant, wall);
  const match = nextWall(clock.fields, wall);
  if (match - wall <= HOUR) return instant + match - wall;
  return repeatedTick(clock, instant) ?? place(clock.timezone, match).first;
}

/** The tick within an hour that an autumn change brings a second time, though the wall clock has passed it. */
function repeatedTick({ fields, timezone }: CronClock, instant: Instant): Instant | null {
  const later = offsetAt(timezone, instant + HOUR);
  const tick = nextWall(fields, instant + later) - later;
  return tick - instant <= HOUR && offsetAt(timezone, tick) === later ? tick : null;
}

/** Last tick strictly before `instant`. */
export function previousTick(clock: CronClock, instant: Instant): Instant {
  const wall = instant + offsetAt(clock.timezone, instant);
  if (!clock.fields.everyHour) return previousFixed(clock, instant, wall);
  const match = previousWall(clock.fields, wall);
  const tick = instant - (wall - match);
  return wall - match <= HOUR && isTick(clock, tick) ? tick : previousAcrossChange(clock, instant);
}

/** By the clock as it was an hour before, which a change may have set to another hour since. */
function previousAcrossChange({ fields, timezone }: CronClock, instant: Instant): Instant {
  const earlier = offsetAt(timezone, instant - HOUR);
  const match = previousWall(fields, instant + earlier);
  const tick = match - earlier;
  return instant - tick <= HOUR && offsetAt(timezone, tick) === earlier ? tick : place(timezone, match).last;
}

function isTick({ fields, timezone }: CronClock, instant: Instant): boolean {
  const wall = instant + offsetAt(timezone, instant);
  return nextWall(fields, wall - 1) === wall;
}

/** The tick at `instant`, or else the next one. */
export function tickAtOrAfter(clock: CronClock, instant: Instant): Instant {
  return nextTick(clock, instant - 1);
}

/** The tick at `instant`, or else the one before. */
export function tickAtOrBefore(clock: CronClock, instant: Instant): Instant {
  return previousTick(clock, instant + 1);
}

function nextFixed(clock: CronClock, instant: Instant, wall: number): Instant {
  let match = nextWall(clock.fields, wall);
  let tick = place(clock.timezone, match).last;
  while (tick <= instant) {
    match = nextWall(clock.fields, match);
    tick = place(clock.timezone, match).last;
  }
  for (const offset of otherOffsets(clock, instant, tick)) {
    // Near a clock change a tick read with the other offset may come earlier.
    for (
      let other = nextWall(clock.fields, instant + offset);
      other - offset < tick;
      other = nextWall(clock.fields, other)
    ) {
      const candidate = place(clock.timezone, other).last;
      if (candidate > instant && candidate < tick) tick = candidate;
    }
  }
  return tick;
}

function previousFixed(clock: CronClock, instant: Instant, wall: number): Instant {
  let match = previousWall(clock.fields, wall);
  let tick = place(clock.timezone, match).last;
  while (tick >= instant) {
    match = previousWall(clock.fields, match);
    tick = place(clock.timezone, match).last;
  }
  for (const offset of otherOffsets(clock, instant, tick)) {
    for (
      let other = previousWall(clock.fields, instant + offset);
      other - offset > tick;
      other = previousWall(clock.fields, other)
    ) {
      const candidate = place(clock.timezone, other).last;
      if (candidate < instant && candidate > tick) tick = candidate;
    }
  }
  return tick;
}

function otherOffsets({ timezone }: CronClock, instant: Instant, tick: Instant): number[] {
  const own = offsetAt(timezone, instant);
  const near = [instant - DAY, instant + DAY, tick].map((moment) => offsetAt(timezone, moment));
  return [...new Set(near)].filter((offset) => offset !== own);
}

/** The instants at which the wall clock shows `wall`: one, two in a repeated hour, or the shifted one in a gap. */
function place(timezone: string, wall: number): { first: Instant; last: Instant } {
  const before = offsetAt(timezone, wall - DAY);
  const after = offsetAt(timezone, wall + DAY);
  const early = wall - before;
  const late = wall - after;
  if (before === after) return { first: early, last: early };
  const earlyIsReal = offsetAt(timezone, early) === before;
  const lateIsReal = offsetAt(timezone, late) === after;
  if (earlyIsReal && lateIsReal) return { first: Math.min(early, late), last: Math.max(early, late) };
  const only = lateIsReal ? late : early;
  return { first: only, last: only };
}
