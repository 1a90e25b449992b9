/** Pools of slots: list, create, change, delete, one by one and in bulk. */
import {
  ApiError,
  bulkPoolBody,
  type PoolBody,
  type PoolPatchBody,
  type PoolResponse,
  pageQuery,
  poolBody,
  poolPatchBody,
  queryText,
  queryTexts,
} from "@updraft/contract";
import type { PoolRow } from "@updraft/metadata-store";
import type { Response } from "express";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { noContent, pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody, queryReader } from "../http/validate.ts";
import { applyBulk } from "./bulk.ts";
import { orderByQuery, orderingOf } from "./ordering.ts";

const readListQuery = queryReader({ ...pageQuery, ...orderByQuery, pool_name_pattern: queryText });
const readPatchQuery = queryReader({ update_mask: queryTexts });
const ORDERINGS = ["id", "name", "pool", "slots"] as const;

export function poolRoutes(context: ApiContext): RouteTable {
  const { store } = context;
  return {
    "/pools": {
      async get(request) {
        const { limit, offset, order_by, pool_name_pattern } = readListQuery(request);
        const [order = "name"] = orderingOf(order_by, ORDERINGS, ["name"]);
        const pools = (await store.listPools()).filter(({ name }) => matches(name, pool_name_pattern));
        const page = ordered(pools, order).slice(offset, offset + limit);
        return { pools: page.map(poolResponseOf), total_entries: pools.length };
      },
      async post(request, response) {
        const body = parseBody(poolBody, request);
        await create(context, body, { overwrite: false, response });
        response.status(201);
        return poolResponseOf(await poolNamed(context, body.name));
      },
      async patch(request, response) {
        const { actions } = parseBody(bulkPoolBody, request);
        return applyBulk<PoolBody>(actions, {
          async create(entity, overwrite) {
            await create(context, entity, { overwrite, response });
            return entity.name;
          },
          async update({ name, ...patch }, mask) {
            await change(context, name, patch, { mask, response });
            return name;
          },
          async delete(entity) {
            const name = typeof entity === "string" ? entity : entity.name;
            await remove(context, name, response);
            return name;
          },
        });
      },
    },
    "/pools/:pool_name": {
      get: async (request) => poolResponseOf(await poolNamed(context, pathPart(request, "pool_name"))),
      async patch(request, response) {
        const name = pathPart(request, "pool_name");
        const { pool, ...patch } = parseBody(poolPatchBody, request);
        if (pool !== undefined && pool !== null && pool !== name)
          throw new ApiError("bad_request", {
            message: "Invalid body, pool name from request body doesn't match uri parameter",
          });
        await change(context, name, patch, { mask: readPatchQuery(request).update_mask, response });
        return poolResponseOf(await poolNamed(context, name));
      },
      async delete(request, response) {
        await remove(context, pathPart(request, "pool_name"), response);
        return noContent(response);
      },
    },
  };
}

async function poolNamed({ store }: ApiContext, pool_name: string): Promise<PoolRow> {
  const pool = (await store.listPools()).find(({ name }) => name === pool_name);
  if (pool === undefined) throw new ApiError("pool_not_found", { pool_name });
  return pool;
}

async function create(
  context: ApiContext,
  { name, slots, description, include_deferred }: PoolBody,
  { overwrite, response }: { readonly overwrite: boolean; readonly response: Response },
): Promise<void> {
  const pool = { name, slots, description: description ?? null, include_deferred };
  const announcement = await context.store.savePool(pool, overwrite ? "upsert" : "create");
  if (announcement === null) throw new ApiError("pool_exists", { pool_name: name });
  context.announcer.announce(announcement);
  await log(context, "post_pool", name, response);
}

async function change(
  context: ApiContext,
  name: string,
  patch: Omit<PoolPatchBody, "pool">,
  { mask, response }: { readonly mask: readonly string[]; readonly response: Response },
): Promise<void> {
  const pool = await poolNamed(context, name);
  const wanted = <T>(field: keyof typeof patch, given: T | null | undefined, current: T): T =>
    given === undefined || given === null || (mask.length > 0 && !mask.includes(field)) ? current : given;
  // The default pool keeps what tasks rely on: only its size and whether deferred tasks count may change.
  const announcement = await context.store.savePool(
    {
      name,
      slots: wanted("slots", patch.slots, pool.slots),
      description: wanted("description", patch.description, pool.description),
      include_deferred: wanted("include_deferred", patch.include_deferred, pool.include_deferred),
    },
    "update",
  );
  if (announcement === null) throw new ApiError("pool_not_found", { pool_name: name });
  context.announcer.announce(announcement);
  await log(context, "patch_pool", name, response);
}

async function remove(context: ApiContext, name: string, response: Response): Promise<void> {
  const result = await context.store.deletePool(name);
  if (result === "default") throw new ApiError("bad_request", { message: "Default Pool can't be deleted" });
  if (result === "not_found") throw new ApiError("pool_not_found", { pool_name: name });
  await log(context, "delete_pool", name, response);
}

function log({ store }: ApiContext, event: string, name: string, response: Response): Promise<void> {
  const extra = JSON.stringify({ pool: name });
  return store.logEvent({ event, dag_id: null, run_id: null, task_id: null, owner: usernameOf(response), extra });
}

function poolResponseOf(pool: PoolRow): PoolResponse {
  const { name, slots, description, include_deferred, occupied, queued, scheduled, deferred } = pool;
  return {
    ...{ name, slots, description, include_deferred },
    occupied_slots: occupied,
    running_slots: Math.max(0, occupied - queued - (include_deferred ? deferred : 0)),
    queued_slots: queued,
    scheduled_slots: scheduled,
    // JSON knows no infinity; a pool without limit says -1, as its size does.
    open_slots: slots < 0 ? -1 : slots - occupied,
    deferred_slots: deferred,
    team_name: null,
  };
}

/** Anywhere in the name, without case; `%` and `_` are wildcards. */
function matches(name: string, pattern: string | undefined): boolean {
  if (pattern === undefined || pattern === "" || pattern === "~") return true;
  const source = pattern
    .replaceAll(/[.*+?^${}()[\]\\]/g, "\\$&")
    .replaceAll("%", ".*")
    .replaceAll("_", ".");
  return new RegExp(source, "i").test(name);
}

function ordered(pools: readonly PoolRow[], order: string): PoolRow[] {
  const sign = order.startsWith("-") ? -1 : 1;
  const bySlots = order.endsWith("slots");
  return pools.toSorted((one, other) => {
    const difference = bySlots ? one.slots - other.slots : 0;
    return sign * (difference || (one.name < other.name ? -1 : 1));
  });
}
