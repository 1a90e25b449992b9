/** Runs: lists, trigger, patch, clear. */
import {
  ApiError,
  type BulkDagRun,
  bulkDagRunBody,
  dagRunPatchBody,
  NO_CURSORS,
  queryTexts,
  type TriggerDagRunBody,
  triggerDagRunBody,
} from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { DagRunRow, TriggerRequest } from "@updraft/metadata-store";
import type { Request, Response } from "express";
import type { z } from "zod";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { instantOf } from "../http/iso.ts";
import { noContent, pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody, queryReader } from "../http/validate.ts";
import { applyBulk } from "./bulk.ts";
import { dagRunFilterOf, readDagRunQuery } from "./dag-run-filter.ts";
import { dagOf } from "./dags.ts";
import { DAG_RUN_ORDERINGS, orderingOf } from "./ordering.ts";
import { dagRunResponseOf } from "./present-runs.ts";
import type { VersionLookup } from "./version-lookup.ts";

const readPatchQuery = queryReader({ update_mask: queryTexts });

export function dagRunRoutes(context: ApiContext, versions: VersionLookup): RouteTable {
  return { ...runCollectionRoutes(context, versions), ...oneRunRoutes(context, versions) };
}

function runCollectionRoutes(context: ApiContext, versions: VersionLookup): RouteTable {
  const { store, announcer } = context;
  return {
    "/dags/:dag_id/dagRuns": {
      async get(request) {
        const dagId = pathPart(request, "dag_id");
        const query = readDagRunQuery(request);
        const order_by = orderingOf(query.order_by, DAG_RUN_ORDERINGS, ["id"]);
        if (dagId !== "~") await dagOf(store, request);
        const page = { limit: query.limit, offset: query.offset, order_by };
        const { rows, total_entries } = await store.listDagRuns(dagRunFilterOf(query, dagId), page);
        const versionOf = await versions.of(rows);
        return { dag_runs: rows.map((run) => dagRunResponseOf(run, versionOf)), total_entries, ...NO_CURSORS };
      },
      async post(request, response) {
        const body = parseBody(triggerDagRunBody, request);
        const result = await store.triggerDagRun(triggerRequestOf(body, request, response));
        if (result.kind === "rejected")
          throw triggerErrorOf(result.reason, result.message, pathPart(request, "dag_id"));
        announcer.announce(result.announcement);
        return dagRunResponseOf(result.dag_run, await versions.of([result.dag_run]));
      },
      async patch(request, response) {
        const { actions } = parseBody(bulkDagRunBody, request);
        const dagId = pathPart(request, "dag_id");
        const addressed = (entity: BulkDagRun | string) => {
          const { dag_id, dag_run_id } = typeof entity === "string" ? { dag_run_id: entity } : entity;
          return { dag_id: dagId === "~" ? (dag_id ?? "~") : dagId, run_id: dag_run_id };
        };
        return applyBulk<BulkDagRun>(actions, {
          async update(entity, mask) {
            const address = addressed(entity);
            await patchRun(context, address, entity, { mask, response });
            return `${address.dag_id}.${address.run_id}`;
          },
          async delete(entity) {
            const address = addressed(entity);
            await deleteRun(context, address, response);
            return `${address.dag_id}.${address.run_id}`;
          },
        });
      },
    },
  };
}

interface RunAddress {
  readonly dag_id: string;
  readonly run_id: string;
}

interface Wish {
  /** Names of the fields that count; empty: all. */
  readonly mask: readonly string[];
  readonly response: Response;
}

