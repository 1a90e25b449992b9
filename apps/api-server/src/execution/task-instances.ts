/** The life of a try as its worker reports it: claimed, alive, over. The first and the last call are the hot path. */
import {
  heartbeatRequest,
  queryInteger,
  type RunResponse,
  runRequest,
  type StateReport,
  skipDownstreamRequest,
  stateRequest,
} from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { ClaimedTry, TryOutcome } from "@updraft/metadata-store";
import type { ApiContext } from "../context.ts";
import { instantOf, iso } from "../http/iso.ts";
import { noContent, type RouteTable } from "../http/routes.ts";
import { parseBody, queryReader } from "../http/validate.ts";
import { assetProfileOf, outletEventOf } from "./asset-wire.ts";
import { executionDagRunOf } from "./dag-run-wire.ts";
import { ExecutionError } from "./execution-error.ts";
import { callingTryOfPath, REFRESHED_TOKEN_HEADER, renewToken } from "./task-token-auth.ts";

const readRescheduleQuery = queryReader({ try_number: queryInteger(0).optional() });

export function taskInstanceRoutes({ store, announcer, taskTokens, clock }: ApiContext): RouteTable {
  return {
    "/task-instances/:ti_id/run": {
      async patch(request, response) {
        const { ti_id, try_number } = callingTryOfPath(taskTokens, request, "workload");
        const { hostname, unixname, pid } = parseBody(runRequest, request);
        const result = await store.claimTry({ ti_id, try_number, hostname, unixname, pid });
        if (result.kind === "rejected") {
          throw result.reason === "not_found" ? tiNotFound() : notClaimable(result.state);
        }
        announcer.announce(result.announcement);
        response.setHeader(REFRESHED_TOKEN_HEADER, taskTokens.signExecution(result.try));
        return runResponseOf(result.try);
      },
    },
    "/task-instances/:ti_id/state": {
      async patch(request, response) {
        const { ti_id, try_number } = callingTryOfPath(taskTokens, request);
        const body = parseBody(stateRequest, request);
        const end_date = "end_date" in body ? instantOf(body.end_date) : clock.now();
        const result = await store.finishTry({
          ...{ ti_id, try_number, end_date },
          outcome: outcomeOf(body),
          rendered_map_index: "rendered_map_index" in body ? (body.rendered_map_index ?? null) : null,
        });
        if (result.kind === "rejected") {
          throw result.reason === "not_found" ? tiNotFound() : notRunning(result.state);
        }
        if (result.kind === "finished") announcer.announce(result.announcement);
        return noContent(response);
      },
    },
    "/task-instances/:ti_id/heartbeat": {
      async put(request, response) {
        const token = callingTryOfPath(taskTokens, request);
        const { hostname, pid } = parseBody(heartbeatRequest, request);
        const { ti_id, try_number } = token;
        const result = await store.heartbeat({ ti_id, try_number, hostname, pid });
        if (result === "not_found") throw tiNotFound();
        if (result === "not_running") {
          throw new ExecutionError(
            409,
            "not_running",
            "TI is no longer in the running state and task should terminate",
          );
        }
        renewToken(taskTokens, token, response);
        return noContent(response);
      },
    },
    "/task-reschedules/:ti_id/start_date": {
      async get(request, response) {
        const { ti_id, try_number } = callingTryOfPath(taskTokens, request);
        const asked = readRescheduleQuery(request).try_number ?? try_number;
        response.json(iso(await store.firstRescheduleStart(ti_id, asked)));
      },
    },
    "/task-instances/:ti_id/skip-downstream": {
      async patch(request, response) {
        const { ti_id, try_number } = callingTryOfPath(taskTokens, request);
        const { tasks } = parseBody(skipDownstreamRequest, request);
        const task_ids = tasks.map((task) => (typeof task === "string" ? task : task[0]));
        announcer.announce(await store.skipDownstream({ ti_id, try_number, task_ids }));
        return noContent(response);
      },
    },
  };
}

function tiNotFound(): ExecutionError {
  return new ExecutionError(404, "not_found", "Task Instance not found");
}

function notClaimable(state: string | null): ExecutionError {
  const message = "TI was not in a state where it could be marked as running";
  return new ExecutionError(409, "invalid_state", message, { previous_state: state });
}

function notRunning(state: string | null): ExecutionError {
  const message = "TI was not in the running state so it cannot be updated";
  return new ExecutionError(409, "invalid_state", message, { previous_state: state });
}

function runResponseOf(claimed: ClaimedTry): RunResponse {
  return {
    dag_run: executionDagRunOf(claimed.dag_run, claimed.consumed_asset_events),
    task_reschedule_count: claimed.task_reschedule_count,
    max_tries: claimed.max_tries,
    variables: [],
    connections: [],
    xcom_keys_to_clear: [],
    should_retry: claimed.should_retry,
    ...(claimed.next_method === null ? {} : resumptionOf(claimed)),
    arg_bindings: [...claimed.arg_bindings],
    ...(claimed.loop === undefined ? {} : { loop: claimed.loop }),
    updraft: {
      artefact_hash: claimed.artefact_hash,
      operator_name: claimed.operator_name,
      execution_timeout: claimed.execution_timeout,
      do_xcom_push: claimed.do_xcom_push,
      isolation: claimed.isolation,
      xcom_inputs: claimed.xcom_inputs,
      first_task_reschedule_start_date: iso(claimed.first_task_reschedule_start_date),
      inactive_assets: (claimed.inactive_assets ?? []).map(assetProfileOf),
      xcom_lists: claimed.xcom_lists,
    },
  };
}

function resumptionOf({ next_method, next_kwargs, start_date }: ClaimedTry) {
  return { next_method, next_kwargs, start_date: iso(start_date) };
}

function outcomeOf(body: StateReport): TryOutcome {
  switch (body.state) {
    case "success":
      // What JSON.parse made is JSON.
      return {
        kind: "success",
        xcoms: body.xcoms.map(({ key, value }) => ({ key, value: value as JsonValue })),
        outlet_events: body.outlet_events.map(outletEventOf),
      };
    case "up_for_retry": {
      const { retry_reason, retry_delay_seconds } = body;
      const reason = retry_reason ?? null;
      return { kind: "failed", retry: true, reason, retry_delay_seconds: retry_delay_seconds ?? null };
    }
    case "failed":
      return { kind: "failed", retry: false, reason: body.reason ?? null, retry_delay_seconds: null };
    case "skipped":
    case "removed":
      return { kind: body.state, reason: body.reason ?? null };
    case "deferred": {
      const { classpath, queue, next_method } = body;
      const timeout_seconds = body.trigger_timeout ?? null;
      const kwargs = body.trigger_kwargs as Record<string, JsonValue>;
      const next = { next_method, next_kwargs: body.next_kwargs as Record<string, JsonValue> };
      return { kind: "deferred", classpath, kwargs, queue: queue ?? null, timeout_seconds, ...next };
    }
    case "awaiting_input": {
      const next = { next_method: body.next_method, next_kwargs: body.next_kwargs as Record<string, JsonValue> };
      return { kind: "awaiting_input", timeout_seconds: body.timeout ?? null, ...next };
    }
    case "up_for_reschedule":
      return { kind: "up_for_reschedule", reschedule_date: instantOf(body.reschedule_date) };
  }
}
