/** `/ui`: what the pages need beside REST v2, and the live events. */
import { Router } from "express";
import { authenticate } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { createBroadcast } from "../events/broadcast.ts";
import { addRoutes } from "../http/routes.ts";
import { openSse } from "../http/sse.ts";
import { backfillPageRoutes } from "../rest/backfills.ts";
import type { VersionLookup } from "../rest/version-lookup.ts";
import type { LogViews } from "../task-logs/log-view.ts";
import { uiLogRoutes } from "../task-logs/ui-routes.ts";
import { assetRoutes } from "./assets.ts";
import { deadlineRoutes } from "./deadlines.ts";
import { drainRoutes } from "./drain.ts";
import { gridRoutes } from "./grid.ts";
import { pageRoutes } from "./pages.ts";

export function uiRouter(context: ApiContext, versions: VersionLookup, views: LogViews): Router {
  const router = Router();
  const broadcast = createBroadcast(context.events, context.stopping);
  router.use(authenticate(context.userTokens));
  addRoutes(router, {
    "/events": {
      get: (request, response) => broadcast.add(openSse(request, response, context.stopping)),
    },
  });
  addRoutes(router, pageRoutes(context));
  addRoutes(router, assetRoutes(context));
  addRoutes(router, backfillPageRoutes(context));
  addRoutes(router, deadlineRoutes(context));
  addRoutes(router, drainRoutes(context));
  addRoutes(router, gridRoutes(context, versions));
  addRoutes(router, uiLogRoutes(context, views));
  return router;
}
