/**
 * From one placeholder to n instances: what a mapped task or group becomes once it may run.
 *
 *   placeholder (map index -1) ──► map index 0, and n - 1 new rows ──► those whose deps are met wait as `scheduled`
 *
 * Rows that only wait for a slot are written in bulk and never read here, so that ten thousand of them cost a few
 * statements. Whoever frees a slot takes the next one by its map index.
 */
import {
  evaluateMapSources,
  evaluateTriggerRule,
  expandLength,
  type MappingUnit,
  overLength,
  type SerializedTask,
} from "@updraft/dag-core";
import { type DagPlan, taskOf } from "../dag-plan.ts";
import { at } from "../database.ts";
import type { Engine } from "./context.ts";
import { ENGINE_COLUMNS, type EngineInstance, type Move, upstreamCounts } from "./instance.ts";
import { keepMapItems, readMapSources } from "./map-sources.ts";
import { reconcileUnit } from "./reconcile-unit.ts";
import type { Turn } from "./turn.ts";

/** So many rows go into one statement. */
const CHUNK = 2000;

export interface Expansion {
  readonly ends: readonly Move[];
  /** May be enqueued. */
  readonly ready: readonly EngineInstance[];
  /** New, and to be decided one by one. */
  readonly open: readonly EngineInstance[];
}

/** Expands the units of placeholders whose dependencies are met, as far as what they are mapped over is there. */
export async function expandPlaceholders(
  engine: Engine,
  turn: Turn,
  placeholders: readonly EngineInstance[],
): Promise<Expansion> {
  const ends: Move[] = [];
  const ready: EngineInstance[] = [];
  const open: EngineInstance[] = [];
  for (const group of byUnit(turn, placeholders)) {
    const expansion = await expandUnit(engine, turn, group);
    ends.push(...expansion.ends);
    ready.push(...expansion.ready);
    open.push(...expansion.open);
  }
  return { ends, ready, open };
}

interface UnitGroup {
  readonly unit: MappingUnit;
  readonly dagRun: number;
  readonly placeholders: EngineInstance[];
}

function byUnit(turn: Turn, placeholders: readonly EngineInstance[]): UnitGroup[] {
  const groups: UnitGroup[] = [];
  for (const placeholder of placeholders) {
    const unit = turn.planOf(placeholder).units.get(placeholder.task_id);
    if (unit === undefined) throw new Error(`task ${placeholder.task_id} is not mapped`);
    const known = groups.find((group) => group.unit === unit && group.dagRun === placeholder.dag_run);
    if (known === undefined) groups.push({ unit, dagRun: placeholder.dag_run, placeholders: [placeholder] });
    else known.placeholders.push(placeholder);
  }
  return groups;
}

async function expandUnit(engine: Engine, turn: Turn, group: UnitGroup): Promise<Expansion> {
  const { unit, dagRun, placeholders } = group;
  const verdict = evaluateMapSources(await readMapSources(turn.tx, dagRun, unit));
  if (verdict.kind === "wait") return NOTHING;
  const end = (state: Move["state"], cause: string): Expansion => ({
    ...NOTHING,
    ends: placeholders.map((instance) => ({ instance, state, cause, start_date: turn.now, end_date: turn.now })),
  });
  if (verdict.kind === "set") return end(verdict.state, verdict.cause);
  const length = expandLength(unit.expand, await keepMapItems(turn.tx, dagRun, unit));
  if (length === 0) return end("skipped", "There is nothing to map over: the length is 0");
  const over = overLength(length, engine.maxMapLength);
  if (over !== null) return end("failed", over);
  return makeInstances(engine, turn, group, length);
}

async function makeInstances(engine: Engine, turn: Turn, group: UnitGroup, length: number): Promise<Expansion> {
  const { unit, dagRun, placeholders } = group;
  const templates = await lockPlaceholders(turn, dagRun, unit);
  if (templates.some(({ others }) => others > 0) || templates.length < unit.task_ids.length) {
    return { ...NOTHING, open: await reconcileUnit(engine, turn, { unit, dagRun, length }) };
  }
  const held = new Set(placeholders.map(({ id }) => id));
  turn.tx.send({
    name: "first_mapped_index",
    text: "UPDATE task_instance SET map_index = 0 WHERE id = ANY($1::uuid[])",
    values: [templates.map(({ id }) => id)],
  });
  const plan = turn.planOf(templates[0] as EngineInstance);
  const alike = templates.filter((one) => held.has(one.id) && mayWaitInBulk(taskOf(plan, one.task_id)));
  const others = templates.filter((one) => !alike.includes(one));
  insertRows(engine, turn, alike, length, true);
  insertRows(engine, turn, others, length, false);
  turn.grow(dagRun, (length - 1) * templates.length, { waiting: (length - 1) * alike.length });
  growChildren(turn, plan, { unit, dagRun, added: length - 1 });
  return {
    ends: [],
    ready: alike.map((one) => ({ ...one, map_index: 0 })),
    open: await readUndecided(
      turn,
      dagRun,
      others.filter((one) => held.has(one.id) || isDecided(plan, one)),
    ),
  };
}

