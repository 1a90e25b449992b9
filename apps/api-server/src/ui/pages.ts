/** What the pages of the UI ask for beside REST v2: the shell, the DAG list, skipped ticks, servers. */
import {
  type DagRunLightResponse,
  type DagWithLatestDagRunsResponse,
  FALLBACK_PAGE_LIMIT,
  MENU_ITEMS,
  pageQuery,
  queryInteger,
} from "@updraft/contract";
import type { DagRow, DagRunRow } from "@updraft/metadata-store";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { iso, secondsBetween } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { queryReader } from "../http/validate.ts";
import { dagFilterOf, dagFilterQuery, dagOf } from "../rest/dags.ts";
import { DAG_ORDERINGS, orderByQuery, orderingOf } from "../rest/ordering.ts";
import { dagResponseOf } from "../rest/present-dag.ts";

const MOST_RUNS_PER_DAG = 50;
const RUNS_PER_DAG = 10;
/** Seconds between polls while the event stream is down. */
const REFRESH_SECONDS = 3;

const readDagsQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  ...dagFilterQuery,
  dag_runs_limit: queryInteger(0)
    .transform((limit) => Math.min(limit, MOST_RUNS_PER_DAG))
    .default(RUNS_PER_DAG),
});
const readPageQuery = queryReader(pageQuery);

export function pageRoutes(context: ApiContext): RouteTable {
  const { store, services } = context;
  return {
    ...shellRoutes(),
    "/dags": {
      async get(request) {
        const { limit, offset, order_by, dag_runs_limit, ...filter } = readDagsQuery(request);
        const order = orderingOf(order_by, DAG_ORDERINGS, ["dag_display_name"]);
        const page = { limit, offset, order_by: order };
        const { rows, total_entries } = await store.listDags(dagFilterOf(filter), page);
        const runs = await store.latestDagRuns(
          rows.map(({ dag_id }) => dag_id),
          dag_runs_limit,
        );
        const byDag = Map.groupBy(runs, ({ dag_id }) => dag_id);
        return { dags: rows.map((dag) => dagWithRunsOf(dag, byDag.get(dag.dag_id) ?? [])), total_entries };
      },
    },
    "/dags/:dag_id/latest_run": {
      async get(request) {
        await dagOf(store, request);
        const [run] = await store.latestDagRuns([pathPart(request, "dag_id")], 1);
        return run === undefined ? null : lightRunOf(run);
      },
    },
    "/dags/:dag_id/skipped_ticks": {
      async get(request) {
        const { limit, offset } = readPageQuery(request);
        const { row } = await dagOf(store, request);
        const { rows, total_entries } = await store.skippedTicks(row.dag_id, { limit, offset, order_by: [] });
        const skipped_ticks = rows.map(({ first_tick, last_tick, count, cause, recorded_at }) => ({
          first_tick: iso(first_tick),
          last_tick: iso(last_tick),
          count,
          cause,
          recorded_at: iso(recorded_at),
        }));
        return { dag_id: row.dag_id, skipped_ticks, total_entries };
      },
    },
    "/services": { get: () => ({ services: services() }) },
    "/dashboard/dag_stats": {
      async get() {
        const { active, failed, running, queued } = await store.dashboardStats();
        return {
          active_dag_count: active,
          failed_dag_count: failed,
          running_dag_count: running,
          queued_dag_count: queued,
        };
      },
    },
  };
}

function shellRoutes(): RouteTable {
  return {
    "/config": {
      get: () => ({
        fallback_page_limit: FALLBACK_PAGE_LIMIT,
        auto_refresh_interval: REFRESH_SECONDS,
        hide_paused_dags_by_default: false,
        instance_name: "Updraft",
        enable_swagger_ui: false,
        require_confirmation_dag_change: false,
        default_wrap: false,
        test_connection: "Disabled",
        dashboard_alert: [],
        show_external_log_redirect: false,
        external_log_name: null,
        theme: null,
        multi_team: false,
        rerun_with_latest_version: null,
      }),
    },
    "/auth/me": {
      get: (_request, response) => ({ id: usernameOf(response), username: usernameOf(response) }),
    },
    "/auth/menus": {
      // The audit log is written, but there is no list of it yet.
      get: () => ({
        authorized_menu_items: MENU_ITEMS.filter((item) => item !== "Audit Log"),
        extra_menu_items: [],
      }),
    },
  };
}

function dagWithRunsOf(
  dag: DagRow,
  runs: readonly (DagRunRow & { readonly id: number })[],
): DagWithLatestDagRunsResponse {
  return {
    ...dagResponseOf(dag),
    asset_expression: null,
    latest_dag_runs: runs.map(lightRunOf),
    pending_actions: [],
    is_favorite: false,
  };
}

function lightRunOf(run: DagRunRow & { readonly id: number }): DagRunLightResponse {
  return {
    id: run.id,
    dag_id: run.dag_id,
    run_id: run.run_id,
    logical_date: iso(run.logical_date),
    run_after: iso(run.run_after),
    start_date: iso(run.start_date),
    end_date: iso(run.end_date),
    state: run.state,
    duration: secondsBetween(run.start_date, run.end_date),
  };
}
