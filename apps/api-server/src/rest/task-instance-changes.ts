/** Changes of task instances that people ask for: mark, note, clear. */
import {
  type ClearTaskInstancesBody,
  clearTaskInstancesBody,
  NO_CURSORS,
  type PatchTaskInstanceBody,
  patchTaskInstanceBody,
} from "@updraft/contract";
import { closure } from "@updraft/dag-core";
import type { ClearRequest, TaskInstanceRow } from "@updraft/metadata-store";
import type { Request, Response } from "express";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { instantOf } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody } from "../http/validate.ts";
import { clearErrorOf, clearRequestOf } from "./clear-request.ts";
import { taskInstanceResponseOf } from "./present-runs.ts";
import { addressOf, INSTANCES, type InstanceAddress, instanceOf } from "./task-instances.ts";
import type { VersionLookup } from "./version-lookup.ts";

/** A mark over more runs than this touches the nearest ones only. */
const MOST_RUNS = 1000;

export function taskInstanceChangeRoutes(context: ApiContext, versions: VersionLookup): RouteTable {
  const { store, announcer } = context;

  async function collectionOf(rows: readonly TaskInstanceRow[]) {
    const versionOf = await versions.of(rows);
    const task_instances = rows.map((row) => taskInstanceResponseOf(row, versionOf));
    return { task_instances, total_entries: rows.length, ...NO_CURSORS };
  }

  async function patch(request: Request, response: Response) {
    const body = parseBody(patchTaskInstanceBody, request);
    const address = addressOf(request);
    const row = await instanceOf(store, address);
    const { dag_id, run_id, task_id } = address;
    if (body.note !== undefined) await store.setTaskInstanceNote(address, body.note ?? null);
    if (!body.new_state) return collectionOf([await instanceOf(store, address)]);

    const affected = await affectedBy(context, row, body);
    for (const [affectedRun, task_ids] of tasksByRun(affected)) {
      const mark = { dag_id, run_id: affectedRun, task_ids, map_index: address.map_index, state: body.new_state };
      const announcement = await store.markTaskInstances(mark);
      if (announcement !== null) announcer.announce(announcement);
    }
    const extra = JSON.stringify(body);
    await store.logEvent({ event: "patch_task_instance", dag_id, run_id, task_id, owner: usernameOf(response), extra });
    return collectionOf(await Promise.all(affected.map((one) => instanceOf(store, one))));
  }

  async function preview(request: Request) {
    const body = parseBody(patchTaskInstanceBody, request);
    const row = await instanceOf(store, addressOf(request));
    const affected = await affectedBy(context, row, body);
    return collectionOf(affected.filter((one) => one.state !== body.new_state));
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

  const one = {
    async get(request: Request) {
      const row = await instanceOf(store, addressOf(request));
      return taskInstanceResponseOf(row, await versions.of([row]));
    },
    patch,
  };
  return {
    "/dags/:dag_id/clearTaskInstances": { post: clear },
    [`${INSTANCES}/:task_id/dry_run`]: { patch: preview },
    [`${INSTANCES}/:task_id/:map_index/dry_run`]: { patch: preview },
    [`${INSTANCES}/:task_id`]: one,
    [`${INSTANCES}/:task_id/:map_index`]: one,
  };
}

/** The instance itself and, where asked for, its neighbours in the graph and in time. */
async function affectedBy(
  { store }: ApiContext,
  row: TaskInstanceRow,
  body: PatchTaskInstanceBody,
): Promise<TaskInstanceRow[]> {
  const { dag_id, run_id, task_id, map_index } = row;
  const taskIds = new Set([task_id]);
  if (body.include_upstream || body.include_downstream) {
    const dag = await store.getDag(dag_id);
    for (const direction of directionsOf(body)) {
      if (dag !== null) for (const id of closure(dag.form, [task_id], direction)) taskIds.add(id);
    }
  }
  const runIds = [run_id];
  const page = { limit: MOST_RUNS, offset: 0 };
  if (body.include_past) {
    const { rows } = await store.listDagRuns(
      { dag_id, run_after: { lt: row.run_after } },
      { ...page, order_by: ["-run_after"] },
    );
    runIds.push(...rows.map((run) => run.run_id));
  }
  if (body.include_future) {
    const { rows } = await store.listDagRuns(
      { dag_id, run_after: { gt: row.run_after } },
      { ...page, order_by: ["run_after"] },
    );
    runIds.push(...rows.map((run) => run.run_id));
  }
  const instances = await store.gridInstances(dag_id, runIds);
  return instances.filter(
    (one) => taskIds.has(one.task_id) && (one.task_id !== task_id || one.map_index === map_index),
  );
}

function directionsOf({ include_upstream, include_downstream }: PatchTaskInstanceBody) {
  return [
    ...(include_upstream ? (["upstream"] as const) : []),
    ...(include_downstream ? (["downstream"] as const) : []),
  ];
}

function tasksByRun(instances: readonly InstanceAddress[]): Map<string, string[]> {
  const byRun = Map.groupBy(instances, ({ run_id }) => run_id);
  return new Map([...byRun].map(([runId, rows]) => [runId, rows.map(({ task_id }) => task_id)]));
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
