/** `/execution`: the Task Execution API. Nothing here is logged per request; it is the way of every task. */
import { Router } from "express";
import type { ApiContext } from "../context.ts";
import { jsonBody } from "../http/middleware.ts";
import { addRoutes } from "../http/routes.ts";
import { assetStateRoutes } from "./asset-states.ts";
import { assetRoutes } from "./assets.ts";
import { dagRunRoutes } from "./dag-runs.ts";
import { hitlRoutes } from "./hitl.ts";
import { sharedValueRoutes } from "./shared-values.ts";
import { taskInstanceRoutes } from "./task-instances.ts";
import { triggererRoutes } from "./triggerers.ts";
import { workerRoutes } from "./workers.ts";

/** XComs ride in these bodies. */
const BODY_LIMIT_BYTES = 10 * 1024 * 1024;
const API_VERSION = "2026-06-30";

export function executionRouter(context: ApiContext): Router {
  const router = Router();
  router.use((_request, response, next) => {
    response.setHeader("airflow-api-version", API_VERSION);
    next();
  });
  router.use(...jsonBody(BODY_LIMIT_BYTES));
  addRoutes(router, taskInstanceRoutes(context));
  addRoutes(router, sharedValueRoutes(context));
  addRoutes(router, dagRunRoutes(context));
  addRoutes(router, hitlRoutes(context));
  addRoutes(router, assetRoutes(context));
  addRoutes(router, assetStateRoutes(context));
  addRoutes(router, triggererRoutes(context));
  addRoutes(router, workerRoutes(context));
  return router;
}
