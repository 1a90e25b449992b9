/** What tasks and groups are mapped over: whether it is there, and its items, kept one by one. */
import type { MapLengths, MappingUnit, MapSourceFacts, TaskInstanceState } from "@updraft/dag-core";
import type { Transaction } from "../database.ts";

/** What is known of the source tasks of a unit. */
export async function readMapSources(
  tx: Transaction,
  dagRun: number,
  { sources }: MappingUnit,
): Promise<MapSourceFacts[]> {
  if (sources.length === 0) return [];
  const rows = await tx.rows<{ task_id: string; state: TaskInstanceState; is_expanded: boolean; unfinished: number }>({
    name: "map_sources",
    text: `SELECT task_id, max(state) FILTER (WHERE map_index = -1) AS state, bool_or(map_index >= 0) AS is_expanded,
        count(*) FILTER (WHERE coalesce(state, '') NOT IN ('success', 'failed', 'skipped', 'upstream_failed', 'removed'))::integer AS unfinished
      FROM task_instance WHERE dag_run = $1 AND task_id = ANY($2::text[]) GROUP BY task_id`,
    values: [dagRun, sources],
  });
  return rows;
}

/**
 * Keeps the items of the sources, as they are now, and says how many each has. Of a mapped source they are the values
 * of its instances in their order, without those that returned nothing.
 */
export async function keepMapItems(tx: Transaction, dagRun: number, { sources }: MappingUnit): Promise<MapLengths> {
  if (sources.length === 0) return new Map();
  tx.send({
    name: "drop_map_items",
    text: "DELETE FROM map_item WHERE dag_run = $1 AND task_id = ANY($2::text[])",
    values: [dagRun, sources],
  });
  const rows = await tx.rows<{ task_id: string; length: number }>({
    name: "keep_map_items",
    text: `WITH pushed AS (
        SELECT task_id, map_index, value, json_typeof(value) AS kind FROM xcom
        WHERE dag_run = $1 AND task_id = ANY($2::text[]) AND key = 'return_value'),
      item AS (
        SELECT task_id, n - 1 AS index, e.value FROM pushed,
          json_array_elements(CASE kind WHEN 'array' THEN pushed.value ELSE '[]' END) WITH ORDINALITY AS e (value, n)
        WHERE map_index = -1
        UNION ALL
        SELECT task_id, n - 1, json_build_array(e.key, e.value) FROM pushed,
          json_each(CASE kind WHEN 'object' THEN pushed.value ELSE '{}' END) WITH ORDINALITY AS e (key, value, n)
        WHERE map_index = -1
        UNION ALL
        SELECT task_id, row_number() OVER (PARTITION BY task_id ORDER BY map_index) - 1, value FROM pushed
        WHERE map_index >= 0 AND kind <> 'null'),
      kept AS (INSERT INTO map_item SELECT $1, task_id, index, value FROM item RETURNING task_id)
      INSERT INTO task_map AS m
      SELECT $1, s.task_id, count(k.task_id) FROM unnest($2::text[]) AS s (task_id) LEFT JOIN kept k USING (task_id) GROUP BY s.task_id
      ON CONFLICT (dag_run, task_id) DO UPDATE SET length = excluded.length
      RETURNING m.task_id, m.length`,
    values: [dagRun, sources],
  });
  return new Map(rows.map(({ task_id, length }) => [task_id, length]));
}

/** The lengths of what a run was mapped over so far. */
export async function readMapLengths(
  tx: Pick<Transaction, "rows">,
  dagRuns: readonly number[],
): Promise<ReadonlyMap<number, MapLengths>> {
  const rows = await tx.rows<{ dag_run: number; task_id: string; length: number }>({
    name: "map_lengths",
    text: "SELECT dag_run, task_id, length FROM task_map WHERE dag_run = ANY($1::bigint[])",
    values: [dagRuns],
  });
  const lengths = new Map<number, Map<string, number>>(dagRuns.map((run) => [run, new Map()]));
  for (const { dag_run, task_id, length } of rows) lengths.get(dag_run)?.set(task_id, length);
  return lengths;
}
