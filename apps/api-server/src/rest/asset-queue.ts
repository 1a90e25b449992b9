/** Events that wait for DAGs: shown, and removed by people who don't want them. */
import { ApiError, queryInstant } from "@updraft/contract";
import type { QueuedAssetEventFilter } from "@updraft/metadata-store";
import type { Request, Response } from "express";
import type { ApiContext } from "../context.ts";
import { noContent, pathPart, type RouteTable } from "../http/routes.ts";
import { queryReader } from "../http/validate.ts";
import { idOf } from "./assets.ts";
import { queuedEventResponseOf } from "./present-assets.ts";

const readQuery = queryReader({ before: queryInstant.optional() });

export function assetQueueRoutes({ store }: ApiContext): RouteTable {
  async function listed(filter: QueuedAssetEventFilter) {
    const rows = await store.queuedAssetEvents(filter);
    return { queued_events: rows.map(queuedEventResponseOf), total_entries: rows.length };
  }
  async function removed(filter: QueuedAssetEventFilter, response: Response, missing: ApiError) {
    if ((await store.deleteQueuedAssetEvents(filter)) === 0) throw missing;
    return noContent(response);
  }

  const ofDag = (request: Request) => ({ dag_id: pathPart(request, "dag_id"), ...before(request) });
  const ofAsset = (request: Request) => ({ asset_id: idOf(request, "asset_id"), ...before(request) });
  const ofBoth = (request: Request) => ({ ...ofDag(request), ...ofAsset(request) });

  return {
    "/dags/:dag_id/assets/queuedEvents": {
      get: (request) => listed(ofDag(request)),
      delete: (request, response) => {
        const filter = ofDag(request);
        return removed(filter, response, new ApiError("queued_event_of_dag_not_found", { dag_id: filter.dag_id }));
      },
    },
    "/assets/:asset_id/queuedEvents": {
      get: (request) => listed(ofAsset(request)),
      delete: (request, response) => {
        const filter = ofAsset(request);
        const { asset_id } = filter;
        return removed(filter, response, new ApiError("queued_event_of_asset_not_found", { asset_id }));
      },
    },
    "/dags/:dag_id/assets/:asset_id/queuedEvents": {
      async get(request) {
        const filter = ofBoth(request);
        const [event] = await store.queuedAssetEvents(filter);
        if (event === undefined) throw notFound(filter);
        return queuedEventResponseOf(event);
      },
      delete: (request, response) => {
        const filter = ofBoth(request);
        return removed(filter, response, notFound(filter));
      },
    },
  };
}

function before(request: Request): Pick<QueuedAssetEventFilter, "created_at"> {
  return { created_at: { lt: readQuery(request).before } };
}

function notFound({ dag_id, asset_id }: { readonly dag_id: string; readonly asset_id: number }): ApiError {
  return new ApiError("queued_event_not_found", { dag_id, asset_id });
}
