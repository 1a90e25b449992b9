/** What workers need beside their tries: artefacts, a way to say that they live, and whether this server does. */
import { workerReport } from "@updraft/contract";
import type { ApiContext } from "../context.ts";
import { noContent, pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody } from "../http/validate.ts";
import { ExecutionError } from "./execution-error.ts";
import { assertShared, callingTry } from "./task-token-auth.ts";

export function workerRoutes({ store, taskTokens, config }: ApiContext): RouteTable {
  return {
    "/health": { get: () => ({ status: "healthy" }) },
    "/artefacts/:hash": {
      async get(request, response) {
        callingTry(taskTokens, request, ["workload", "execution"]);
        const hash = pathPart(request, "hash");
        const text = await store.artefact(hash);
        if (text === null) throw new ExecutionError(404, "not_found", `The artefact ${hash} was not found`);
        response.setHeader("cache-control", "private, max-age=31536000, immutable");
        response.type("text/javascript").send(text);
      },
    },
    "/workers/:name": {
      async put(request, response) {
        assertShared(config.workerToken, request);
        const { log_server_url, ...report } = parseBody(workerReport, request);
        const name = pathPart(request, "name");
        await store.reportJob({ ...report, name, job_type: "WorkerJob", log_server_url: log_server_url ?? null });
        return noContent(response);
      },
    },
  };
}
