/** Whether a run is the latest of its schedule: the one a "latest only" task lets through. */
import type { Instant, Timetable } from "../model.ts";
import { type DataInterval, nextRun } from "./next-run.ts";

/** True from the start of its interval until the next one ends. A point in time is always the latest. */
export function isLatestRun(timetable: Timetable, interval: DataInterval, now: Instant): boolean {
  const { data_interval_start: start, data_interval_end: end } = interval;
  if (start === end) return true;
  const next = nextRun(timetable, { last: interval, earliest: start, latest: null, catchup: true, now });
  return next === null || (start < now && now <= next.data_interval_end);
}
