/** Changes of task instances that people ask for: their state, their note, their end. */
import {
  ApiError,
  type BulkTaskInstance,
  bulkTaskInstanceBody,
  NO_CURSORS,
  type PatchTaskInstanceBody,
  patchTaskInstanceBody,
  queryInteger,
  queryTexts,
} from "@updraft/contract";
import { tasksOfGroup } from "@updraft/dag-core";
import type { MarkTaskRequest, TaskInstanceRow } from "@updraft/metadata-store";
import type { Request, Response } from "express";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody, queryReader } from "../http/validate.ts";
import { applyBulk } from "./bulk.ts";
import { dagRunOf } from "./dag-runs.ts";
import { taskInstanceResponseOf } from "./present-runs.ts";
import { addressOf, allOfTask, INSTANCES, type InstanceAddress, instanceOf } from "./task-instances.ts";
import type { VersionLookup } from "./version-lookup.ts";

const readQuery = queryReader({ map_index: queryInteger(-1).optional(), update_mask: queryTexts });
/** As many as the instances of the longest mapped group with some tasks. */
const MOST_NOTES = 1_000_000;
const GROUPS = "/dags/:dag_id/dagRuns/:dag_run_id/taskGroupInstances/:group_id";

export function taskInstanceMarkRoutes(context: ApiContext, versions: VersionLookup): RouteTable {
  const { store, announcer } = context;

  async function collectionOf(rows: readonly TaskInstanceRow[]) {
    const versionOf = await versions.of(rows);
    const task_instances = rows.map((row) => taskInstanceResponseOf(row, versionOf));
    return { task_instances, total_entries: rows.length, ...NO_CURSORS };
  }

  async function patchOne(request: Request, response: Response) {
    const body = masked(parseBody(patchTaskInstanceBody, request), readQuery(request).update_mask);
    const { address, rows: named } = await namedOf(context, request);
    if (body.note !== undefined) await noteAll(context, named, body.note);
    if (!body.new_state) return collectionOf((await namedOf(context, request)).rows);
    const rows = await mark(context, requestOf(address, entryOf(request, address), body), response);
    if (rows.length === 0)
      throw new ApiError("task_already_in_state", { task_id: address.task_id, state: body.new_state });
    return collectionOf(rows);
  }

  async function previewOne(request: Request) {
    const body = parseBody(patchTaskInstanceBody, request);
    const { address } = await namedOf(context, request);
    if (!body.new_state) return collectionOf([]);
    return collectionOf(
      await changedBy(context, { ...requestOf(address, entryOf(request, address), body), dry_run: true }),
    );
  }

  async function groupOf(request: Request) {
    const { dag_id, run_id, dag_version_number } = await dagRunOf(store, request);
    const group_id = pathPart(request, "group_id");
    const version = await store.getDagVersion(dag_id, dag_version_number);
    const tasks = version === null ? undefined : tasksOfGroup(version.form, group_id);
    if (tasks === undefined) throw new ApiError("task_group_not_found", { group_id });
    return { dag_id, run_id, task_id: group_id, tasks };
  }

  async function patchGroup(request: Request, response: Response) {
    const body = masked(parseBody(patchTaskInstanceBody, request), readQuery(request).update_mask);
    const group = await groupOf(request);
    if (body.note !== undefined) {
      const { dag_id, run_id, tasks } = group;
      const page = { limit: MOST_NOTES, offset: 0, order_by: [] };
      const { rows } = await store.listTaskInstances({ dag_id, run_id, task_ids: tasks }, page);
      await noteAll(context, rows, body.note);
    }
    return collectionOf(body.new_state ? await mark(context, requestOf(group, group.task_id, body), response) : []);
  }

  async function previewGroup(request: Request) {
    const body = parseBody(patchTaskInstanceBody, request);
    const group = await groupOf(request);
    if (!body.new_state) return collectionOf([]);
    return collectionOf(await changedBy(context, { ...requestOf(group, group.task_id, body), dry_run: true }));
  }

  const one = {
    async get(request: Request) {
      const row = await instanceOf(store, addressOf(request));
      return taskInstanceResponseOf(row, await versions.of([row]));
    },
    patch: patchOne,
  };
  return {
    [`${GROUPS}/dry_run`]: { patch: previewGroup },
    [GROUPS]: { patch: patchGroup },
    [`${INSTANCES}/:task_id/dry_run`]: { patch: previewOne },
    [`${INSTANCES}/:task_id/:map_index/dry_run`]: { patch: previewOne },
    [`${INSTANCES}/:task_id`]: {
      ...one,
      async delete(request) {
        const { map_index = -1 } = readQuery(request);
        const address = { ...addressOf(request), map_index };
        await instanceOf(store, address);
        const announcement = await store.deleteTaskInstance(address);
        if (announcement !== null) announcer.announce(announcement);
        return null;
      },
    },
    [`${INSTANCES}/:task_id/:map_index`]: one,
  };
}