async function patchRun(
  { store, announcer }: ApiContext,
  { dag_id, run_id }: RunAddress,
  body: Pick<z.output<typeof dagRunPatchBody>, "state" | "note">,
  { mask, response }: Wish,
): Promise<void> {
  const wanted = (field: "state" | "note") => body[field] !== undefined && (mask.length === 0 || mask.includes(field));
  const announcement = await store.patchDagRun(dag_id, run_id, {
    ...(wanted("state") && body.state ? { state: body.state } : {}),
    ...(wanted("note") ? { note: body.note ?? null } : {}),
  });
  if (announcement === null) throw new ApiError("dag_run_not_found", { dag_id, dag_run_id: run_id });
  announcer.announce(announcement);
  const extra = JSON.stringify(body);
  await store.logEvent({ event: "patch_dag_run", dag_id, run_id, task_id: null, owner: usernameOf(response), extra });
}

async function deleteRun(
  { store, announcer }: ApiContext,
  { dag_id, run_id }: RunAddress,
  response: Response,
): Promise<void> {
  const announcement = await store.deleteDagRun(dag_id, run_id);
  if (announcement === null) throw new ApiError("dag_run_not_found", { dag_id, dag_run_id: run_id });
  if (announcement === "running") throw new ApiError("dag_run_not_deletable", { dag_id, dag_run_id: run_id });
  announcer.announce(announcement);
  const owner = usernameOf(response);
  await store.logEvent({ event: "delete_dag_run", dag_id, run_id, task_id: null, owner, extra: null });
}

function oneRunRoutes(context: ApiContext, versions: VersionLookup): RouteTable {
  const { store } = context;
  async function shown(run: DagRunRow) {
    return dagRunResponseOf(run, await versions.of([run]));
  }
  return {
    "/dags/:dag_id/dagRuns/:dag_run_id": {
      get: async (request) => shown(await dagRunOf(store, request)),
      async patch(request, response) {
        const body = parseBody(dagRunPatchBody, request);
        const { dag_id, run_id } = await dagRunOf(store, request);
        await patchRun(context, { dag_id, run_id }, body, { mask: readPatchQuery(request).update_mask, response });
        return shown(await dagRunOf(store, request));
      },
      async delete(request, response) {
        const { dag_id, run_id } = await dagRunOf(store, request);
        await deleteRun(context, { dag_id, run_id }, response);
        return noContent(response);
      },
    },
  };
}

/** The run that the path names; throws `ApiError`. */
export async function dagRunOf(store: ApiContext["store"], request: Request): Promise<DagRunRow> {
  const run = await store.getDagRun(pathPart(request, "dag_id"), pathPart(request, "dag_run_id"));
  if (run === null) throw runNotFound(request);
  return run;
}

function runNotFound(request: Request): ApiError {
  const [dag_id, dag_run_id] = [pathPart(request, "dag_id"), pathPart(request, "dag_run_id")];
  return new ApiError("dag_run_not_found", { dag_id, dag_run_id });
}

type Rejection = Extract<Awaited<ReturnType<ApiContext["store"]["triggerDagRun"]>>, { kind: "rejected" }>;

/** What a refused trigger is in the words of REST v2. */
export function triggerErrorOf(reason: Rejection["reason"], message: string, dag_id: string): ApiError {
  switch (reason) {
    case "dag_not_found":
      return new ApiError("dag_to_trigger_not_found", { dag_id });
    case "already_exists":
      return new ApiError("dag_run_exists", { message });
    case "dag_has_import_errors":
      return new ApiError("dag_has_import_errors", { dag_id });
    case "bad_request":
      return new ApiError("bad_request", { message });
  }
}

function triggerRequestOf(body: TriggerDagRunBody, request: Request, response: Response): TriggerRequest {
  return {
    dag_id: pathPart(request, "dag_id"),
    run_id: body.dag_run_id ?? null,
    logical_date: instantOf(body.logical_date),
    data_interval_start: instantOf(body.data_interval_start),
    data_interval_end: instantOf(body.data_interval_end),
    run_after: instantOf(body.run_after),
    // What JSON.parse made is JSON.
    conf: (body.conf ?? {}) as Record<string, JsonValue>,
    note: body.note ?? null,
    run_type: "manual",
    triggered_by: "rest_api",
    triggering_user_name: usernameOf(response),
    partition_key: body.partition_key ?? null,
  };
}
