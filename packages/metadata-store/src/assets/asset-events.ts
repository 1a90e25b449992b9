/** Events of assets: read with the runs that consumed them, and posted by people and programs. */
import type { AssetIdentity } from "@updraft/dag-core";
import { Tidings } from "../announcement.ts";
import type { Queryable } from "../database.ts";
import { type NewAssetEvent, writeAssetEvents } from "../engine/asset-events.ts";
import type { Engine } from "../engine/context.ts";
import { list, orderBy, Where } from "../reads/where.ts";
import type { AssetEventFilter, AssetEventRow, AssetStore, NewAssetEventRequest } from "../store.ts";

/** JSON has no instants: milliseconds, as every other instant has here. */
const milliseconds = (column: string) => `(extract(epoch FROM ${column}) * 1000)::bigint`;

const RUNS = `coalesce((SELECT json_agg(json_build_object('dag_id', r.dag_id, 'run_id', r.run_id, 'state', r.state,
    'logical_date', ${milliseconds("r.logical_date")}, 'queued_at', ${milliseconds("r.queued_at")},
    'data_interval_start', ${milliseconds("r.data_interval_start")},
    'data_interval_end', ${milliseconds("r.data_interval_end")},
    'start_date', ${milliseconds("r.start_date")}, 'end_date', ${milliseconds("r.end_date")},
    'triggering', NOT EXISTS (SELECT FROM dagrun_asset_event y JOIN asset_event f ON f.id = y.event_id
      WHERE y.dag_run_id = r.id AND (f."timestamp", f.id) > (e."timestamp", e.id))) ORDER BY r.id)
  FROM dagrun_asset_event x JOIN dag_run r ON r.id = x.dag_run_id WHERE x.event_id = e.id), '[]'::json)`;

const COLUMNS = `e.id, e.asset_id, a.name, a.uri, a."group", a.extra AS asset_extra, e.extra, e.source_task_id,
  e.source_dag_id, e.source_run_id, e.source_map_index, e."timestamp", e.partition_key,
  ARRAY(SELECT l.name FROM asset_alias_asset_event z JOIN asset_alias l ON l.id = z.alias_id
    WHERE z.event_id = e.id ORDER BY l.name) AS source_aliases, ${RUNS} AS created_dagruns`;
const TABLES = "asset_event e JOIN asset a ON a.id = e.asset_id";
const IS_ACTIVE = "EXISTS (SELECT FROM asset_active n WHERE n.name = a.name AND n.uri = a.uri)";

const ORDER = {
  id: "e.id",
  timestamp: 'e."timestamp"',
  asset_id: "e.asset_id",
  source_task_id: "e.source_task_id",
  source_dag_id: "e.source_dag_id",
  source_run_id: "e.source_run_id",
  source_map_index: "e.source_map_index",
};

export function assetEvents(engine: Engine): Pick<AssetStore, "listAssetEvents" | "createAssetEvent"> {
  const { db } = engine;
  return {
    listAssetEvents: (filter, page) =>
      list<AssetEventRow>(db, {
        columns: COLUMNS,
        from: TABLES,
        where: whereOf(filter),
        order: orderBy(page, ORDER, page.order_by[0]?.startsWith("-") ? "e.id DESC" : "e.id"),
        page,
      }),

    createAssetEvent: (request) =>
      db.transaction(async (tx) => {
        const event = await newEventOf(tx, request);
        const { event_ids, queued } = await writeAssetEvents(tx, event === null ? [] : [event], engine.clock.now());
        const [id] = event_ids;
        if (id === undefined) return { kind: "not_found" };
        const [row] = await tx.rows<AssetEventRow>({
          name: "asset_event",
          text: `SELECT ${COLUMNS} FROM ${TABLES} WHERE e.id = $1`,
          values: [id],
        });
        if (row === undefined) throw new Error(`asset event ${id} vanished while it was created`);
        return { kind: "created", event: row, announcement: { ...new Tidings(), wake_scheduler: queued > 0 } };
      }),
  };
}

async function newEventOf(tx: Queryable, request: NewAssetEventRequest): Promise<NewAssetEvent | null> {
  const [asset] = await tx.rows<AssetIdentity>({
    text: "SELECT name, uri FROM asset WHERE id = $1",
    values: [request.asset_id],
  });
  if (asset === undefined) return null;
  const { extra, partition_key } = request;
  const nowhere = { source_dag_id: null, source_run_id: null, source_task_id: null, source_map_index: -1 };
  return { ...asset, ...nowhere, extra, given_key: partition_key, aliases: [] };
}

function whereOf(filter: AssetEventFilter): Where {
  const { consumed_by: run, alias_name, asset_name, asset_uri } = filter;
  const where = new Where()
    .and("e.asset_id = ?", filter.asset_id)
    .and("a.name = ?", asset_name)
    .and("a.uri = ?", asset_uri)
    .when(IS_ACTIVE, asset_name !== undefined || asset_uri !== undefined)
    .and(
      `e.id IN (SELECT z.event_id FROM asset_alias_asset_event z JOIN asset_alias l ON l.id = z.alias_id WHERE l.name = ?)`,
      alias_name,
    )
    .like("a.name", filter.name_pattern)
    .and("starts_with(a.name, ?)", filter.name_prefix)
    .and("e.source_dag_id = ?", filter.source_dag_id)
    .and("e.source_task_id = ?", filter.source_task_id)
    .and("e.source_run_id = ?", filter.source_run_id)
    .and("e.source_map_index = ?", filter.source_map_index)
    .range('e."timestamp"', filter.timestamp);
  if (run === undefined) return where;
  return where.and(
    `e.id IN (SELECT x.event_id FROM dagrun_asset_event x JOIN dag_run r ON r.id = x.dag_run_id
      WHERE (r.dag_id, r.run_id) = (SELECT w[1], w[2] FROM (SELECT ?::text[] AS w) w))`,
    [run.dag_id, run.run_id],
  );
}
