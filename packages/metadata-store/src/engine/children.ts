/**
 * The end of task instances, counted at their direct successors.
 *
 * Within a mapped group instances count index by index, and a placeholder counts everything; all else counts at every
 * instance of a successor.
 */
import { isFinished, type TaskInstanceState } from "@updraft/dag-core";
import { type DagPlan, sharesIndex } from "../dag-plan.ts";
import type { Queryable } from "../database.ts";
import { ENGINE_COLUMNS, type EngineInstance, type Move } from "./instance.ts";

const COUNTED = ["success", "failed", "upstream_failed", "skipped", "removed"] as const;
type Counted = (typeof COUNTED)[number];

interface Delta {
  readonly dag_run: number;
  readonly task_id: string;
  /** Null: at every instance. */
  readonly map_index: number | null;
  readonly changes: Record<Counted, number>;
}

/** Adds what moved to the counters of all children and returns them as they are now. */
export async function countInChildren(
  tx: Queryable,
  moved: readonly Move[],
  planOf: (instance: EngineInstance) => DagPlan,
): Promise<EngineInstance[]> {
  const deltas = new Map<string, Delta>();
  for (const { instance, state } of moved) {
    const plan = planOf(instance);
    for (const child of plan.downstream.get(instance.task_id) ?? []) {
      const isPair = instance.map_index >= 0 && sharesIndex(plan, instance.task_id, child);
      const delta = deltaOf(deltas, instance.dag_run, child, isPair ? instance.map_index : null);
      count(delta, instance.state, -1);
      count(delta, state, 1);
    }
  }
  const real = [...deltas.values()].filter(({ changes }) => COUNTED.some((state) => changes[state] !== 0));
  if (real.length === 0) return [];
  const pairs = real.some(({ map_index }) => map_index !== null);
  return tx.rows<EngineInstance>({
    name: pairs ? "count_in_mapped_children" : "count_in_children",
    text: `UPDATE task_instance t
      SET upstream_success = t.upstream_success + c.success, upstream_failed = t.upstream_failed + c.failed,
          upstream_upstream_failed = t.upstream_upstream_failed + c.upstream_failed,
          upstream_skipped = t.upstream_skipped + c.skipped, upstream_removed = t.upstream_removed + c.removed
      FROM ${pairs ? SUMS : DELTAS}
      RETURNING ${ENGINE_COLUMNS}`,
    values: [
      real.map(({ dag_run }) => dag_run),
      real.map(({ task_id }) => task_id),
      ...COUNTED.map((state) => real.map(({ changes }) => changes[state])),
      ...(pairs ? [real.map(({ map_index }) => map_index)] : []),
    ],
  });
}

/** Undecided instances that watch something that moved without being its children. Most DAGs have none. */
export async function readWatchers(
  tx: Queryable,
  moved: readonly Move[],
  watchersOf: (instance: EngineInstance) => ReadonlyMap<string, readonly string[]>,
): Promise<EngineInstance[]> {
  const ended = moved.filter(({ state }) => isFinished(state));
  const pairs = ended.flatMap(({ instance }) =>
    (watchersOf(instance).get(instance.task_id) ?? []).map((task) => ({ dag_run: instance.dag_run, task })),
  );
  if (pairs.length === 0) return [];
  return tx.rows<EngineInstance>({
    name: "watchers",
    text: `SELECT DISTINCT ON (t.id) ${ENGINE_COLUMNS} FROM task_instance t
      JOIN unnest($1::bigint[], $2::text[]) AS asked (dag_run, task_id)
        ON t.dag_run = asked.dag_run AND t.task_id = asked.task_id
      WHERE t.state IS NULL`,
    values: [pairs.map(({ dag_run }) => dag_run), pairs.map(({ task }) => task)],
  });
}

const DELTAS = `
  unnest($1::bigint[], $2::text[], $3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::integer[])
    AS c (dag_run, task_id, success, failed, upstream_failed, skipped, removed)
  WHERE t.dag_run = c.dag_run AND t.task_id = c.task_id`;

/** An instance may be meant by several, and an UPDATE takes only one of them: so they are added up first. */
const SUMS = `(
  WITH c AS (SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::integer[], $5::integer[], $6::integer[],
      $7::integer[], $8::integer[]) AS c (dag_run, task_id, success, failed, upstream_failed, skipped, removed, map_index)),
    hit AS (
      SELECT t.id, c.* FROM c JOIN task_instance t ON t.dag_run = c.dag_run AND t.task_id = c.task_id
      WHERE c.map_index IS NULL
      UNION ALL
      SELECT t.id, c.* FROM c JOIN task_instance t ON t.dag_run = c.dag_run AND t.task_id = c.task_id
        AND t.map_index = ANY(ARRAY[c.map_index, -1])
      WHERE c.map_index IS NOT NULL)
  SELECT id, sum(success)::integer AS success, sum(failed)::integer AS failed,
    sum(upstream_failed)::integer AS upstream_failed, sum(skipped)::integer AS skipped, sum(removed)::integer AS removed
  FROM hit GROUP BY id) c
  WHERE t.id = c.id`;

function deltaOf(deltas: Map<string, Delta>, dagRun: number, taskId: string, mapIndex: number | null): Delta {
  const key = `${dagRun}/${taskId}/${mapIndex ?? ""}`;
  const known = deltas.get(key);
  if (known !== undefined) return known;
  const changes = { success: 0, failed: 0, upstream_failed: 0, skipped: 0, removed: 0 };
  const made = { dag_run: dagRun, task_id: taskId, map_index: mapIndex, changes };
  deltas.set(key, made);
  return made;
}

function count({ changes }: Delta, state: TaskInstanceState, by: number): void {
  if (isFinished(state)) changes[state] += by;
}
