/**
 * Watchers of assets. What DAG files declare becomes one trigger for each name of an active asset; of several DAGs that
 * declare the same one, the first by id has it. The trigger ends with the last declaration, or when its asset rests.
 */
import { type AssetReference, assetReferences, assetSchedule, type SerializedDag } from "@updraft/dag-core";
import type { Queryable } from "../database.ts";

/** Notes what a DAG declares; most declare nothing and only have what they declared before taken away. */
export async function saveWatchers(tx: Queryable, dagId: string, references: readonly AssetReference[]): Promise<void> {
  const declared = references.flatMap((reference) =>
    reference.kind === "asset" ? (reference.watchers ?? []).map((watcher) => ({ reference, watcher })) : [],
  );
  await tx.rows({
    name: "drop_declared_watchers",
    text: "DELETE FROM dag_asset_watcher_reference WHERE dag_id = $1",
    values: [dagId],
  });
  if (declared.length === 0) return;
  await tx.rows({
    name: "declare_watchers",
    text: `INSERT INTO dag_asset_watcher_reference (asset_id, dag_id, name, classpath, kwargs)
      SELECT a.id, $1, n.watcher, n.classpath, n.kwargs
      FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::json[]) AS n (name, uri, watcher, classpath, kwargs)
        JOIN asset a USING (name, uri)
      ON CONFLICT DO NOTHING`,
    values: [
      dagId,
      declared.map(({ reference }) => reference.name),
      declared.map(({ reference }) => reference.uri),
      declared.map(({ watcher }) => watcher.name),
      declared.map(({ watcher }) => watcher.classpath),
      declared.map(({ watcher }) => JSON.stringify(watcher.kwargs)),
    ],
  });
}

const WANTED = `(SELECT DISTINCT ON (w.asset_id, w.name) w.*
  FROM dag_asset_watcher_reference w JOIN dag d USING (dag_id) JOIN asset a ON a.id = w.asset_id
    JOIN asset_active n ON n.name = a.name AND n.uri = a.uri
  WHERE NOT d.is_stale ORDER BY w.asset_id, w.name, w.dag_id)`;

/** After declarations or active assets changed: a watcher that is not wanted as it is ends, a missing one comes. */
export async function refreshWatchers(tx: Queryable): Promise<void> {
  await tx.rows({
    name: "end_watchers",
    text: `DELETE FROM trigger g WHERE g.asset_id IS NOT NULL AND NOT EXISTS (SELECT FROM ${WANTED} w
      WHERE w.asset_id = g.asset_id AND w.name = g.watcher AND w.dag_id = g.dag_id AND w.classpath = g.classpath
        AND w.kwargs::text = g.kwargs::text)`,
  });
  await tx.rows({
    name: "begin_watchers",
    text: `INSERT INTO trigger (asset_id, watcher, dag_id, classpath, kwargs, created_date)
      SELECT w.asset_id, w.name, w.dag_id, w.classpath, w.kwargs, clock_timestamp() FROM ${WANTED} w
      ON CONFLICT DO NOTHING`,
  });
}

export function declaresWatchers({ timetable, tasks }: SerializedDag): boolean {
  const schedule = assetSchedule(timetable);
  const scheduled = schedule === null ? [] : assetReferences(schedule.condition);
  return (
    scheduled.some(hasWatchers) ||
    tasks.some(({ inlets, outlets }) => inlets.some(hasWatchers) || outlets.some(hasWatchers))
  );
}

function hasWatchers(reference: AssetReference): boolean {
  return reference.kind === "asset" && reference.watchers !== undefined && reference.watchers.length > 0;
}

/** A new version of a DAG has new code: its watchers start again with it, and nothing of the old ones counts. */
export async function restartWatchers(tx: Queryable, { dag_id }: SerializedDag): Promise<void> {
  await tx.rows({
    name: "restart_watchers",
    text: `UPDATE trigger SET triggerer = NULL, lease_until = NULL, fence = fence + 1, failures = 0, failure = NULL
      WHERE dag_id = $1`,
    values: [dag_id],
  });
}
