/** What tries share: XComs, variables, connections, and the state that a task keeps across its tries. */
import {
  type ConnectionResponse,
  queryBoolean,
  queryInteger,
  taskStateRequest,
  variableRequest,
} from "@updraft/contract";
import { type JsonValue, overLength } from "@updraft/dag-core";
import type { XComAddress, XComListAddress } from "@updraft/metadata-store";
import type { Request } from "express";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { instantOf } from "../http/iso.ts";
import { noContent, pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody, queryReader } from "../http/validate.ts";
import { ExecutionError } from "./execution-error.ts";
import { createSecrets } from "./secrets.ts";
import { callingTry, callingTryOfPath } from "./task-token-auth.ts";

const readXComQuery = queryReader({
  map_index: queryInteger(-1).default(-1),
  include_prior_dates: queryBoolean.default(false),
  /** How many tasks are to be mapped over the value. */
  mapped_length: queryInteger(0).optional(),
});
const readSliceQuery = queryReader({
  include_prior_dates: queryBoolean.default(false),
  start: queryInteger().optional(),
  stop: queryInteger().optional(),
  step: queryInteger().optional(),
});

export function sharedValueRoutes(context: ApiContext): RouteTable {
  return { ...xcomRoutes(context), ...secretRoutes(context), ...taskStateRoutes(context) };
}

function xcomRoutes({ store, taskTokens, config }: ApiContext): RouteTable {
  /** With `include_prior_dates` the newest run that has one, up to the named one. */
  async function sourceOf<A extends XComListAddress & { readonly map_index?: number }>(address: A, prior: boolean) {
    if (!prior) return address;
    return { ...address, run_id: (await store.newestRunWithXCom(address)) ?? address.run_id };
  }

  return {
    "/xcoms/:dag_id/:run_id/:task_id/:key": {
      async head(request, response) {
        callingTry(taskTokens, request);
        const { map_index: _, ...list } = xcomAddressOf(request);
        response.setHeader("content-range", `map_indexes ${await store.countXComs(list)}`).end();
      },
      async get(request) {
        callingTry(taskTokens, request);
        const address = xcomAddressOf(request);
        const xcom = await store.getXCom(await sourceOf(address, readXComQuery(request).include_prior_dates));
        if (xcom === null) throw xcomNotFound(address);
        return { key: xcom.key, value: xcom.value };
      },
      async post(request, response) {
        callingTry(taskTokens, request);
        const address = xcomAddressOf(request);
        const value = parseBody(z.unknown(), request) as JsonValue;
        assertMappable(readXComQuery(request).mapped_length ?? 0, config.maxMapLength);
        await store.setXCom(address, value).catch(async (error: unknown) => {
          throw (await store.getDagRun(address.dag_id, address.run_id)) === null ? runNotFound(address) : error;
        });
        response.status(201);
        return { message: "XCom successfully set" };
      },
      async delete(request) {
        callingTry(taskTokens, request);
        const address = xcomAddressOf(request);
        await store.deleteXCom(address);
        return { message: `XCom with key: ${address.key} successfully deleted.` };
      },
    },
    "/xcoms/:dag_id/:run_id/:task_id/:key/slice": {
      async get(request) {
        callingTry(taskTokens, request);
        const { map_index: _, ...list } = xcomAddressOf(request);
        const { include_prior_dates, ...slice } = readSliceQuery(request);
        return [...(await store.sliceXComs(await sourceOf(list, include_prior_dates), slice))];
      },
    },
    "/xcoms/:dag_id/:run_id/:task_id/:key/item/:offset": {
      async get(request) {
        callingTry(taskTokens, request);
        const { map_index: _, ...list } = xcomAddressOf(request);
        const offset = Number(pathPart(request, "offset"));
        if (!Number.isInteger(offset)) throw itemNotFound(list, pathPart(request, "offset"));
        // The last one's stop would be 0, which is the start.
        const stop = offset === -1 ? undefined : offset + 1;
        const [value] = await store.sliceXComs(list, { start: offset, stop });
        if (value === undefined) throw itemNotFound(list, String(offset));
        return value;
      },
    },
  };
}

