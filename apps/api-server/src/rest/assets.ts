/** Assets, aliases, events, and the runs that people start to update an asset. */
import {
  ApiError,
  createAssetEventBody,
  instantRange,
  materializeAssetBody,
  pageQuery,
  queryBoolean,
  queryInteger,
  queryText,
  queryTexts,
  searchPattern,
} from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { AssetDetail, Page, TriggerRequest } from "@updraft/metadata-store";
import type { Request, Response } from "express";
import type { z } from "zod";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { instantOf } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody, parsePath, queryReader } from "../http/validate.ts";
import { dagRunOf, triggerErrorOf } from "./dag-runs.ts";
import { ASSET_ALIAS_ORDERINGS, ASSET_EVENT_ORDERINGS, ASSET_ORDERINGS, orderByQuery, orderingOf } from "./ordering.ts";
import { assetEventResponseOf, assetResponseOf } from "./present-assets.ts";
import { dagRunResponseOf } from "./present-runs.ts";
import { rangeOf } from "./ranges.ts";
import type { VersionLookup } from "./version-lookup.ts";

const listQuery = { ...pageQuery, ...orderByQuery, ...searchPattern("name") };
const readAssetsQuery = queryReader({
  ...listQuery,
  ...searchPattern("uri"),
  dag_ids: queryTexts,
  only_active: queryBoolean.default(true),
});
const readAliasesQuery = queryReader(listQuery);
const readEventsQuery = queryReader({
  ...listQuery,
  ...instantRange("timestamp"),
  asset_id: queryInteger().optional(),
  source_dag_id: queryText,
  source_task_id: queryText,
  source_run_id: queryText,
  source_map_index: queryInteger().optional(),
});

/** More than a run consumes, in one answer without pages as Airflow gives it. */
const ALL_OF_A_RUN: Page = { limit: 10_000, offset: 0, order_by: ["timestamp"] };
const ONE: Page = { limit: 1, offset: 0, order_by: [] };

export function assetRoutes(context: ApiContext, versions: VersionLookup): RouteTable {
  // What is named by words comes before what is named by an id.
  return { ...eventRoutes(context), ...aliasRoutes(context), ...oneAssetRoutes(context, versions) };
}

/** The asset that the path names; throws `ApiError`. */
export async function assetOf({ store }: Pick<ApiContext, "store">, request: Request): Promise<AssetDetail> {
  const asset_id = idOf(request, "asset_id");
  const asset = await store.getAsset(asset_id);
  if (asset === null) throw new ApiError("asset_not_found", { asset_id });
  return asset;
}

/** An id in the path; throws a 422. */
export function idOf(request: Request, name: string): number {
  return parsePath(queryInteger(), name, pathPart(request, name));
}

function eventRoutes({ store, announcer }: ApiContext): RouteTable {
  return {
    "/assets/events": {
      async get(request) {
        const { limit, offset, order_by, name_prefix_pattern, ...query } = readEventsQuery(request);
        const page = { limit, offset, order_by: orderingOf(order_by, ASSET_EVENT_ORDERINGS, ["timestamp"]) };
        const filter = { ...query, name_prefix: name_prefix_pattern, timestamp: rangeOf(query, "timestamp") };
        const { rows, total_entries } = await store.listAssetEvents(filter, page);
        return { asset_events: rows.map(assetEventResponseOf), total_entries };
      },
      async post(request) {
        const { asset_id, extra, partition_key } = parseBody(createAssetEventBody, request);
        const result = await store.createAssetEvent({
          asset_id,
          // What JSON.parse made is JSON; the mark is Airflow's.
          extra: { ...(extra as Record<string, JsonValue>), from_rest_api: true },
          partition_key: partition_key ?? null,
        });
        if (result.kind === "not_found") throw new ApiError("asset_of_event_not_found", { asset_id });
        announcer.announce(result.announcement);
        return assetEventResponseOf(result.event);
      },
    },
    "/dags/:dag_id/dagRuns/:dag_run_id/upstreamAssetEvents": {
      async get(request) {
        const { dag_id, run_id } = await dagRunOf(store, request);
        const { rows, total_entries } = await store.listAssetEvents({ consumed_by: { dag_id, run_id } }, ALL_OF_A_RUN);
        return { asset_events: rows.map(assetEventResponseOf), total_entries };
      },
    },
  };
}

