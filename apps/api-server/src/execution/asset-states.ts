/** The values that tasks keep with an asset, found by its name or its uri. */
import { assetStateBody } from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { AssetStateWriter } from "@updraft/metadata-store";
import { isWatcher, type TaskToken } from "@updraft/service-kit";
import type { Request } from "express";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { noContent, type RouteTable } from "../http/routes.ts";
import { parseBody, queryReader } from "../http/validate.ts";
import { ExecutionError } from "./execution-error.ts";
import { callingTry } from "./task-token-auth.ts";

const word = z.string().min(1);
const readName = queryReader({ name: word });
const readUri = queryReader({ uri: word });
const readKey = queryReader({ key: word });

export function assetStateRoutes(context: ApiContext): RouteTable {
  const byName = routesBy(context, readName, ({ name }) => `name '${name}'`);
  const byUri = routesBy(context, readUri, ({ uri }) => `URI '${uri}'`);
  return {
    "/store/asset/by-name/value": byName.value,
    "/store/asset/by-name/clear": byName.clear,
    "/store/asset/by-uri/value": byUri.value,
    "/store/asset/by-uri/clear": byUri.clear,
  };
}

function routesBy<Query extends { readonly name?: string; readonly uri?: string }>(
  { store, taskTokens }: ApiContext,
  read: (request: Request) => Query,
  describe: (query: Query) => string,
) {
  /** The asset that the query names, and the try that asks. */
  async function asked(request: Request) {
    const writer = callingTry(taskTokens, request);
    const query = read(request);
    const [asset] = await store.findAssets(query);
    if (asset === undefined) throw new ExecutionError(404, "not_found", `Asset with ${describe(query)} not found`);
    return { id: asset.id, writer };
  }

  return {
    value: {
      async get(request: Request) {
        const { id } = await asked(request);
        const { key } = readKey(request);
        const state = await store.getAssetState(id, key);
        if (state === null) throw new ExecutionError(404, "not_found", `Asset state with key '${key}' not found`);
        return { value: state.value };
      },
      async put(request: Request, response: Parameters<typeof noContent>[0]) {
        const { id, writer } = await asked(request);
        const { key } = readKey(request);
        // What JSON.parse made is JSON.
        const value = parseBody(assetStateBody, request).value as JsonValue;
        await store.setAssetState(id, { key, value, writer: writerOf(writer) });
        return noContent(response);
      },
      async delete(request: Request, response: Parameters<typeof noContent>[0]) {
        const { id } = await asked(request);
        await store.deleteAssetState(id, readKey(request).key);
        return noContent(response);
      },
    },
    clear: {
      async delete(request: Request, response: Parameters<typeof noContent>[0]) {
        const { id } = await asked(request);
        await store.clearAssetStates(id);
        return noContent(response);
      },
    },
  };
}

function writerOf(caller: TaskToken): AssetStateWriter {
  if (isWatcher(caller)) return { kind: "watcher" };
  const { dag_id, run_id, task_id, map_index } = caller;
  return { kind: "task", dag_id, run_id, task_id, map_index };
}
