/** `/api/v2`: Airflow's public REST API. */
import { readFileSync } from "node:fs";
import { Router } from "express";
import { authenticate } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { jsonBody } from "../http/middleware.ts";
import { addRoutes } from "../http/routes.ts";
import type { LogViews } from "../task-logs/log-view.ts";
import { restLogRoutes } from "../task-logs/rest-routes.ts";
import { assetQueueRoutes } from "./asset-queue.ts";
import { assetStateStoreRoutes } from "./asset-states.ts";
import { assetRoutes } from "./assets.ts";
import { backfillRoutes } from "./backfills.ts";
import { dagRunBatchRoutes } from "./dag-run-batch.ts";
import { dagRunClearRoutes } from "./dag-run-clear.ts";
import { dagRunRoutes } from "./dag-runs.ts";
import { dagRoutes } from "./dags.ts";
import { healthOf } from "./health.ts";
import { hitlDetailRoutes } from "./hitl-details.ts";
import { installationRoutes } from "./installation.ts";
import { taskInstanceClearRoutes } from "./task-instance-clear.ts";
import { bulkTaskInstances, taskInstanceMarkRoutes } from "./task-instance-marks.ts";
import { taskInstanceRoutes } from "./task-instances.ts";
import { taskRoutes } from "./tasks.ts";
import type { VersionLookup } from "./version-lookup.ts";
import { xcomRoutes } from "./xcoms.ts";

const BODY_LIMIT_BYTES = 1024 * 1024;

export function restRouter(context: ApiContext, versions: VersionLookup, views: LogViews): Router {
  const router = Router();
  const version = productVersion();
  addRoutes(router, {
    "/version": { get: () => ({ version, git_version: null }) },
    "/monitor/health": { get: () => healthOf(context) },
    "/auth/login": { get: (_request, response) => response.redirect(307, "/login") },
    "/auth/logout": { get: (_request, response) => response.redirect(307, "/auth/logout") },
  });
  router.use(authenticate(context.userTokens), ...jsonBody(BODY_LIMIT_BYTES));
  addRoutes(router, backfillRoutes(context));
  addRoutes(router, dagRunBatchRoutes(context, versions));
  addRoutes(router, dagRoutes(context));
  addRoutes(router, taskRoutes(context));
  addRoutes(router, dagRunRoutes(context, versions));
  addRoutes(router, dagRunClearRoutes(context, versions));
  addRoutes(router, xcomRoutes(context));
  addRoutes(router, restLogRoutes(context, views));
  addRoutes(router, hitlDetailRoutes(context, versions));
  addRoutes(router, taskInstanceRoutes(context, versions, bulkTaskInstances(context)));
  // After what is named by words: the last path takes a map index.
  addRoutes(router, taskInstanceClearRoutes(context, versions));
  addRoutes(router, taskInstanceMarkRoutes(context, versions));
  addRoutes(router, installationRoutes(context));
  addRoutes(router, assetRoutes(context, versions));
  addRoutes(router, assetQueueRoutes(context));
  addRoutes(router, assetStateStoreRoutes(context));
  return router;
}

function productVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return String(version);
}
