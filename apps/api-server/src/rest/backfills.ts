/** Backfills: start, dry run, pause, cancel, lists for REST and UI. */
import {
  ApiError,
  type BackfillPostBody,
  type BackfillResponse,
  backfillPostBody,
  pageQuery,
  queryBoolean,
  queryInteger,
  queryText,
} from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { BackfillChange, BackfillRejection, BackfillRequest, BackfillRow } from "@updraft/metadata-store";
import type { Request, Response } from "express";
import { z } from "zod";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { iso } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody, parsePath, queryReader } from "../http/validate.ts";
import { orderByQuery, orderingOf } from "./ordering.ts";

const ORDERINGS = ["id"];
const readRestQuery = queryReader({ ...pageQuery, ...orderByQuery, dag_id: z.string() });
const readUiQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  dag_id: queryText,
  active: queryBoolean.optional(),
});

export function backfillRoutes({ store, announcer }: ApiContext): RouteTable {
  async function log(event: string, dag_id: string, response: Response, extra: unknown): Promise<void> {
    const owner = usernameOf(response);
    await store.logEvent({ event, dag_id, run_id: null, task_id: null, owner, extra: JSON.stringify(extra) });
  }

  function changing(event: string, change: (id: number) => Promise<BackfillChange>) {
    return {
      async put(request: Request, response: Response): Promise<BackfillResponse> {
        const id = idOf(request);
        const changed = await change(id);
        if (changed.kind === "rejected") throw new ApiError(`backfill_${changed.reason}`, { backfill_id: id });
        announcer.announce(changed.announcement);
        await log(event, changed.backfill.dag_id, response, { backfill_id: id });
        return backfillResponseOf(changed.backfill);
      },
    };
  }

  return {
    "/backfills": {
      async get(request) {
        const { dag_id, limit, offset, order_by } = readRestQuery(request);
        const page = { limit, offset, order_by: orderingOf(order_by, ORDERINGS, ["id"]) };
        const { rows, total_entries } = await store.listBackfills({ dag_id }, page);
        return { backfills: rows.map(backfillResponseOf), total_entries };
      },
      async post(request, response) {
        const body = parseBody(backfillPostBody, request);
        const result = await store.createBackfill(requestOf(body, response));
        if (result.kind === "rejected") throw errorOf(result);
        announcer.announce(result.announcement);
        await log("create_backfill", body.dag_id, response, request.body);
        return backfillResponseOf(result.backfill);
      },
    },
    "/backfills/dry_run": {
      async post(request, response) {
        const result = await store.dryRunBackfill(requestOf(parseBody(backfillPostBody, request), response));
        if (result.kind === "rejected") throw errorOf(result);
        const backfills = result.logical_dates.map((date) => ({
          logical_date: iso(date),
          partition_key: null,
          partition_date: null,
        }));
        return { backfills, total_entries: backfills.length };
      },
    },
    "/backfills/:backfill_id": {
      async get(request) {
        const backfill = await store.getBackfill(idOf(request));
        if (backfill === null) throw new ApiError("backfill_unknown");
        return backfillResponseOf(backfill);
      },
    },
    "/backfills/:backfill_id/pause": changing("pause_backfill", (id) => store.pauseBackfill(id, true)),
    "/backfills/:backfill_id/unpause": changing("unpause_backfill", (id) => store.pauseBackfill(id, false)),
    "/backfills/:backfill_id/cancel": changing("cancel_backfill", (id) => store.cancelBackfill(id)),
  };
}

/** The list of the private UI API, over all DAGs. */
export function backfillPageRoutes({ store }: ApiContext): RouteTable {
  return {
    "/backfills": {
      async get(request) {
        const { dag_id, active, limit, offset, order_by } = readUiQuery(request);
        const page = { limit, offset, order_by: orderingOf(order_by, ORDERINGS, ["id"]) };
        const { rows, total_entries } = await store.listBackfills({ dag_id, active }, page);
        return { backfills: rows.map(backfillResponseOf), total_entries };
      },
    },
  };
}

function idOf(request: Request): number {
  return parsePath(queryInteger(0), "backfill_id", pathPart(request, "backfill_id"));
}

function requestOf(body: BackfillPostBody, response: Response): BackfillRequest {
  return {
    ...body,
    // What JSON.parse made is JSON.
    dag_run_conf: (body.dag_run_conf ?? null) as Record<string, JsonValue> | null,
    run_on_latest_version: body.run_on_latest_version ?? null,
    triggering_user_name: usernameOf(response),
  };
}

function errorOf({ reason, message }: BackfillRejection): ApiError {
  switch (reason) {
    case "dag_not_found":
      return new ApiError("backfill_dag_not_found", { message });
    case "already_running":
      return new ApiError("backfill_running", { message });
    case "run_type_not_allowed":
      return new ApiError("bad_request", { message });
    case "invalid":
      return new ApiError("backfill_invalid", { message });
  }
}

function backfillResponseOf(row: BackfillRow): BackfillResponse {
  const { from_date, to_date, created_at, completed_at, updated_at } = row;
  return {
    ...row,
    from_date: iso(from_date),
    to_date: iso(to_date),
    created_at: iso(created_at),
    completed_at: iso(completed_at),
    updated_at: iso(updated_at),
  };
}