function aliasRoutes({ store }: ApiContext): RouteTable {
  return {
    "/assets/aliases": {
      async get(request) {
        const { limit, offset, order_by, name_pattern, name_prefix_pattern } = readAliasesQuery(request);
        const page = { limit, offset, order_by: orderingOf(order_by, ASSET_ALIAS_ORDERINGS, ["id"]) };
        const filter = { name_pattern, name_prefix: name_prefix_pattern };
        const { rows, total_entries } = await store.listAssetAliases(filter, page);
        return { asset_aliases: rows, total_entries };
      },
    },
    "/assets/aliases/:asset_alias_id": {
      async get(request) {
        const asset_alias_id = idOf(request, "asset_alias_id");
        const [alias] = (await store.listAssetAliases({ id: asset_alias_id }, ONE)).rows;
        if (alias === undefined) throw new ApiError("asset_alias_not_found", { asset_alias_id });
        return alias;
      },
    },
  };
}

function oneAssetRoutes(context: ApiContext, versions: VersionLookup): RouteTable {
  const { store, announcer } = context;
  return {
    "/assets": {
      async get(request) {
        const { limit, offset, order_by, ...query } = readAssetsQuery(request);
        const page = { limit, offset, order_by: orderingOf(order_by, ASSET_ORDERINGS, ["id"]) };
        const { name_prefix_pattern: name_prefix, uri_prefix_pattern: uri_prefix, ...filter } = query;
        const { rows, total_entries } = await store.listAssets({ ...filter, name_prefix, uri_prefix }, page);
        return { assets: rows.map(assetResponseOf), total_entries };
      },
    },
    "/assets/:asset_id": { get: async (request) => assetResponseOf(await assetOf(context, request)) },
    "/assets/:asset_id/materialize": {
      async post(request, response) {
        const asset = await assetOf(context, request);
        const body = materializeAssetBody.nullish();
        const asked = request.body === undefined ? null : parseBody(body, request);
        const triggered = triggerRequestOf(producerOf(asset), asked ?? {}, response);
        const result = await store.triggerDagRun(triggered);
        if (result.kind === "rejected") throw triggerErrorOf(result.reason, result.message, triggered.dag_id);
        announcer.announce(result.announcement);
        return dagRunResponseOf(result.dag_run, await versions.of([result.dag_run]));
      },
    },
  };
}

/** The one DAG whose tasks update the asset. */
function producerOf({ id, uses }: AssetDetail): string {
  const producers = new Set(uses.flatMap(({ kind, dag_id }) => (kind === "producing_task" ? [dag_id] : [])));
  const [producer] = producers;
  if (producer === undefined) throw new ApiError("asset_has_no_producer", { asset_id: id });
  if (producers.size > 1) throw new ApiError("asset_has_many_producers", { asset_id: id });
  return producer;
}

function triggerRequestOf(
  dagId: string,
  body: z.output<typeof materializeAssetBody>,
  response: Response,
): TriggerRequest {
  return {
    dag_id: dagId,
    run_id: body.dag_run_id ?? null,
    logical_date: instantOf(body.logical_date),
    data_interval_start: instantOf(body.data_interval_start),
    data_interval_end: instantOf(body.data_interval_end),
    run_after: instantOf(body.run_after),
    // What JSON.parse made is JSON.
    conf: (body.conf ?? {}) as Record<string, JsonValue>,
    note: body.note ?? null,
    run_type: "asset_materialization",
    triggered_by: "rest_api",
    triggering_user_name: usernameOf(response),
    partition_key: body.partition_key ?? null,
  };
}
