/** Assets and their events as tasks ask for them. */
import { queryBoolean, queryInstant, queryInteger, queryText } from "@updraft/contract";
import type { AssetEventFilter } from "@updraft/metadata-store";
import type { Request } from "express";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { queryReader } from "../http/validate.ts";
import { assetEventOf, assetProfileOf, assetResponseOf } from "./asset-wire.ts";
import { ExecutionError } from "./execution-error.ts";
import { callingTry, callingTryOfPath } from "./task-token-auth.ts";

const readName = queryReader({ name: z.string() });
const readUri = queryReader({ uri: z.string() });
const readAlias = queryReader({ alias_name: z.string() });

const range = {
  after: queryInstant.optional(),
  before: queryInstant.optional(),
  ascending: queryBoolean.default(true),
  limit: queryInteger(0).optional(),
};
const readEventsQuery = queryReader({ ...range, name: queryText, uri: queryText });
const readAliasEventsQuery = queryReader({ ...range, name: z.string() });

/** More events than a task can use; Airflow has no bound of its own. */
const MOST_EVENTS = 10_000;

export function assetRoutes({ store, taskTokens }: ApiContext): RouteTable {
  type Range = Pick<ReturnType<typeof readEventsQuery>, keyof typeof range>;

  async function events(filter: AssetEventFilter, { after, before, ascending, limit }: Range) {
    const page = {
      limit: Math.min(limit ?? MOST_EVENTS, MOST_EVENTS),
      offset: 0,
      order_by: [ascending ? "timestamp" : "-timestamp"],
    };
    const { rows } = await store.listAssetEvents({ ...filter, timestamp: { gte: after, lte: before } }, page);
    return { asset_events: rows.map(assetEventOf) };
  }

  async function oneAsset(by: { readonly name?: string; readonly uri?: string }) {
    const [asset] = await store.findAssets(by);
    if (asset !== undefined) return assetResponseOf(asset);
    const what = by.name === undefined ? `URI ${by.uri}` : `name ${by.name}`;
    throw new ExecutionError(404, "not_found", `Asset with ${what} not found`);
  }

  return {
    "/assets/by-name": { get: (request) => oneAsset(asked(request, readName)) },
    "/assets/by-uri": { get: (request) => oneAsset(asked(request, readUri)) },
    "/assets/by-alias": {
      async get(request) {
        const { alias_name: alias } = asked(request, readAlias);
        return (await store.findAssets({ alias })).map(assetResponseOf);
      },
    },
    "/asset-events/by-asset": {
      async get(request) {
        const { name, uri, ...asked_range } = asked(request, readEventsQuery);
        if (name === undefined && uri === undefined)
          throw new ExecutionError(400, "Missing parameter", "name and uri cannot both be None");
        return events({ asset_name: name, asset_uri: uri }, asked_range);
      },
    },
    "/asset-events/by-asset-alias": {
      async get(request) {
        const { name, ...asked_range } = asked(request, readAliasEventsQuery);
        return events({ alias_name: name }, asked_range);
      },
    },
    "/task-instances/:ti_id/validate-inlets-and-outlets": {
      async get(request) {
        callingTryOfPath(taskTokens, request);
        const tiId = pathPart(request, "ti_id");
        const inactive = await store.inactiveAssets(tiId);
        if (inactive === null) {
          throw new ExecutionError(404, "not_found", `Task Instance with id ${tiId} not found.`);
        }
        return { inactive_assets: inactive.map(assetProfileOf) };
      },
    },
  };

  function asked<Query>(request: Request, read: (request: Request) => Query): Query {
    callingTry(taskTokens, request);
    return read(request);
  }
}
