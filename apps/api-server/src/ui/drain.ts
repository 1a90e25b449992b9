/** Draining a DAG: ours, as the REST API that the UI API goes with has no words for it. */
import { ApiError } from "@updraft/contract";
import type { Request, Response } from "express";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { noContent, pathPart, type RouteTable } from "../http/routes.ts";

export function drainRoutes({ store, announcer }: ApiContext): RouteTable {
  async function drain(request: Request, response: Response, draining: boolean): Promise<undefined> {
    const dag_id = pathPart(request, "dag_id");
    const announcement = await store.setDagDraining(dag_id, draining);
    if (announcement === null) throw new ApiError("dag_not_found", { dag_id });
    announcer.announce(announcement);
    const event = draining ? "drain_dag" : "undrain_dag";
    await store.logEvent({ event, dag_id, run_id: null, task_id: null, owner: usernameOf(response), extra: null });
    return noContent(response);
  }
  return {
    "/dags/:dag_id/drain": {
      put: (request, response) => drain(request, response, true),
      delete: (request, response) => drain(request, response, false),
    },
  };
}
