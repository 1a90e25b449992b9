/** The installation itself: pools, jobs, the audit log, import errors. */
import { ApiError, pageQuery, queryBoolean, queryInteger, queryText } from "@updraft/contract";
import type { ApiContext } from "../context.ts";
import { iso } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parsePath, queryReader } from "../http/validate.ts";
import { eventLogRoutes } from "./event-logs.ts";
import { IMPORT_ERROR_ORDERINGS, JOB_ORDERINGS, orderByQuery, orderingOf } from "./ordering.ts";
import { poolRoutes } from "./pools.ts";
import { jobResponseOf } from "./present-runs.ts";

const readImportErrorsQuery = queryReader({ ...pageQuery, ...orderByQuery, filename_pattern: queryText });
const readJobsQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  job_type: queryText,
  is_alive: queryBoolean.optional(),
});

export function installationRoutes(context: ApiContext): RouteTable {
  return { ...poolRoutes(context), ...eventLogRoutes(context), ...importErrorRoutes(context), ...jobRoutes(context) };
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
