/** The private UI API: the shell, the DAG list, dashboards, and what is ours (skipped ticks, services). */
import { z } from "zod";
import { dagResponse } from "../rest/dag.ts";
import { collectionOf, dagRunState, json, jsonObject, wireInstant, wireInstantOrNull } from "../wire.ts";

export const uiConfigResponse = z.strictObject({
  fallback_page_limit: z.int(),
  /** Seconds between polls while the event stream is down. */
  auto_refresh_interval: z.int(),
  hide_paused_dags_by_default: z.boolean(),
  instance_name: z.string(),
  enable_swagger_ui: z.boolean(),
  require_confirmation_dag_change: z.boolean(),
  default_wrap: z.boolean(),
  test_connection: z.string(),
  dashboard_alert: z.array(json),
  show_external_log_redirect: z.boolean(),
  external_log_name: z.string().nullable(),
  theme: jsonObject.nullable(),
  multi_team: z.boolean(),
  rerun_with_latest_version: z.boolean().nullable(),
});

export const authenticatedMeResponse = z.strictObject({ id: z.string(), username: z.string() });

export const MENU_ITEMS = ["Audit Log", "Dags", "Docs", "Jobs", "Pools", "XComs"] as const;
export const menuItemsResponse = z.strictObject({
  authorized_menu_items: z.array(z.enum(MENU_ITEMS)),
  extra_menu_items: z.array(z.strictObject({ text: z.string(), href: z.string() })),
});

export const dagRunLightResponse = z.strictObject({
  id: z.int(),
  dag_id: z.string(),
  run_id: z.string(),
  logical_date: wireInstantOrNull,
  run_after: wireInstant,
  start_date: wireInstantOrNull,
  end_date: wireInstantOrNull,
  state: dagRunState,
  /** Seconds. */
  duration: z.number().nullable(),
});
export type DagRunLightResponse = z.infer<typeof dagRunLightResponse>;

export const dagWithLatestDagRunsResponse = dagResponse.extend({
  asset_expression: jsonObject.nullable(),
  latest_dag_runs: z.array(dagRunLightResponse),
  pending_actions: z.array(json),
  is_favorite: z.boolean(),
});
export type DagWithLatestDagRunsResponse = z.infer<typeof dagWithLatestDagRunsResponse>;
export const uiDagsResponse = collectionOf("dags", dagWithLatestDagRunsResponse);

export const dashboardDagStatsResponse = z.strictObject({
  active_dag_count: z.int(),
  failed_dag_count: z.int(),
  running_dag_count: z.int(),
  queued_dag_count: z.int(),
});

/** Ticks that became no run, neighbours with one cause as one row, newest first. */
export const skippedTicksResponse = z.strictObject({
  dag_id: z.string(),
  skipped_ticks: z.array(
    z.strictObject({
      first_tick: wireInstant,
      last_tick: wireInstant,
      count: z.int().positive(),
      cause: z.string(),
      recorded_at: wireInstant,
    }),
  ),
  total_entries: z.int().nonnegative(),
});

/** A server beside the product (Kafka, Cassandra ...) and how far its start is. */
export const serviceState = z.strictObject({
  name: z.string(),
  state: z.enum(["starting", "ready", "external", "failed", "stopped"]),
  /** What it does or why it failed, for people. */
  detail: z.string().nullable(),
});
export type ServiceState = z.infer<typeof serviceState>;
export const servicesResponse = z.strictObject({ services: z.array(serviceState) });