interface Template extends EngineInstance {
  /** Instances of the task besides this one. */
  readonly others: number;
}

/** The open placeholders of all tasks of a unit. */
function lockPlaceholders(turn: Turn, dagRun: number, { task_ids }: MappingUnit): Promise<Template[]> {
  return turn.tx.rows<Template>({
    name: "placeholders",
    text: `SELECT ${ENGINE_COLUMNS}, (SELECT count(*)::integer FROM (
        SELECT FROM task_instance o WHERE o.dag_run = t.dag_run AND o.task_id = t.task_id AND o.map_index >= 0 LIMIT 1) s) AS others
      FROM task_instance t WHERE t.dag_run = $1 AND t.task_id = ANY($2::text[]) AND t.map_index = -1 AND t.state IS NULL
      ORDER BY t.id FOR UPDATE`,
    values: [dagRun, task_ids],
  });
}

/** Whether what holds for the placeholder holds for each instance, so that nothing of an instance need be looked at. */
function mayWaitInBulk({ is_empty }: SerializedTask): boolean {
  return !is_empty;
}

/** Whether the rule of a task in the group has a verdict already, which then is to be found for each instance. */
function isDecided(plan: DagPlan, template: EngineInstance): boolean {
  const { trigger_rule } = taskOf(plan, template.task_id);
  return evaluateTriggerRule(trigger_rule, upstreamCounts(template)).kind !== "wait";
}

/** Index 0 is the placeholder itself. Every row begins as its placeholder stands; `waits`: as one that begins a try. */
function insertRows(
  engine: Engine,
  turn: Turn,
  templates: readonly EngineInstance[],
  length: number,
  waits: boolean,
): void {
  const rows = templates.flatMap(({ id }) => Array.from({ length: length - 1 }, (_, n) => ({ id, map_index: n + 1 })));
  for (let from = 0; from < rows.length; from += CHUNK) {
    const chunk = rows.slice(from, from + CHUNK);
    turn.tx.send({
      name: waits ? "insert_waiting_mapped" : "insert_mapped",
      text: `INSERT INTO task_instance (id, map_index, dag_run, dag_id, run_id, task_id, state, cause, try_number,
          scheduled_when, max_tries, pool, pool_slots, queue, priority_weight, operator, upstream_total, upstream_success,
          upstream_failed, upstream_upstream_failed, upstream_skipped, upstream_removed)
        SELECT m.id, m.map_index, t.dag_run, t.dag_id, t.run_id, t.task_id, ${waits ? "'scheduled', 'Waits for a free slot', t.try_number + 1, $4::timestamptz" : "NULL, NULL, t.try_number, NULL"},
          t.max_tries, t.pool, t.pool_slots, t.queue, t.priority_weight, t.operator, t.upstream_total, t.upstream_success,
          t.upstream_failed, t.upstream_upstream_failed, t.upstream_skipped, t.upstream_removed
        FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS m (id, template, map_index) JOIN task_instance t ON t.id = m.template`,
      values: [
        chunk.map(() => engine.ids.uuid()),
        chunk.map(({ id }) => id),
        chunk.map(({ map_index }) => map_index),
        ...(waits ? [at(turn.now)] : []),
      ],
    });
  }
}

/** Successors outside the unit wait for all instances; those in it for the one of their own index. */
function growChildren(
  turn: Turn,
  plan: DagPlan,
  { unit, dagRun, added }: { readonly unit: MappingUnit; readonly dagRun: number; readonly added: number },
): void {
  const more = new Map<string, number>();
  for (const id of unit.task_ids) {
    for (const child of plan.downstream.get(id) ?? []) {
      if (!unit.task_ids.includes(child)) more.set(child, (more.get(child) ?? 0) + added);
    }
  }
  if (more.size === 0 || added === 0) return;
  turn.tx.send({
    name: "grow_children",
    text: `UPDATE task_instance t SET upstream_total = t.upstream_total + m.added
      FROM unnest($2::text[], $3::integer[]) AS m (task_id, added) WHERE t.dag_run = $1 AND t.task_id = m.task_id`,
    values: [dagRun, [...more.keys()], [...more.values()]],
  });
}

async function readUndecided(
  turn: Turn,
  dagRun: number,
  templates: readonly EngineInstance[],
): Promise<EngineInstance[]> {
  if (templates.length === 0) return [];
  return turn.tx.rows<EngineInstance>({
    name: "undecided_of_tasks",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t
      WHERE t.dag_run = $1 AND t.task_id = ANY($2::text[]) AND t.state IS NULL ORDER BY t.id FOR UPDATE`,
    values: [dagRun, templates.map(({ task_id }) => task_id)],
  });
}

const NOTHING: Expansion = { ends: [], ready: [], open: [] };