/** `PATCH taskInstances`: many at once, of any run where the path says `~`. */
export function bulkTaskInstances(context: ApiContext) {
  const { store, announcer } = context;
  return async (request: Request, response: Response) => {
    const [dagId, runId] = [pathPart(request, "dag_id"), pathPart(request, "dag_run_id")];
    const addressed = async (entity: BulkTaskInstance | string) => {
      const { task_id, map_index, dag_id, dag_run_id } = typeof entity === "string" ? { task_id: entity } : entity;
      const address = {
        dag_id: placed(dagId, dag_id),
        run_id: placed(runId, dag_run_id),
        task_id,
        map_index: map_index ?? -1,
      };
      await instanceOf(store, address);
      return address;
    };
    const keyOf = (a: InstanceAddress) => `${a.dag_id}.${a.run_id}.${a.task_id}[${a.map_index}]`;
    const { actions } = parseBody(bulkTaskInstanceBody, request);
    return applyBulk<BulkTaskInstance>(actions, {
      async update(entity, mask) {
        const address = await addressed(entity);
        const body = masked(entity, mask);
        if (body.note !== undefined) await noteAll(context, [address], body.note);
        const entry = entity.map_index == null ? address.task_id : ([address.task_id, address.map_index] as const);
        if (body.new_state) await mark(context, requestOf(address, entry, body), response);
        return keyOf(address);
      },
      async delete(entity) {
        const address = await addressed(entity);
        const announcement = await store.deleteTaskInstance(address);
        if (announcement !== null) announcer.announce(announcement);
        return keyOf(address);
      },
    });
  };
}

/** `~` in the path leaves it to each entity. */
function placed(inPath: string, ofEntity: string | null | undefined): string {
  return inPath === "~" ? (ofEntity ?? "~") : inPath;
}

type Patch = Omit<PatchTaskInstanceBody, "note"> & Pick<PatchTaskInstanceBody, "note">;

function masked<Body extends Patch>(body: Body, mask: readonly string[]): Body {
  if (mask.length === 0) return body;
  const { note, new_state, ...rest } = body;
  return {
    ...rest,
    ...(mask.includes("note") && note !== undefined ? { note } : {}),
    ...(mask.includes("new_state") && new_state !== undefined ? { new_state } : {}),
  } as Body;
}

/** The instance of the path, whose index may stand in the query too; without an index all of the task. */
async function namedOf({ store }: ApiContext, request: Request) {
  const address = { ...addressOf(request), ...withoutUndefined(readQuery(request).map_index) };
  const rows = isIndexed(request) ? [await instanceOf(store, address)] : await allOfTask(store, address);
  return { address, rows };
}

function withoutUndefined(map_index: number | undefined) {
  return map_index === undefined ? {} : { map_index };
}

/** All indexes of the task, unless the request names one. */
function entryOf(request: Request, { task_id, map_index }: InstanceAddress) {
  return isIndexed(request) ? ([task_id, map_index] as const) : task_id;
}

function isIndexed(request: Request): boolean {
  return request.params.map_index !== undefined || readQuery(request).map_index !== undefined;
}

type Entry = MarkTaskRequest["task_ids"][number];

function requestOf(address: Pick<InstanceAddress, "dag_id" | "run_id">, entry: Entry, body: Patch): MarkTaskRequest {
  const { new_state, include_upstream, include_downstream, include_past, include_future } = body;
  return {
    dag_id: address.dag_id,
    run_id: address.run_id,
    task_ids: [entry],
    state: new_state ?? "success",
    ...{ include_upstream, include_downstream, include_past, include_future },
    dry_run: false,
  };
}

/** Instances that the mark changes, or would change. */
async function changedBy(
  { store, announcer }: ApiContext,
  wanted: MarkTaskRequest,
): Promise<readonly TaskInstanceRow[]> {
  const result = await store.markTaskInstances(wanted);
  if (result.kind === "bad_request") throw new ApiError("bad_request", { message: result.message });
  if (result.kind === "not_found")
    throw new ApiError("dag_run_not_found", { dag_id: wanted.dag_id, dag_run_id: wanted.run_id });
  announcer.announce(result.announcement);
  return result.task_instances;
}

async function mark(context: ApiContext, wanted: MarkTaskRequest, response: Response) {
  const rows = await changedBy(context, wanted);
  const { dag_id, run_id, task_ids, ...extra } = wanted;
  await context.store.logEvent({
    ...{ event: "patch_task_instance", dag_id, run_id, task_id: String(task_ids[0]), owner: usernameOf(response) },
    extra: JSON.stringify(extra),
  });
  return rows;
}

async function noteAll(
  { store }: ApiContext,
  addresses: readonly InstanceAddress[],
  note: string | null,
): Promise<void> {
  for (const { dag_id, run_id, task_id, map_index } of addresses)
    await store.setTaskInstanceNote({ dag_id, run_id, task_id, map_index }, note);
}
