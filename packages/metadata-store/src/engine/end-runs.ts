/** When a running run ends: its leaves decide, or nothing in it can ever happen again. */
import {
  awaitsRetry,
  decideInstance,
  evaluateDeadlock,
  evaluateRun,
  type GroupMember,
  type Instant,
  isFinished,
  type RetryingGroup,
  type RunEvaluation,
  type TaskInstanceState,
} from "@updraft/dag-core";
import type { Queryable } from "../database.ts";
import { gatherFacts } from "./facts.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import type { LockedRun } from "./runs.ts";

/** The end of a run in which every instance is finished. */
export async function evaluateFinished(tx: Queryable, { run, plan }: LockedRun, now: Instant): Promise<RunEvaluation> {
  const states = await tx.rows<{ state: TaskInstanceState; count: number }>({
    name: "leaf_states",
    text: `SELECT state, count(*)::integer AS count FROM task_instance
      WHERE dag_run = $1 AND task_id = ANY($2::text[]) GROUP BY state`,
    values: [run.id, plan.leaves],
  });
  return evaluateRun({
    unfinished: run.unfinished,
    leafStates: new Map(states.map(({ state, count }) => [state, count])),
    startDate: run.start_date,
    dagrunTimeout: null,
    now,
  });
}

/** The states of a task group that failed. */
export function readMembers(tx: Queryable, run: number, group: RetryingGroup): Promise<GroupMember[]> {
  return tx.rows<GroupMember>({
    name: "group_states",
    text: "SELECT task_id, state FROM task_instance WHERE dag_run = $1 AND task_id = ANY($2::text[])",
    values: [run, [...group.task_ids]],
  });
}

/** Reads the whole run; so it is asked only where something hints at a deadlock. Null: something can still happen. */
export async function findDeadlock(tx: Queryable, { run, plan }: LockedRun): Promise<RunEvaluation | null> {
  if (awaitsRetry(run.retries)) return null;
  const instances = await tx.rows<EngineInstance>({
    name: "instances_of_run",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = $1 ORDER BY t.id FOR UPDATE`,
    values: [run.id],
  });
  const unfinished = instances.filter(({ state }) => !isFinished(state));
  // A pause ends some day, so what waits for nothing else is not deadlocked.
  const facts = await gatherFacts(
    tx,
    unfinished.map((instance) => ({ instance, plan, is_paused: false, retries: run.retries })),
  );
  return evaluateDeadlock(
    facts.map((one, index) => ({
      state: unfinished[index]?.state ?? null,
      verdict: decideInstance(one).kind,
      task: one.task,
    })),
  );
}
