/** The installation itself: pools, jobs, import errors. */
import { ApiError, type PoolResponse, pageQuery, queryBoolean, queryInteger, queryText } from "@updraft/contract";
import type { ApiContext } from "../context.ts";
import { iso } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parsePath, queryReader } from "../http/validate.ts";
import { IMPORT_ERROR_ORDERINGS, JOB_ORDERINGS, orderByQuery, orderingOf } from "./ordering.ts";
import { jobResponseOf } from "./present-runs.ts";

const readPageQuery = queryReader(pageQuery);
const readImportErrorsQuery = queryReader({ ...pageQuery, ...orderByQuery, filename_pattern: queryText });
const readJobsQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  job_type: queryText,
  is_alive: queryBoolean.optional(),
});

export function installationRoutes(context: ApiContext): RouteTable {
  return { ...poolRoutes(context), ...importErrorRoutes(context), ...jobRoutes(context) };
}

function poolRoutes({ store }: ApiContext): RouteTable {
  type Pool = Awaited<ReturnType<typeof store.listPools>>[number];

  /** Counted by instance: nearly every task takes one slot. */
  async function countOf(pool: Pool, state: "queued" | "scheduled"): Promise<number> {
    const filter = { pools: [pool.name], states: [state] };
    return (await store.listTaskInstances(filter, { limit: 0, offset: 0, order_by: [] })).total_entries;
  }

  async function shown(pool: Pool): Promise<PoolResponse> {
    const [queued, scheduled] = await Promise.all([countOf(pool, "queued"), countOf(pool, "scheduled")]);
    const queued_slots = Math.min(queued, pool.occupied);
    return {
      name: pool.name,
      slots: pool.slots,
      description: pool.description,
      include_deferred: false,
      occupied_slots: pool.occupied,
      running_slots: pool.occupied - queued_slots,
      queued_slots,
      scheduled_slots: scheduled,
      open_slots: pool.slots - pool.occupied,
      deferred_slots: 0,
      team_name: null,
    };
  }

  return {
    "/pools": {
      async get(request) {
        const { limit, offset } = readPageQuery(request);
        const pools = await store.listPools();
        const page = pools.slice(offset, offset + limit);
        return { pools: await Promise.all(page.map(shown)), total_entries: pools.length };
      },
    },
    "/pools/:pool_name": {
      async get(request) {
        const pool_name = pathPart(request, "pool_name");
        const pool = (await store.listPools()).find(({ name }) => name === pool_name);
        if (pool === undefined) throw new ApiError("pool_not_found", { pool_name });
        return shown(pool);
      },
    },
  };
}

function importErrorRoutes({ store }: ApiContext): RouteTable {
  return {
    "/importErrors": {
      async get(request) {
        const { limit, offset, order_by, filename_pattern } = readImportErrorsQuery(request);
        const page = { limit, offset, order_by: orderingOf(order_by, IMPORT_ERROR_ORDERINGS, ["id"]) };
        const { rows, total_entries } = await store.listImportErrors(filename_pattern ?? null, page);
        return { import_errors: rows.map((row) => ({ ...row, timestamp: iso(row.timestamp) })), total_entries };
      },
    },
    "/importErrors/:import_error_id": {
      async get(request) {
        const import_error_id = parsePath(queryInteger(), "import_error_id", pathPart(request, "import_error_id"));
        const row = await store.getImportError(import_error_id);
        if (row === null) throw new ApiError("import_error_not_found", { import_error_id });
        return { ...row, timestamp: iso(row.timestamp) };
      },
    },
  };
}

function jobRoutes({ store }: ApiContext): RouteTable {
  return {
    "/jobs": {
      async get(request) {
        const { limit, offset, order_by, job_type, is_alive } = readJobsQuery(request);
        const page = { limit, offset, order_by: orderingOf(order_by, JOB_ORDERINGS, ["id"]) };
        const filter = {
          ...(job_type === undefined ? {} : { job_type }),
          ...(is_alive === undefined ? {} : { is_alive }),
        };
        const { rows, total_entries } = await store.listJobs(filter, page);
        return { jobs: rows.map(jobResponseOf), total_entries };
      },
    },
  };
}
