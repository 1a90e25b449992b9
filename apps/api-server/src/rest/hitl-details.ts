/** Questions that tasks ask people, as people see and answer them. */
import {
  ApiError,
  type HitlDetail,
  instantRange,
  pageQuery,
  queryBoolean,
  queryIntegers,
  queryText,
  queryTexts,
  updateHitlDetailBody,
} from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { HitlDetailRow, TaskInstanceRow } from "@updraft/metadata-store";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { iso } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody, queryReader } from "../http/validate.ts";
import { orderByQuery, orderingOf } from "./ordering.ts";
import { taskInstanceResponseOf } from "./present-runs.ts";
import { rangeOf } from "./ranges.ts";
import { addressOf, INSTANCES, instanceOf } from "./task-instances.ts";
import type { VersionLookup, VersionOf } from "./version-lookup.ts";

const ORDERINGS = ["ti_id", "subject", "responded_at", "created_at", "dag_id", "run_id", "task_id", "map_index"];

const readQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  ...instantRange("created_at"),
  dag_id_pattern: queryText,
  task_id: queryText,
  task_id_pattern: queryText,
  map_index: queryIntegers,
  state: queryTexts,
  response_received: queryBoolean.optional(),
  responded_by_user_id: queryTexts,
  responded_by_user_name: queryTexts,
  subject_search: queryText,
  body_search: queryText,
});

export function hitlDetailRoutes({ store, announcer }: ApiContext, versions: VersionLookup): RouteTable {
  return {
    "/dags/:dag_id/dagRuns/:dag_run_id/hitlDetails": {
      async get(request) {
        const query = readQuery(request);
        const [dagId, runId] = [pathPart(request, "dag_id"), pathPart(request, "dag_run_id")];
        const filter = {
          dag_id: dagId === "~" ? undefined : dagId,
          run_id: runId === "~" ? undefined : runId,
          dag_id_pattern: query.dag_id_pattern,
          task_id: query.task_id,
          task_id_pattern: query.task_id_pattern,
          map_index: query.map_index[0],
          states: query.state,
          response_received: query.response_received,
          responded_by_user_ids: query.responded_by_user_id,
          responded_by_user_names: query.responded_by_user_name,
          subject_pattern: query.subject_search,
          body_pattern: query.body_search,
          created_at: rangeOf(query, "created_at"),
        };
        const order_by = orderingOf(query.order_by, ORDERINGS, ["-created_at"]);
        const page = { limit: query.limit, offset: query.offset, order_by };
        const { rows, total_entries } = await store.listHitlDetails(filter, page);
        const versionOf = await versions.of(rows.map(({ task_instance }) => task_instance));
        const details = rows.map(({ detail, task_instance }) => hitlDetailOf(detail, task_instance, versionOf));
        return { hitl_details: details, total_entries };
      },
    },
    [`${INSTANCES}/:task_id/:map_index/hitlDetails`]: {
      async get(request) {
        const instance = await instanceOf(store, addressOf(request));
        const detail = await store.hitlDetail(instance.id);
        if (detail === null) throw notFound(instance);
        return hitlDetailOf(detail, instance, await versions.of([instance]));
      },
      async patch(request, response) {
        const instance = await instanceOf(store, addressOf(request));
        const { chosen_options, params_input } = parseBody(updateHitlDetailBody, request);
        const name = usernameOf(response);
        const user = { id: name, name };
        const input = params_input as Record<string, JsonValue>;
        const result = await store.respond(instance.id, { user, chosen_options, params_input: input });
        if (result.kind === "responded") {
          announcer.announce(result.announcement);
          const { responded_at } = result.detail;
          return { responded_by: user, responded_at: iso(responded_at), chosen_options, params_input };
        }
        switch (result.reason) {
          case "not_found":
            throw notFound(instance);
          case "already_responded":
            throw new ApiError("hitl_detail_answered", { ti_id: instance.id });
          case "not_assigned":
            throw new ApiError("hitl_not_a_respondent", { user: name });
          case "invalid_answer":
            throw new ApiError("bad_request", { message: result.problem });
        }
      },
    },
  };
}

function notFound({ id }: TaskInstanceRow): ApiError {
  return new ApiError("hitl_detail_not_found", { ti_id: id });
}

function hitlDetailOf(detail: HitlDetailRow, instance: TaskInstanceRow, versionOf: VersionOf): HitlDetail {
  const { options, subject, body, defaults, multiple, params, assigned_users, params_input } = detail;
  return {
    options: [...options],
    subject,
    body,
    defaults: defaults === null ? null : [...defaults],
    multiple,
    params,
    assigned_users: assigned_users.map(({ id, name }) => ({ id, name })),
    created_at: iso(detail.created_at),
    responded_by_user: detail.responded_by_user,
    responded_at: iso(detail.responded_at),
    chosen_options: detail.chosen_options === null ? null : [...detail.chosen_options],
    params_input,
    response_received: detail.responded_at !== null,
    task_instance: taskInstanceResponseOf(instance, versionOf),
  };
}
