/** A cleared placeholder whose group is expanded takes its indexes at once, so that each of them goes on by itself. */
import type { MappingUnit } from "@updraft/dag-core";
import type { Engine } from "./context.ts";
import type { EngineInstance } from "./instance.ts";
import { reconcileUnit } from "./reconcile-unit.ts";
import type { Turn } from "./turn.ts";

/**
 * `cleared` have no state any more. A placeholder waits for the whole of the other tasks of its group; where those have
 * their instances already, it would hold each index back until all are there.
 */
export async function seatPlaceholders(engine: Engine, turn: Turn, cleared: readonly EngineInstance[]): Promise<void> {
  const seen = new Set<string>();
  for (const instance of cleared.filter(({ map_index }) => map_index < 0)) {
    const unit = turn.planOf(instance).units.get(instance.task_id);
    const { dag_run: dagRun } = instance;
    if (unit === undefined || unit.group_id === null || seen.has(`${dagRun}/${unit.group_id}`)) continue;
    seen.add(`${dagRun}/${unit.group_id}`);
    const length = await expandedLength(turn, dagRun, unit);
    if (length > 0) await reconcileUnit(engine, turn, { unit, dagRun, length });
  }
}

/** How many indexes the group has now; 0 where none of its tasks is expanded. */
async function expandedLength(turn: Turn, dagRun: number, { task_ids }: MappingUnit): Promise<number> {
  const [row] = await turn.tx.rows<{ length: number }>({
    name: "expanded_length",
    text: `SELECT coalesce(max(map_index) + 1, 0)::integer AS length FROM task_instance
      WHERE dag_run = $1 AND task_id = ANY($2::text[]) AND map_index >= 0 AND state IS DISTINCT FROM 'removed'`,
    values: [dagRun, task_ids],
  });
  return row?.length ?? 0;
}
