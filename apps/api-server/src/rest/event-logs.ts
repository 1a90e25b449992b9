/** The audit log: who did what. */
import {
  ApiError,
  type EventLogResponse,
  pageQuery,
  queryInstant,
  queryInteger,
  queryText,
  queryTexts,
} from "@updraft/contract";
import type { EventLogRow } from "@updraft/metadata-store";
import type { ApiContext } from "../context.ts";
import { iso } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parsePath, queryReader } from "../http/validate.ts";
import { orderByQuery, orderingOf } from "./ordering.ts";

const ORDERINGS = ["id", "dttm", "when", "dag_id", "task_id", "run_id", "event", "owner", "extra"] as const;
const readQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  dag_id: queryText,
  task_id: queryText,
  run_id: queryText,
  owner: queryText,
  event: queryText,
  excluded_events: queryTexts,
  included_events: queryTexts,
  before: queryInstant.optional(),
  after: queryInstant.optional(),
  dag_id_pattern: queryText,
  task_id_pattern: queryText,
  run_id_pattern: queryText,
  owner_pattern: queryText,
  event_pattern: queryText,
});

export function eventLogRoutes({ store }: ApiContext): RouteTable {
  return {
    "/eventLogs": {
      async get(request) {
        const { limit, offset, order_by, before, after, excluded_events, ...filter } = readQuery(request);
        const { rows, total_entries } = await store.listEventLogs(
          {
            ...filter,
            excluded_events: excluded_events.length === 0 ? undefined : excluded_events,
            when: { lte: before, gte: after },
          },
          { limit, offset, order_by: orderingOf(order_by, ORDERINGS, ["id"]) },
        );
        return { event_logs: rows.map(eventLogResponseOf), total_entries };
      },
    },
    "/eventLogs/:event_log_id": {
      async get(request) {
        const event_log_id = parsePath(queryInteger(), "event_log_id", pathPart(request, "event_log_id"));
        const page = { limit: 1, offset: 0, order_by: [] };
        const [row] = (await store.listEventLogs({ event_log_id }, page)).rows;
        if (row === undefined) throw new ApiError("event_log_not_found", { event_log_id });
        return eventLogResponseOf(row);
      },
    },
  };
}

function eventLogResponseOf(row: EventLogRow): EventLogResponse {
  const { when, logical_date, ...rest } = row;
  return {
    ...rest,
    when: iso(when),
    logical_date: iso(logical_date),
    map_index: null,
    try_number: null,
    task_display_name: row.task_id,
  };
}
