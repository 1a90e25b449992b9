/** Retries of groups and runs that are due: what failed is cleared and decided anew. */
import { beginGroup, beginRun, dueGroups, failedPart, NO_RETRIES } from "@updraft/dag-core";
import type { Queryable } from "../database.ts";
import { clearInstances } from "./clear.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import type { LockedRun } from "./runs.ts";
import type { Turn } from "./turn.ts";

export async function startDueRunRetries(turn: Turn, { run, plan }: LockedRun): Promise<void> {
  const { retries } = run;
  if (run.state !== "running" || retries === null) return;
  const groups = dueGroups(plan.retryingGroups, retries, turn.now);
  const isRunDue = retries.run.due_at !== null && retries.run.due_at <= turn.now;
  if (groups.length === 0 && !isRunDue) return;
  const instances = await instancesOf(turn.tx, run.id);
  if (isRunDue) {
    const next = beginRun(retries);
    const cause = `Retry ${next.run.used} of ${plan.dag.retries} of the run`;
    turn.patchRun(run.id, { retries: next });
    turn.noteRun(run.id, cause);
    await clearInstances(turn, failedPart(plan.dag, instances), cause);
    return;
  }
  for (const group of groups) {
    const next = beginGroup(plan.retryingGroups, turn.runOf(run.id).retries ?? NO_RETRIES, group);
    const cause = `Retry ${next.groups[group.group_id]?.used ?? 0} of ${group.retries} of task group ${group.group_id}`;
    turn.patchRun(run.id, { retries: next });
    turn.noteRun(run.id, cause);
    const members = instances.filter(({ task_id, state }) => group.task_ids.has(task_id) && state !== "removed");
    await clearInstances(turn, members, cause);
  }
}

function instancesOf(tx: Queryable, run: number): Promise<EngineInstance[]> {
  return tx.rows<EngineInstance>({
    name: "instances_of_run",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = $1 ORDER BY t.id FOR UPDATE`,
    values: [run],
  });
}
