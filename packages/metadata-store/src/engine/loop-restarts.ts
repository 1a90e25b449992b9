/** Clearing a whole loop. */
import { restartedLoops } from "@updraft/dag-core";
import type { EngineInstance } from "./instance.ts";
import type { Turn } from "./turn.ts";

/** Loops of which every task was cleared begin at their first iteration again. */
export async function restartLoops(turn: Turn, cleared: readonly EngineInstance[]): Promise<void> {
  const byRun = new Map<number, Set<string>>();
  for (const instance of cleared) {
    if (turn.planOf(instance).loops.size === 0) continue;
    byRun.set(instance.dag_run, (byRun.get(instance.dag_run) ?? new Set()).add(instance.task_id));
  }
  for (const [run, ids] of byRun) {
    const restarted = restartedLoops(turn.planOfRun(run).loops, ids);
    if (restarted.length === 0) continue;
    await turn.tx.rows({
      name: "restart_loops",
      text: "DELETE FROM loop_iteration WHERE dag_run = $1 AND group_id = ANY($2::text[])",
      values: [run, restarted.map(({ group_id }) => group_id)],
    });
  }
}
