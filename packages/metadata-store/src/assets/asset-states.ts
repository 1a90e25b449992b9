/** Values that belong to an asset and outlive every run, with who wrote each last. */
import { at } from "../database.ts";
import type { Engine } from "../engine/context.ts";
import { list, orderBy, Where } from "../reads/where.ts";
import type { AssetStateRow, AssetStore } from "../store.ts";

const COLUMNS = "key, value, updated_at, last_updated_by_kind, dag_id, run_id, task_id, map_index";

type States = Pick<
  AssetStore,
  "listAssetStates" | "getAssetState" | "setAssetState" | "deleteAssetState" | "clearAssetStates"
>;

export function assetStates({ db, clock }: Engine): States {
  return {
    listAssetStates: (assetId, page) =>
      list<AssetStateRow>(db, {
        columns: COLUMNS,
        from: "asset_state_store",
        where: new Where().and("asset_id = ?", assetId),
        order: orderBy(page, { key: "key", updated_at: "updated_at" }, "key"),
        page,
      }),
    async getAssetState(assetId, key) {
      const [row] = await db.rows<AssetStateRow>({
        text: `SELECT ${COLUMNS} FROM asset_state_store WHERE asset_id = $1 AND key = $2`,
        values: [assetId, key],
      });
      return row ?? null;
    },
    async setAssetState(assetId, { key, value, writer }) {
      const task = writer.kind === "task" ? writer : { dag_id: null, run_id: null, task_id: null, map_index: null };
      await db.rows({
        text: `INSERT INTO asset_state_store (asset_id, key, value, updated_at, last_updated_by_kind, dag_id, run_id,
            task_id, map_index)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
          ON CONFLICT (asset_id, key) DO UPDATE SET value = $3, updated_at = $4, last_updated_by_kind = $5, dag_id = $6,
            run_id = $7, task_id = $8, map_index = $9`,
        values: [
          assetId,
          key,
          JSON.stringify(value),
          at(clock.now()),
          writer.kind,
          task.dag_id,
          task.run_id,
          task.task_id,
          task.map_index,
        ],
      });
    },
    async deleteAssetState(assetId, key) {
      await db.rows({
        text: "DELETE FROM asset_state_store WHERE asset_id = $1 AND key = $2",
        values: [assetId, key],
      });
    },
    async clearAssetStates(assetId) {
      await db.rows({ text: "DELETE FROM asset_state_store WHERE asset_id = $1", values: [assetId] });
    },
  };
}
