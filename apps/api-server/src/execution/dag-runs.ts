/** Runs as tasks see and trigger them. */
import { triggerRunRequest } from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { DagRunRow, TriggerRequest } from "@updraft/metadata-store";
import type { Request } from "express";
import type { ApiContext } from "../context.ts";
import { instantOf, iso } from "../http/iso.ts";
import { noContent, pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody } from "../http/validate.ts";
import { clearRequestOf } from "../rest/clear-request.ts";
import { executionDagRunOf } from "./dag-run-wire.ts";
import { ExecutionError } from "./execution-error.ts";
import { callingTry } from "./task-token-auth.ts";

export function dagRunRoutes({ store, announcer, taskTokens }: ApiContext): RouteTable {
  async function runOf(request: Request): Promise<DagRunRow> {
    callingTry(taskTokens, request);
    const [dagId, runId] = [pathPart(request, "dag_id"), pathPart(request, "run_id")];
    const run = await store.getDagRun(dagId, runId);
    if (run !== null) return run;
    throw new ExecutionError(
      404,
      "not_found",
      `The DagRun with dag_id: '${dagId}' and run_id: '${runId}' was not found`,
    );
  }

  async function clearRun(dagId: string, runId: string): Promise<void> {
    const result = await store.clearTaskInstances(clearRequestOf(dagId, { run_id: runId }));
    if (result.kind === "cleared") announcer.announce(result.announcement);
  }

  async function trigger(request: TriggerRequest, resetDagRun: boolean): Promise<void> {
    const result = await store.triggerDagRun(request);
    if (result.kind === "created") return announcer.announce(result.announcement);
    const { reason, message } = result;
    switch (reason) {
      case "already_exists":
        if (resetDagRun && request.run_id !== null) return clearRun(request.dag_id, request.run_id);
        throw new ExecutionError(409, reason, message);
      case "dag_not_found":
        throw new ExecutionError(404, "not_found", message);
      case "dag_has_import_errors":
        throw new ExecutionError(400, "import_errors", message);
      case "bad_request":
        throw new ExecutionError(400, reason, message);
    }
  }

  return {
    "/dag-runs/:dag_id/:run_id": {
      get: async (request) => executionDagRunOf(await runOf(request)),
      async post(request, response) {
        callingTry(taskTokens, request);
        const body = parseBody(triggerRunRequest, request);
        await trigger(triggerRequestOf(request, body), body.reset_dag_run);
        return noContent(response);
      },
    },
    "/dag-runs/:dag_id/:run_id/state": {
      get: async (request) => ({ state: (await runOf(request)).state }),
    },
    "/dags/:dag_id": {
      async get(request) {
        callingTry(taskTokens, request);
        const dagId = pathPart(request, "dag_id");
        const dag = await store.getDag(dagId);
        if (dag === null) throw new ExecutionError(404, "not_found", `The Dag with dag_id: '${dagId}' was not found`);
        const { dag_id, is_paused, bundle_name, relative_fileloc, owners, tags, next_dagrun_logical_date } = dag.row;
        const next_dagrun = iso(next_dagrun_logical_date);
        return {
          dag_id,
          is_paused,
          bundle_name,
          bundle_version: null,
          relative_fileloc,
          owners: owners.join(", "),
          tags,
          next_dagrun,
        };
      },
    },
  };
}

function triggerRequestOf(request: Request, body: ReturnType<typeof triggerRunRequest.parse>): TriggerRequest {
  return {
    dag_id: pathPart(request, "dag_id"),
    run_id: pathPart(request, "run_id"),
    logical_date: instantOf(body.logical_date),
    data_interval_start: null,
    data_interval_end: null,
    run_after: instantOf(body.run_after),
    conf: body.conf as Record<string, JsonValue>,
    note: body.note ?? null,
    run_type: "operator_triggered",
    triggered_by: "operator",
    triggering_user_name: null,
    partition_key: body.partition_key ?? null,
  };
}
