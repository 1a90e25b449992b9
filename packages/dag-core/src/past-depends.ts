/**
 * `depends_on_past` and `wait_for_downstream`: may a task run, given how the run before ended it?
 *
 * The run before is the one with the latest earlier logical date; with catch-up, runs that people started do not
 * count. A task that must wait keeps having no state, and its run goes on.
 */
import type { Instant, SerializedTask } from "./model.ts";

/** What is stored about the run before. */
export interface PastFacts {
  readonly catchup: boolean;
  /** Its own run opens a backfill, so that nothing before it counts. */
  readonly is_first_of_backfill: boolean;
  /** Null: there is none, or the own run has no logical date. */
  readonly previous: PreviousRun | null;
  /** Some run with an earlier logical date has an instance of the task. */
  readonly has_earlier_instance: boolean;
}

export interface PreviousRun {
  readonly run_id: string;
  readonly logical_date: Instant;
  /** Instances of the task in it. */
  readonly instances: number;
  /** How many of them are neither success nor skipped. */
  readonly unsuccessful: number;
  /** Instances of direct successors of the task in it that are neither success nor skipped. */
  readonly unsuccessful_downstream: number;
}

export type PastVerdict = { readonly kind: "met" } | { readonly kind: "blocked"; readonly cause: string };

type PastTask = Pick<
  SerializedTask,
  "task_id" | "depends_on_past" | "wait_for_downstream" | "ignore_first_depends_on_past" | "start_date"
>;

/** The verdict over a task that depends on its past. */
export function evaluatePast(task: PastTask, facts: PastFacts): PastVerdict {
  const { previous } = facts;
  if (!task.depends_on_past || facts.is_first_of_backfill || previous === null) return MET;
  if (facts.catchup && task.start_date !== null && previous.logical_date < task.start_date) return MET;
  if (previous.instances === 0) {
    if (task.ignore_first_depends_on_past && !facts.has_earlier_instance) return MET;
    return blocked(`the run before, ${previous.run_id}, has no instance of it`);
  }
  if (previous.unsuccessful > 0) return blocked(`it did not succeed in the run before, ${previous.run_id}`);
  if (task.wait_for_downstream && previous.unsuccessful_downstream > 0)
    return blocked(`not all of its direct successors succeeded in the run before, ${previous.run_id}`);
  return MET;
}

const MET: PastVerdict = { kind: "met" };

function blocked(why: string): PastVerdict {
  return { kind: "blocked", cause: `depends_on_past: ${why}` };
}
