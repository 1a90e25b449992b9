/** Reads of assets and aliases, and of what names them. */
import type { Queryable } from "../database.ts";
import { list, orderBy, Where } from "../reads/where.ts";
import type {
  AssetAliasRow,
  AssetDetail,
  AssetFilter,
  AssetRow,
  AssetStore,
  AssetUse,
  AssetWatcherRow,
} from "../store.ts";

const COLUMNS = `a.id, a.name, a.uri, a."group", a.extra, a.created_at, a.updated_at, e.id AS last_event_id,
  e."timestamp" AS last_event_at`;
const TABLES = `asset a LEFT JOIN LATERAL (SELECT id, "timestamp" FROM asset_event
  WHERE asset_id = a.id ORDER BY "timestamp" DESC, id DESC LIMIT 1) e ON true`;
const IS_ACTIVE = "EXISTS (SELECT FROM asset_active n WHERE n.name = a.name AND n.uri = a.uri)";
const ORDER = { id: "a.id", name: "a.name", uri: "a.uri", created_at: "a.created_at", updated_at: "a.updated_at" };

type Reads = Pick<AssetStore, "listAssets" | "getAsset" | "findAssets" | "listAssetAliases">;

export function assetReads(db: Queryable): Reads {
  return {
    async listAssets(filter, page) {
      const order = orderBy(page, ORDER, "a.id");
      const { rows, total_entries } = await list<AssetRow>(db, {
        columns: COLUMNS,
        from: TABLES,
        where: whereOf(filter),
        order,
        page,
      });
      return { rows: await detailed(db, rows), total_entries };
    },

    async getAsset(id) {
      const rows = await db.rows<AssetRow>({
        text: `SELECT ${COLUMNS} FROM ${TABLES} WHERE a.id = $1`,
        values: [id],
      });
      return (await detailed(db, rows))[0] ?? null;
    },

    async findAssets({ name, uri, alias }) {
      const where = new Where()
        .and("a.name = ?", name)
        .and("a.uri = ?", uri)
        .and(
          "a.id IN (SELECT m.asset_id FROM asset_alias_asset m JOIN asset_alias l ON l.id = m.alias_id WHERE l.name = ?)",
          alias,
        )
        .when(IS_ACTIVE, true);
      return db.rows<AssetRow>({
        text: `SELECT ${COLUMNS} FROM ${TABLES} ${where} ORDER BY a.id`,
        values: where.values,
      });
    },

    listAssetAliases: ({ id, name_pattern, name_prefix }, page) =>
      list<AssetAliasRow>(db, {
        columns: 'l.id, l.name, l."group"',
        from: "asset_alias l",
        where: new Where().and("l.id = ?", id).like("l.name", name_pattern).and("starts_with(l.name, ?)", name_prefix),
        order: orderBy(page, { id: "l.id", name: "l.name" }, "l.id"),
        page,
      }),
  };
}

function whereOf({ name_pattern, name_prefix, uri_pattern, uri_prefix, dag_ids, only_active }: AssetFilter): Where {
  return new Where()
    .like("a.name", name_pattern)
    .and("starts_with(a.name, ?)", name_prefix)
    .like("a.uri", uri_pattern)
    .and("starts_with(a.uri, ?)", uri_prefix)
    .and(
      `a.id IN (SELECT asset_id FROM dag_schedule_asset_reference WHERE dag_id = ANY(?)
        UNION SELECT asset_id FROM task_outlet_asset_reference WHERE dag_id = ANY(?)
        UNION SELECT asset_id FROM task_inlet_asset_reference WHERE dag_id = ANY(?))`,
      dag_ids === undefined || dag_ids.length === 0 ? undefined : dag_ids,
    )
    .when(IS_ACTIVE, only_active);
}

async function detailed(db: Queryable, rows: readonly AssetRow[]): Promise<AssetDetail[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const [uses, aliases, watchers] = await Promise.all([
    db.rows<AssetUse>({
      text: `SELECT 'scheduled_dag' AS kind, asset_id, dag_id, NULL AS task_id, created_at, updated_at
          FROM dag_schedule_asset_reference WHERE asset_id = ANY($1::bigint[])
        UNION ALL SELECT 'producing_task', asset_id, dag_id, task_id, created_at, updated_at
          FROM task_outlet_asset_reference WHERE asset_id = ANY($1::bigint[])
        UNION ALL SELECT 'consuming_task', asset_id, dag_id, task_id, created_at, updated_at
          FROM task_inlet_asset_reference WHERE asset_id = ANY($1::bigint[])
        ORDER BY dag_id, task_id`,
      values: [ids],
    }),
    db.rows<AssetAliasRow & { asset_id: number }>({
      text: `SELECT m.asset_id, l.id, l.name, l."group" FROM asset_alias_asset m JOIN asset_alias l ON l.id = m.alias_id
        WHERE m.asset_id = ANY($1::bigint[]) ORDER BY l.id`,
      values: [ids],
    }),
    db.rows<AssetWatcherRow & { asset_id: number }>({
      text: `SELECT asset_id, watcher AS name, id AS trigger_id, created_date FROM trigger
        WHERE asset_id = ANY($1::bigint[]) ORDER BY watcher`,
      values: [ids],
    }),
  ]);
  return rows.map((row) => ({
    ...row,
    uses: uses.filter(({ asset_id }) => asset_id === row.id),
    aliases: aliases.filter(({ asset_id }) => asset_id === row.id).map(({ asset_id: _asset, ...alias }) => alias),
    watchers: watchers.filter(({ asset_id }) => asset_id === row.id).map(({ asset_id: _asset, ...one }) => one),
  }));
}
