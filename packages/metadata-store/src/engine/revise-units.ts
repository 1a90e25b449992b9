/** What is mapped already looks again at what it is mapped over when that has run anew. */
import { evaluateMapSources, expandLength, type MappingUnit, overLength } from "@updraft/dag-core";
import type { Engine } from "./context.ts";
import type { EngineInstance, Move } from "./instance.ts";
import { keepMapItems, readMapSources } from "./map-sources.ts";
import { concernedBy, reconcileUnit } from "./reconcile-unit.ts";
import type { Turn } from "./turn.ts";

/**
 * `children` of what moved, as they are after every unit got its new length. Costs nothing unless a task succeeded over
 * whose result something is mapped that has instances already.
 */
export async function reviseUnits(
  engine: Engine,
  turn: Turn,
  moved: readonly Move[],
  children: readonly EngineInstance[],
): Promise<readonly EngineInstance[]> {
  let current = children;
  for (const { unit, dagRun } of unitsToRevise(turn, moved, children)) {
    if (evaluateMapSources(await readMapSources(turn.tx, dagRun, unit)).kind !== "ready") continue;
    const length = expandLength(unit.expand, await keepMapItems(turn.tx, dagRun, unit));
    if (overLength(length, engine.maxMapLength) !== null || (await hasLength(turn, dagRun, unit, length))) continue;
    const open = await reconcileUnit(engine, turn, { unit, dagRun, length });
    const concerned = new Set(concernedBy(turn.planOfRun(dagRun), unit));
    current = [...current.filter((one) => one.dag_run !== dagRun || !concerned.has(one.task_id)), ...open];
  }
  return current;
}

interface RunUnit {
  readonly unit: MappingUnit;
  readonly dagRun: number;
}

function unitsToRevise(turn: Turn, moved: readonly Move[], children: readonly EngineInstance[]): RunUnit[] {
  const found: RunUnit[] = [];
  for (const { instance, state } of moved) {
    if (state !== "success") continue;
    for (const unit of turn.planOf(instance).unitsFedBy.get(instance.task_id) ?? []) {
      const dagRun = instance.dag_run;
      const isKnown = found.some((one) => one.unit === unit && one.dagRun === dagRun);
      const isExpanded = children.some(
        (child) => child.dag_run === dagRun && child.map_index >= 0 && unit.task_ids.includes(child.task_id),
      );
      if (!isKnown && isExpanded) found.push({ unit, dagRun });
    }
  }
  return found;
}

async function hasLength(turn: Turn, dagRun: number, { task_ids }: MappingUnit, length: number): Promise<boolean> {
  const rows = await turn.tx.rows<{ present: number }>({
    name: "unit_lengths",
    text: `SELECT count(*) FILTER (WHERE state IS DISTINCT FROM 'removed')::integer AS present FROM task_instance
      WHERE dag_run = $1 AND task_id = ANY($2::text[]) AND map_index >= 0 GROUP BY task_id`,
    values: [dagRun, task_ids],
  });
  return rows.every(({ present }) => present === length);
}
