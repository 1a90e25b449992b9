/** Dates of a run that change with its state: the effects of setting it. Absent members stay as they are. */
import { assertNever } from "./assert.ts";
import type { DagRunState, Instant } from "./model.ts";

export interface RunDates {
  readonly queued_at?: Instant;
  readonly start_date?: Instant | null;
  readonly end_date?: Instant | null;
}

/** The dates to write when a run goes `from` one state `to` another; null is a run just created. */
export function runStateEffect(
  from: DagRunState | null,
  to: DagRunState,
  startDate: Instant | null,
  now: Instant,
): RunDates {
  if (from === to) return {};
  switch (to) {
    case "queued":
      return from === null ? { queued_at: now } : { queued_at: now, start_date: null, end_date: null };
    case "running":
      return { start_date: from === "queued" || from === null ? (startDate ?? now) : now, end_date: null };
    case "success":
    case "failed":
      return from === "success" || from === "failed" ? {} : { end_date: now };
    default:
      return assertNever(to);
  }
}
