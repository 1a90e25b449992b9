/** Backfills: which runs a range of dates stands for, in which order, and what becomes of those that exist. */
import { isoText } from "./instant-text.ts";
import type { DagRunState, Instant, SerializedDag } from "./model.ts";
import { refusedRunType } from "./run-type.ts";
import { describeTimetable } from "./timetable/describe-timetable.ts";
import { nextRun, type RunInfo } from "./timetable/next-run.ts";

export const REPROCESS_BEHAVIORS = ["failed", "completed", "none"] as const;
/** Which existing runs run again: none, the failed ones, or all that ended. */
export type ReprocessBehavior = (typeof REPROCESS_BEHAVIORS)[number];

export interface BackfillRange {
  readonly from_date: Instant;
  readonly to_date: Instant;
  readonly run_backwards: boolean;
  readonly reprocess_behavior: ReprocessBehavior;
  readonly max_active_runs: number;
}

export type BackfillPlan =
  /** In the order in which they run. */
  | { readonly kind: "planned"; readonly runs: readonly RunInfo[] }
  | { readonly kind: "refused"; readonly reason: "run_type_not_allowed" | "invalid"; readonly message: string };

/** A range with more runs is refused: nobody would wait for them, and one request must stay bounded. */
const MOST_RUNS = 100_000;

/** The runs of a range, whatever the DAG's start date and catchup say. */
export function planBackfill(dag: SerializedDag, range: BackfillRange, now: Instant): BackfillPlan {
  const notAllowed = refusedRunType(dag, "backfill");
  if (notAllowed !== null) return { kind: "refused", reason: "run_type_not_allowed", message: notAllowed };
  const invalid = complaintAbout(dag, range, now);
  if (invalid !== null) return refused(invalid);
  const runs = runsWithin(dag, range, now);
  if (runs === null) return refused(`The range has more than ${MOST_RUNS} runs; choose a shorter one.`);
  if (runs.length === 0) {
    const { from_date, to_date } = range;
    return refused(`There are no runs to create for ${dag.dag_id} from ${isoText(from_date)} to ${isoText(to_date)}.`);
  }
  return { kind: "planned", runs: range.run_backwards ? runs.toReversed() : runs };
}

/** What becomes of a date. The two that are no action are Airflow's words for why there is none. */
export type BackfillVerdict = "create" | "reprocess" | "in flight" | "already exists";

/** `existing`: the state of the run with that logical date; undefined where there is none. */
export function backfillVerdict(existing: DagRunState | undefined, behavior: ReprocessBehavior): BackfillVerdict {
  if (existing === undefined) return "create";
  if (existing === "queued" || existing === "running") return "in flight";
  if (behavior === "completed" || (behavior === "failed" && existing === "failed")) return "reprocess";
  return "already exists";
}

function complaintAbout(dag: SerializedDag, range: BackfillRange, now: Instant): string | null {
  const { from_date, to_date, run_backwards, reprocess_behavior, max_active_runs } = range;
  if (!describeTimetable(dag.timetable).periodic)
    return `${dag.dag_id} has a non-periodic schedule that does not support backfills`;
  if (from_date > to_date) return `from_date (${isoText(from_date)}) must not be after to_date (${isoText(to_date)}).`;
  if (from_date >= now) return "Backfill cannot be executed for future dates.";
  if (max_active_runs < 1) return "max_active_runs must be at least 1.";
  if (!dag.tasks.some((task) => task.depends_on_past)) return null;
  if (run_backwards) return "Backfill cannot be run in reverse when the Dag has tasks where depends_on_past=True.";
  if (reprocess_behavior === "none") {
    return "Dag has tasks for which depends_on_past=True. You must set reprocess behavior to reprocess completed or reprocess failed.";
  }
  return null;
}

/** Oldest first; null where there are too many. */
function runsWithin(dag: SerializedDag, { from_date, to_date }: BackfillRange, now: Instant): RunInfo[] | null {
  const facts = { earliest: from_date, latest: to_date, catchup: true, now };
  const runs: RunInfo[] = [];
  let next = nextRun(dag.timetable, { ...facts, last: null });
  while (next !== null && next.data_interval_end < now) {
    if (runs.length === MOST_RUNS) return null;
    runs.push(next);
    next = nextRun(dag.timetable, { ...facts, last: next });
  }
  return runs;
}

function refused(message: string): BackfillPlan {
  return { kind: "refused", reason: "invalid", message };
}
