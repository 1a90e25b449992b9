/** DAGs: lists, details, pausing, versions, sources, tasks, tags, statistics. */
import {
  ApiError,
  dagPatchBody,
  pageQuery,
  queryBoolean,
  queryInteger,
  queryText,
  queryTexts,
} from "@updraft/contract";
import { DAG_RUN_STATES, type DagRunState } from "@updraft/dag-core";
import type { DagDetail, DagFilter } from "@updraft/metadata-store";
import type { Request } from "express";
import { z } from "zod";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody, parsePath, queryReader } from "../http/validate.ts";
import { DAG_ORDERINGS, DAG_VERSION_ORDERINGS, orderByQuery, orderingOf } from "./ordering.ts";
import { dagDetailsResponseOf, dagResponseOf, dagVersionResponseOf } from "./present-dag.ts";

const FALLBACK_ORDER = ["dag_id"];

export const dagFilterQuery = {
  tags: queryTexts,
  tags_match_mode: z.enum(["any", "all"]).optional(),
  owners: queryTexts,
  dag_ids: queryTexts,
  dag_id_pattern: queryText,
  dag_id_prefix_pattern: queryText,
  dag_display_name_pattern: queryText,
  exclude_stale: queryBoolean.default(true),
  paused: queryBoolean.optional(),
  has_import_errors: queryBoolean.optional(),
  last_dag_run_state: z.enum(DAG_RUN_STATES).optional(),
};

interface DagFilterQuery {
  readonly tags: readonly string[];
  readonly tags_match_mode?: "any" | "all" | undefined;
  readonly owners: readonly string[];
  readonly dag_ids: readonly string[];
  readonly dag_id_pattern?: string | undefined;
  readonly dag_id_prefix_pattern?: string | undefined;
  readonly dag_display_name_pattern?: string | undefined;
  readonly exclude_stale: boolean;
  readonly paused?: boolean | undefined;
  readonly has_import_errors?: boolean | undefined;
  readonly last_dag_run_state?: DagRunState | undefined;
}

export function dagFilterOf(query: DagFilterQuery): DagFilter {
  const { tags_match_mode, dag_id_prefix_pattern, ...filter } = query;
  return { ...filter, tags_match_all: tags_match_mode === "all", dag_id_prefix: dag_id_prefix_pattern };
}

const readListQuery = queryReader({ ...pageQuery, ...orderByQuery, ...dagFilterQuery });
const readPatchQuery = queryReader({ update_mask: queryTexts });
const readPageQuery = queryReader({ ...pageQuery, ...orderByQuery });
const readTagsQuery = queryReader({ ...pageQuery, ...orderByQuery, tag_name_pattern: queryText });
const readStatsQuery = queryReader({ dag_ids: queryTexts });
const readSourceQuery = queryReader({ version_number: queryInteger().optional() });

export function dagRoutes(context: ApiContext): RouteTable {
  return {
    ...dagListRoutes(context),
    ...oneDagRoutes(context),
    ...dagVersionRoutes(context),
    ...aboutDagsRoutes(context),
  };
}

function dagListRoutes({ store, announcer }: ApiContext): RouteTable {
  function listed(request: Request) {
    const { limit, offset, order_by, ...filter } = readListQuery(request);
    const order = orderingOf(order_by, DAG_ORDERINGS, FALLBACK_ORDER);
    return store.listDags(dagFilterOf(filter), { limit, offset, order_by: order });
  }
  return {
    "/dags": {
      async get(request) {
        const { rows, total_entries } = await listed(request);
        return { dags: rows.map(dagResponseOf), total_entries };
      },
      async patch(request) {
        assertOnlyPaused(request);
        const { is_paused } = parseBody(dagPatchBody, request);
        const { rows, total_entries } = await listed(request);
        for (const { dag_id } of rows) {
          const announcement = await store.setDagPaused(dag_id, is_paused);
          if (announcement !== null) announcer.announce(announcement);
        }
        return { dags: rows.map((row) => dagResponseOf({ ...row, is_paused })), total_entries };
      },
    },
  };
}

