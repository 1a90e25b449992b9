/** Questions that tasks ask people, as the tasks ask them. */
import { hitlDetailRequest, updateHitlDetailBody } from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { HitlDetailRow } from "@updraft/metadata-store";
import type { ApiContext } from "../context.ts";
import { iso } from "../http/iso.ts";
import type { RouteTable } from "../http/routes.ts";
import { parseBody } from "../http/validate.ts";
import { ExecutionError } from "./execution-error.ts";
import { callingTryOfPath } from "./task-token-auth.ts";

export function hitlRoutes({ store, announcer, taskTokens }: ApiContext): RouteTable {
  return {
    "/hitlDetails/:ti_id": {
      async post(request, response) {
        const { ti_id } = callingTryOfPath(taskTokens, request);
        const question = parseBody(hitlDetailRequest, request);
        await store.askPeople(ti_id, {
          ...question,
          body: question.body ?? null,
          defaults: question.defaults ?? null,
          params: question.params as Record<string, JsonValue>,
        });
        response.status(201);
        return { ...question, ti_id };
      },
      async patch(request) {
        const { ti_id } = callingTryOfPath(taskTokens, request);
        const { chosen_options, params_input } = parseBody(updateHitlDetailBody, request);
        const input = params_input as Record<string, JsonValue>;
        const result = await store.respond(ti_id, { user: null, chosen_options, params_input: input });
        if (result.kind === "responded") {
          announcer.announce(result.announcement);
          return answerOf(result.detail);
        }
        if (result.reason === "not_found") throw notFound(ti_id);
        throw new ExecutionError(409, result.reason, "The Human-in-the-loop detail can't take this response");
      },
      async get(request) {
        const { ti_id } = callingTryOfPath(taskTokens, request);
        const detail = await store.hitlDetail(ti_id);
        if (detail === null) throw notFound(ti_id);
        return answerOf(detail);
      },
    },
  };
}

function answerOf(detail: HitlDetailRow) {
  const { responded_at, responded_by_user, chosen_options, params_input } = detail;
  const response_received = responded_at !== null;
  return { response_received, responded_by_user, responded_at: iso(responded_at), chosen_options, params_input };
}

function notFound(tiId: string): ExecutionError {
  return new ExecutionError(404, "not_found", `Human-in-the-loop detail of task instance ${tiId} was not found`);
}
