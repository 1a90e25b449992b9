/** The values kept with assets, as people see and change them. */
import { ApiError, assetStateBody, pageQuery } from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { ApiContext } from "../context.ts";
import { noContent, pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody, queryReader } from "../http/validate.ts";
import { assetOf } from "./assets.ts";
import { assetStateResponseOf } from "./present-assets.ts";

const readPageQuery = queryReader(pageQuery);

export function assetStateStoreRoutes(context: ApiContext): RouteTable {
  const { store } = context;
  return {
    "/assets/:asset_id/state-store": {
      async get(request) {
        const { id } = await assetOf(context, request);
        const { rows, total_entries } = await store.listAssetStates(id, {
          ...readPageQuery(request),
          order_by: ["key"],
        });
        return { asset_state_store: rows.map(assetStateResponseOf), total_entries };
      },
      async delete(request, response) {
        await store.clearAssetStates((await assetOf(context, request)).id);
        return noContent(response);
      },
    },
    "/assets/:asset_id/state-store/:key": {
      async get(request) {
        const { id } = await assetOf(context, request);
        const key = pathPart(request, "key");
        const state = await store.getAssetState(id, key);
        if (state === null) throw new ApiError("asset_state_not_found", { asset_id: id, key });
        return assetStateResponseOf(state);
      },
      async put(request, response) {
        const { id } = await assetOf(context, request);
        // What JSON.parse made is JSON.
        const value = parseBody(assetStateBody, request).value as JsonValue;
        await store.setAssetState(id, { key: pathPart(request, "key"), value, writer: { kind: "api" } });
        return noContent(response);
      },
      async delete(request, response) {
        const { id } = await assetOf(context, request);
        await store.deleteAssetState(id, pathPart(request, "key"));
        return noContent(response);
      },
    },
  };
}
