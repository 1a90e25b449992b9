/** What is mapped already looks again at what it is mapped over when that has run anew. */
import { evaluateMapSources, expandLength, type MappingUnit, overLength } from "@updraft/dag-core";
import type { Engine } from "./context.ts";
import { ENGINE_COLUMNS, type EngineInstance, type Move } from "./instance.ts";
import { keepMapItems, readMapSources } from "./map-sources.ts";
import { reconcileUnit } from "./reconcile-unit.ts";
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
  const found = new Set(children.map(({ id }) => id));
  let isRevised = false;
  for (const { unit, dagRun } of unitsToRevise(turn, moved, children)) {
    if (evaluateMapSources(await readMapSources(turn.tx, dagRun, unit)).kind !== "ready") continue;
    const length = expandLength(unit.expand, await keepMapItems(turn.tx, dagRun, unit));
    const over = overLength(length, engine.maxMapLength);
    if (over === null && (await hasLength(turn, dagRun, unit, length))) continue;
    isRevised = true;
    if (over !== null) await failOpen(turn, dagRun, unit, over);
    else for (const { id } of await reconcileUnit(engine, turn, { unit, dagRun, length })) found.add(id);
  }
  // What was revised moved others, and those others: each is looked at again as it is now.
  return isRevised ? readOpen(turn, [...found]) : children;
}

/** What has not ended can't get its value any more: the list that it comes from is too long. */
async function failOpen(turn: Turn, dagRun: number, { task_ids }: MappingUnit, cause: string): Promise<void> {
  const open = await turn.tx.rows<EngineInstance>({
    name: "open_of_tasks",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t
      WHERE t.dag_run = $1 AND t.task_id = ANY($2::text[]) AND t.state IS NULL ORDER BY t.id FOR UPDATE`,
    values: [dagRun, task_ids],
  });
  const dates = { start_date: turn.now, end_date: turn.now };
  await turn.move(open.map((instance) => ({ instance, state: "failed", cause, ...dates })));
}

function readOpen(turn: Turn, ids: readonly string[]): Promise<EngineInstance[]> {
  return turn.tx.rows<EngineInstance>({
    name: "open_instances",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.id = ANY($1::uuid[]) AND t.state IS NULL
      ORDER BY t.id FOR UPDATE`,
    values: [ids],
  });
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