function oneDagRoutes({ store, announcer }: ApiContext): RouteTable {
  return {
    "/dags/:dag_id": {
      get: async (request) => dagResponseOf((await dagOf(store, request)).row),
      async patch(request, response) {
        assertOnlyPaused(request);
        const dag_id = pathPart(request, "dag_id");
        const { is_paused } = parseBody(dagPatchBody, request);
        const announcement = await store.setDagPaused(dag_id, is_paused);
        if (announcement === null) throw new ApiError("dag_to_patch_not_found", { dag_id });
        announcer.announce(announcement);
        const extra = JSON.stringify({ is_paused });
        await store.logEvent({
          event: "patch_dag",
          dag_id,
          run_id: null,
          task_id: null,
          owner: usernameOf(response),
          extra,
        });
        return dagResponseOf((await dagOf(store, request)).row);
      },
    },
    "/dags/:dag_id/details": { get: async (request) => dagDetailsResponseOf(await dagOf(store, request)) },
  };
}

function dagVersionRoutes({ store }: ApiContext): RouteTable {
  return {
    "/dags/:dag_id/dagVersions": {
      async get(request) {
        const { limit, offset, order_by } = readPageQuery(request);
        const dagId = pathPart(request, "dag_id");
        if (dagId !== "~") await dagOf(store, request);
        const order = orderingOf(order_by, DAG_VERSION_ORDERINGS, []);
        const { rows, total_entries } = await store.listDagVersions(dagId, { limit, offset, order_by: order });
        return { dag_versions: rows.map(dagVersionResponseOf), total_entries };
      },
    },
    "/dags/:dag_id/dagVersions/:version_number": {
      async get(request) {
        const dag_id = pathPart(request, "dag_id");
        const version_number = parsePath(queryInteger(), "version_number", pathPart(request, "version_number"));
        const found = await store.getDagVersion(dag_id, version_number);
        if (found === null) throw new ApiError("dag_version_not_found", { dag_id, version_number });
        return dagVersionResponseOf(found.version);
      },
    },
    "/dagSources/:dag_id": {
      async get(request, response) {
        const dag_id = pathPart(request, "dag_id");
        const wanted = readSourceQuery(request).version_number ?? null;
        const source = await store.dagSource(dag_id, wanted);
        if (source === null) throw new ApiError("dag_source_not_found", { dag_id, version_number: wanted ?? "None" });
        switch (request.accepts("application/json", "text/plain")) {
          case "application/json":
            return { dag_id, ...source };
          case "text/plain":
            response.type("text/plain").send(source.content);
            return undefined;
          default:
            throw new ApiError("not_acceptable");
        }
      },
    },
  };
}

function aboutDagsRoutes({ store }: ApiContext): RouteTable {
  return {
    "/dagTags": {
      async get(request) {
        const { limit, offset, order_by, tag_name_pattern } = readTagsQuery(request);
        const page = { limit, offset, order_by: orderingOf(order_by, ["name"], ["name"]) };
        const { rows, total_entries } = await store.listDagTags(tag_name_pattern ?? null, page);
        return { tags: rows, total_entries };
      },
    },
    "/dagStats": {
      async get(request) {
        const counted = await store.dagStats(readStatsQuery(request).dag_ids);
        const dags = counted.map(({ dag_id, dag_display_name, counts }) => ({
          dag_id,
          dag_display_name,
          stats: DAG_RUN_STATES.map((state) => ({ state, count: counts[state] })),
        }));
        return { dags, total_entries: dags.length };
      },
    },
  };
}

/** The DAG that the path names; throws `ApiError`. */
export async function dagOf(store: ApiContext["store"], request: Request): Promise<DagDetail> {
  const dag_id = pathPart(request, "dag_id");
  const dag = await store.getDag(dag_id);
  if (dag === null) throw new ApiError("dag_not_found", { dag_id });
  return dag;
}

function assertOnlyPaused(request: Request): void {
  const { update_mask } = readPatchQuery(request);
  if (update_mask.some((field) => field !== "is_paused")) throw new ApiError("only_is_paused");
}
