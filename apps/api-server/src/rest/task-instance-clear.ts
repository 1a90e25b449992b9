/** Clearing task instances. */
import { type ClearTaskInstancesBody, clearTaskInstancesBody, NO_CURSORS } from "@updraft/contract";
import type { ClearRequest, TaskInstanceRow } from "@updraft/metadata-store";
import type { Request, Response } from "express";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { instantOf } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody } from "../http/validate.ts";
import { clearErrorOf, clearRequestOf } from "./clear-request.ts";
import { taskInstanceResponseOf } from "./present-runs.ts";
import type { VersionLookup } from "./version-lookup.ts";

export function taskInstanceClearRoutes(context: ApiContext, versions: VersionLookup): RouteTable {
  const { store, announcer } = context;

  async function collectionOf(rows: readonly TaskInstanceRow[]) {
    const versionOf = await versions.of(rows);
    const task_instances = rows.map((row) => taskInstanceResponseOf(row, versionOf));
    return { task_instances, total_entries: rows.length, ...NO_CURSORS };
  }

  async function clear(request: Request, response: Response) {
    const body = parseBody(clearTaskInstancesBody, request);
    const wanted = clearRequestOfBody(pathPart(request, "dag_id"), body);
    const result = await store.clearTaskInstances(wanted);
    if (result.kind !== "cleared") throw clearErrorOf(result, wanted.dag_id);
    announcer.announce(result.announcement);
    if (!body.dry_run) {
      const extra = JSON.stringify(body);
      const { dag_id, run_id } = wanted;
      await store.logEvent({
        event: "clear_task_instances",
        dag_id,
        run_id,
        task_id: null,
        owner: usernameOf(response),
        extra,
      });
    }
    return collectionOf(result.task_instances);
  }

  return { "/dags/:dag_id/clearTaskInstances": { post: clear } };
}

function clearRequestOfBody(dagId: string, body: ClearTaskInstancesBody): ClearRequest {
  const { dag_run_id, task_ids, start_date, end_date, run_on_latest_version, note, ...flags } = body;
  return clearRequestOf(dagId, {
    ...flags,
    run_id: dag_run_id ?? null,
    task_ids: task_ids ?? null,
    start_date: instantOf(start_date),
    end_date: instantOf(end_date),
    run_on_latest_version: run_on_latest_version ?? null,
    note: note ?? null,
  });
}
