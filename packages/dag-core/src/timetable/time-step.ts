/** Distances on the calendar. Months are counted in UTC; a day that a month does not have becomes its last. */
import type { Instant, TimeStep } from "../model.ts";

const MEAN_MONTH_MS = 30.436875 * 86_400_000;

/** `instant` moved by `times` steps, back where negative. Several steps at once keep the 31st where single ones lose it. */
export function addSteps(instant: Instant, { months, seconds }: TimeStep, times: number): Instant {
  return addMonths(instant, months * times) + Math.round(seconds * 1000) * times;
}

/** The step after `instant`, counted from `anchor` where `instant` is a whole number of steps away from it. */
export function stepFrom(anchor: Instant, instant: Instant, step: TimeStep): Instant {
  if (step.months === 0) return addSteps(instant, step, 1);
  const times = wholeSteps(anchor, instant, step);
  return addSteps(anchor, step, times) === instant ? addSteps(anchor, step, times + 1) : addSteps(instant, step, 1);
}

/** How many whole steps lie between `anchor` and `instant`; negative before it. */
export function wholeSteps(anchor: Instant, instant: Instant, step: TimeStep): number {
  const mean = step.months * MEAN_MONTH_MS + step.seconds * 1000;
  let times = Math.floor((instant - anchor) / mean);
  while (addSteps(anchor, step, times) > instant) times -= 1;
  while (addSteps(anchor, step, times + 1) <= instant) times += 1;
  return times;
}

function addMonths(instant: Instant, months: number): Instant {
  if (months === 0) return instant;
  const date = new Date(instant);
  const first = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1));
  const lastDay = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  return first.getTime() + (Math.min(date.getUTCDate(), lastDay) - 1) * 86_400_000 + (instant - midnight);
}
