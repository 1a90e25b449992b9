/** Deadlines of runs: by when a run should be done, counted from a reference. */
import type { DeadlineAlert, DeadlineReference, Instant } from "./model.ts";

export interface DeadlineFacts {
  readonly logical_date: Instant | null;
  readonly queued_at: Instant;
  readonly now: Instant;
  /** Seconds that the latest ended runs took, newest first. */
  readonly durations: readonly number[];
  /** Of the variable that the alert names; null where there is none. */
  readonly variable: string | null;
}

export interface DeadlineTime {
  readonly deadline_time: Instant;
  readonly interval_seconds: number;
}

/** When the deadline of a new run is; null where its reference or its interval does not exist. */
export function deadlineTime({ reference, interval }: DeadlineAlert, facts: DeadlineFacts): DeadlineTime | null {
  const base = baseOf(reference, facts);
  const interval_seconds = typeof interval === "number" ? interval : secondsOf(facts.variable);
  if (base === null || !Number.isFinite(interval_seconds)) return null;
  return { deadline_time: base + Math.round(interval_seconds * 1000), interval_seconds };
}

function baseOf(
  reference: DeadlineReference,
  { logical_date, queued_at, now, durations }: DeadlineFacts,
): Instant | null {
  switch (reference.reference_type) {
    case "DagRunLogicalDateDeadline":
      return logical_date;
    case "DagRunQueuedAtDeadline":
      return queued_at;
    case "FixedDatetimeDeadline":
      return reference.datetime;
    case "AverageRuntimeDeadline": {
      const latest = durations.slice(0, reference.max_runs);
      if (latest.length === 0 || latest.length < reference.min_runs) return null;
      return now + Math.round((latest.reduce((sum, one) => sum + one, 0) / latest.length) * 1000);
    }
  }
}

function secondsOf(text: string | null): number {
  return text === null || text.trim() === "" ? Number.NaN : Number(text);
}
