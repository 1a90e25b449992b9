/** What a DAG waits for, and the graph of DAGs and assets. */
import { ApiError, type DependenciesResponse, type NextRunAssetsResponse, queryText } from "@updraft/contract";
import type { AssetDetail } from "@updraft/metadata-store";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { iso } from "../http/iso.ts";
import type { RouteTable } from "../http/routes.ts";
import { queryReader } from "../http/validate.ts";
import { assetExpressionOf } from "../rest/asset-expression.ts";
import { dagOf } from "../rest/dags.ts";
import { componentOf, dataDependencies, schedulingDependencies } from "./dependencies.ts";

const readQuery = queryReader({
  node_id: queryText,
  dependency_type: z.enum(["scheduling", "data"]).default("scheduling"),
});
const MOST_ASSETS = 10_000;

export function assetRoutes({ store }: ApiContext): RouteTable {
  async function activeAssets(): Promise<readonly AssetDetail[]> {
    return (await store.listAssets({ only_active: true }, { limit: MOST_ASSETS, offset: 0, order_by: ["id"] })).rows;
  }

  return {
    "/next_run_assets/:dag_id": {
      async get(request): Promise<NextRunAssetsResponse> {
        const { row, form } = await dagOf(store, request);
        const awaited = await store.awaitedAssets(row.dag_id);
        return {
          asset_expression: assetExpressionOf(form.timetable),
          events: awaited.map(({ id, name, uri, last_update, queued, is_active }) => ({
            id,
            name,
            uri,
            last_update: iso(last_update),
            received_count: Math.min(queued, 1),
            required_count: 1,
            received_keys: [],
            required_keys: [],
            is_rollup: false,
            mapper_error: false,
            asset_inactive: !is_active,
          })),
          pending_partition_count: null,
        };
      },
    },
    "/dependencies": {
      async get(request): Promise<DependenciesResponse> {
        const { node_id, dependency_type } = readQuery(request);
        if (dependency_type === "data" && node_id?.startsWith("asset:") !== true) {
          throw new ApiError("bad_request", {
            message: "Data dependencies require a valid asset node_id (e.g., 'asset:123')",
          });
        }
        const assets = await activeAssets();
        const graph = dependency_type === "data" ? dataDependencies(assets) : schedulingDependencies(assets);
        if (node_id === undefined) return graph;
        const component = componentOf(graph, node_id);
        if (component === null) throw new ApiError("dependencies_not_found", { node_id });
        return component;
      },
    },
  };
}
