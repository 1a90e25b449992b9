/** Events that wait for DAGs, as people see and remove them. */
import type { Queryable } from "../database.ts";
import { Where } from "../reads/where.ts";
import type { AssetStore, AwaitedAsset, QueuedAssetEventFilter, QueuedAssetEventRow } from "../store.ts";

type Queue = Pick<AssetStore, "queuedAssetEvents" | "deleteQueuedAssetEvents" | "awaitedAssets">;

export function assetQueue(db: Queryable): Queue {
  return {
    queuedAssetEvents(filter) {
      const where = whereOf(filter);
      return db.rows<QueuedAssetEventRow>({
        text: `SELECT q.target_dag_id AS dag_id, q.asset_id, q.created_at, d.dag_display_name
          FROM asset_dag_run_queue q JOIN dag d ON d.dag_id = q.target_dag_id ${where} ORDER BY q.event_id`,
        values: where.values,
      });
    },

    async deleteQueuedAssetEvents(filter) {
      const where = whereOf(filter);
      const rows = await db.rows({
        text: `DELETE FROM asset_dag_run_queue q ${where} RETURNING q.event_id`,
        values: where.values,
      });
      return rows.length;
    },

    awaitedAssets: (dagId) =>
      db.rows<AwaitedAsset>({
        text: `SELECT a.id, a.name, a.uri, q.last_update, coalesce(q.queued, 0) AS queued,
            EXISTS (SELECT FROM asset_active n WHERE n.name = a.name AND n.uri = a.uri) AS is_active
          FROM asset a LEFT JOIN LATERAL (SELECT max(e."timestamp") AS last_update, count(*)::integer AS queued
            FROM asset_dag_run_queue q JOIN asset_event e ON e.id = q.event_id
            WHERE q.target_dag_id = $1 AND q.asset_id = a.id) q ON true
          WHERE EXISTS (SELECT FROM dag_schedule_asset_reference r WHERE r.dag_id = $1 AND r.asset_id = a.id)
            OR EXISTS (SELECT FROM dag_schedule_asset_name_reference r WHERE r.dag_id = $1 AND r.name = a.name)
            OR EXISTS (SELECT FROM dag_schedule_asset_uri_reference r WHERE r.dag_id = $1 AND r.uri = a.uri)
            OR EXISTS (SELECT FROM dag_schedule_asset_alias_reference r JOIN asset_alias_asset m USING (alias_id)
              WHERE r.dag_id = $1 AND m.asset_id = a.id)
          ORDER BY a.uri, a.id`,
        values: [dagId],
      }),
  };
}

function whereOf({ dag_id, asset_id, created_at }: QueuedAssetEventFilter): Where {
  return new Where()
    .and("q.target_dag_id = ?", dag_id)
    .and("q.asset_id = ?", asset_id)
    .range("q.created_at", created_at);
}
