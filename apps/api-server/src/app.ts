/** Puts the routers together. The Task Execution API comes first: it is asked most often and needs nothing of the rest. */
import { ApiError } from "@updraft/contract";
import express, { type Express } from "express";
import { authRouter } from "./auth/routes.ts";
import type { ApiContext } from "./context.ts";
import { executionRouter } from "./execution/router.ts";
import { errorHandler } from "./http/error-handler.ts";
import { jsonBody, neverCached, requestIds, securityHeaders } from "./http/middleware.ts";
import { requestMetrics } from "./http/request-metrics.ts";
import { restRouter } from "./rest/router.ts";
import { createVersionLookup } from "./rest/version-lookup.ts";
import { createLogViews } from "./task-logs/log-view.ts";
import { metricsHandler } from "./ui/metrics.ts";
import { uiRouter } from "./ui/router.ts";
import { staticFiles } from "./ui/static-files.ts";

const LOGIN_BODY_BYTES = 16 * 1024;

export function createApp(context: ApiContext): Express {
  const app = express();
  app.disable("x-powered-by").disable("etag").set("query parser", false);
  const versions = createVersionLookup(context.store, context.clock);
  const views = createLogViews(context.logs);

  app.use(requestIds(context.ids), requestMetrics(context.metrics));
  app.use("/execution", executionRouter(context), notFound);
  app.use(securityHeaders, neverCached);
  app.use("/auth", ...jsonBody(LOGIN_BODY_BYTES), authRouter(context), notFound);
  app.use("/api/v2", restRouter(context, versions, views), notFound);
  app.use("/api", notFound);
  app.use("/ui", uiRouter(context, versions, views), notFound);
  app.get("/metrics", metricsHandler(context));
  app.use(staticFiles(), notFound);
  app.use(errorHandler(context.logger));
  return app;
}

function notFound(): never {
  throw new ApiError("route_not_found");
}