function secretRoutes({ store, taskTokens, environment }: ApiContext): RouteTable {
  const secrets = createSecrets(store, environment);
  return {
    "/variables/:key": {
      async get(request) {
        callingTry(taskTokens, request);
        const key = pathPart(request, "key");
        const value = await secrets.variable(key);
        if (value === null) throw new ExecutionError(404, "not_found", `Variable with key '${key}' not found`);
        return { key, value };
      },
      async put(request, response) {
        callingTry(taskTokens, request);
        const { val, description } = parseBody(variableRequest, request);
        await store.setVariable(pathPart(request, "key"), val ?? "", description ?? null);
        response.status(201);
        return { message: "Variable successfully set" };
      },
      async delete(request, response) {
        callingTry(taskTokens, request);
        await store.deleteVariable(pathPart(request, "key"));
        return noContent(response);
      },
    },
    "/connections/:conn_id": {
      async get(request): Promise<ConnectionResponse> {
        callingTry(taskTokens, request);
        const connId = pathPart(request, "conn_id");
        const connection = await secrets.connection(connId);
        if (connection === null) throw new ExecutionError(404, "not_found", `Connection with ID ${connId} not found`);
        return connection;
      },
    },
  };
}

/** The path names the instance, but its token says more: the run and the task. */
function taskStateRoutes({ store, taskTokens }: ApiContext): RouteTable {
  function addressOf(request: Request): XComAddress {
    const { dag_id, run_id, task_id, map_index } = callingTryOfPath(taskTokens, request);
    return { dag_id, run_id, task_id, map_index, key: pathPart(request, "key") };
  }
  return {
    "/store/ti/:ti_id": {
      async delete(request, response) {
        const { dag_id, run_id, task_id, map_index } = callingTryOfPath(taskTokens, request);
        await store.clearTaskState({ dag_id, run_id, task_id, map_index });
        return noContent(response);
      },
    },
    "/store/ti/:ti_id/:key": {
      async get(request) {
        const address = addressOf(request);
        const value = await store.getTaskState(address);
        if (value === undefined)
          throw new ExecutionError(404, "not_found", `Task state with key '${address.key}' not found`);
        return { value };
      },
      async put(request, response) {
        const address = addressOf(request);
        const { value, expires_at } = parseBody(taskStateRequest, request);
        await store.setTaskState(address, value as JsonValue, instantOf(expires_at));
        return noContent(response);
      },
      async delete(request, response) {
        await store.deleteTaskState(addressOf(request));
        return noContent(response);
      },
    },
  };
}

function xcomAddressOf(request: Request): XComAddress {
  return {
    dag_id: pathPart(request, "dag_id"),
    run_id: pathPart(request, "run_id"),
    task_id: pathPart(request, "task_id"),
    map_index: readXComQuery(request).map_index,
    key: pathPart(request, "key"),
  };
}

function assertMappable(mappedLength: number, maxMapLength: number): void {
  const over = overLength(mappedLength, maxMapLength);
  if (over !== null) throw new ExecutionError(400, "unmappable_return_value_length", over);
}

function itemNotFound({ dag_id, run_id, task_id, key }: Omit<XComAddress, "map_index">, offset: string) {
  const what = `XCom with key='${key}' offset=${offset}`;
  return new ExecutionError(
    404,
    "not_found",
    `${what} not found for task '${task_id}' in DAG run '${run_id}' of '${dag_id}'`,
  );
}

function runNotFound({ dag_id, run_id }: XComAddress): ExecutionError {
  return new ExecutionError(404, "not_found", `DAG run '${run_id}' of '${dag_id}' not found`);
}

function xcomNotFound({ dag_id, run_id, task_id, map_index, key }: XComAddress): ExecutionError {
  const what = `XCom with key='${key}' map_index=${map_index}`;
  return new ExecutionError(
    404,
    "not_found",
    `${what} not found for task '${task_id}' in DAG run '${run_id}' of '${dag_id}'`,
  );
}
