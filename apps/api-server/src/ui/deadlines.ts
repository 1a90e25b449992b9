/** Deadlines of runs and the alerts of DAGs. `~` stands for every DAG, and for every run. */
import {
  ApiError,
  type DeadlineAlertResponse,
  type DeadlineResponse,
  instantRange,
  pageQuery,
  queryBoolean,
  queryInteger,
} from "@updraft/contract";
import type { DeadlineAlertRow, DeadlineRow } from "@updraft/metadata-store";
import type { ApiContext } from "../context.ts";
import { iso } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { queryReader } from "../http/validate.ts";
import { dagRunOf } from "../rest/dag-runs.ts";
import { orderByQuery, orderingOf } from "../rest/ordering.ts";
import { rangeOf } from "../rest/ranges.ts";

const DEADLINE_ORDERINGS = [
  "id",
  "deadline_time",
  "created_at",
  "last_updated_at",
  "missed",
  "dag_id",
  "dag_run_id",
  "alert_name",
];
const ALERT_ORDERINGS = ["id", "created_at", "name"];

const readDeadlinesQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  ...instantRange("deadline_time"),
  ...instantRange("last_updated_at"),
  missed: queryBoolean.optional(),
});
const readAlertsQuery = queryReader({ ...pageQuery, ...orderByQuery, version_number: queryInteger().optional() });

export function deadlineRoutes({ store }: ApiContext): RouteTable {
  return {
    "/dags/:dag_id/dagRuns/:dag_run_id/deadlines": {
      async get(request) {
        const { limit, offset, order_by, missed, ...ranges } = readDeadlinesQuery(request);
        const page = { limit, offset, order_by: orderingOf(order_by, DEADLINE_ORDERINGS, ["deadline_time"]) };
        const [dag_id, dag_run_id] = [named(pathPart(request, "dag_id")), named(pathPart(request, "dag_run_id"))];
        if (dag_id !== undefined && dag_run_id !== undefined) await dagRunOf(store, request);
        const deadline_time = rangeOf(ranges, "deadline_time");
        const last_updated_at = rangeOf(ranges, "last_updated_at");
        const filter = { dag_id, dag_run_id, missed, deadline_time, last_updated_at };
        const { rows, total_entries } = await store.listDeadlines(filter, page);
        return { deadlines: rows.map(deadlineResponseOf), total_entries };
      },
    },
    "/dags/:dag_id/deadlineAlerts": {
      async get(request) {
        const { limit, offset, order_by, version_number } = readAlertsQuery(request);
        const dag_id = pathPart(request, "dag_id");
        const alerts = await store.deadlineAlerts(dag_id, version_number ?? null);
        if (alerts === null) throw new ApiError("dag_not_found", { dag_id });
        const order = orderingOf(order_by, ALERT_ORDERINGS, ["created_at"]);
        const page = sorted(alerts, order).slice(offset, offset + limit);
        return { deadline_alerts: page.map(alertResponseOf), total_entries: alerts.length };
      },
    },
  };
}

function named(part: string): string | undefined {
  return part === "~" ? undefined : part;
}

/** Alerts of one version are few and of one moment, so that only their names order them. */
function sorted(alerts: readonly DeadlineAlertRow[], order: readonly string[]): readonly DeadlineAlertRow[] {
  const [first = "created_at"] = order;
  const key = first.replace(/^-/, "");
  if (key === "created_at") return alerts;
  const textOf = (alert: DeadlineAlertRow) => (key === "name" ? (alert.name ?? "") : alert.id);
  const ascending = alerts.toSorted((left, right) => (textOf(left) < textOf(right) ? -1 : 1));
  return first.startsWith("-") ? ascending.reverse() : ascending;
}

function deadlineResponseOf(row: DeadlineRow): DeadlineResponse {
  return { ...row, deadline_time: iso(row.deadline_time), created_at: iso(row.created_at) };
}

function alertResponseOf(row: DeadlineAlertRow): DeadlineAlertResponse {
  return { ...row, created_at: iso(row.created_at) };
}
