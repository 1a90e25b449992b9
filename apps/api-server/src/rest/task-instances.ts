/** Task instances: lists, tries, what blocks them. */
import { ApiError, NO_CURSORS, queryInteger } from "@updraft/contract";
import { mappingUnits } from "@updraft/dag-core";
import type { DagRunRow, TaskInstanceFilter, TaskInstanceRow, XComAddress } from "@updraft/metadata-store";
import type { Request } from "express";
import type { ApiContext } from "../context.ts";
import { type Handler, pathPart, type RouteTable } from "../http/routes.ts";
import { parsePath } from "../http/validate.ts";
import { readTaskInstanceQuery, taskInstanceFilterOf } from "./dag-run-filter.ts";
import { dagRunOf } from "./dag-runs.ts";
import { dagOf } from "./dags.ts";
import { orderingOf, TASK_INSTANCE_ORDERINGS } from "./ordering.ts";
import { taskInstanceResponseOf, tryResponseOf } from "./present-runs.ts";
import type { VersionLookup } from "./version-lookup.ts";

export type InstanceAddress = Omit<XComAddress, "key">;

/** More than any task has instances. */
const ALL = 1_000_000;

export const INSTANCES = "/dags/:dag_id/dagRuns/:dag_run_id/taskInstances";

export function taskInstanceRoutes({ store }: ApiContext, versions: VersionLookup, bulk: Handler): RouteTable {
  const tries = {
    async get(request: Request) {
      const rows = await triesOf(store, request);
      const versionOf = await versions.of(rows);
      return { task_instances: rows.map((row) => tryResponseOf(row, versionOf)), total_entries: rows.length };
    },
  };
  const oneTry = {
    async get(request: Request) {
      const try_number = parsePath(queryInteger(), "task_try_number", pathPart(request, "task_try_number"));
      const address = addressOf(request);
      const row = (await store.listTries(address)).find((one) => one.try_number === try_number);
      if (row === undefined) throw new ApiError("task_instance_try_not_found", { ...wordsOf(address), try_number });
      return tryResponseOf(row, await versions.of([row]));
    },
  };
  const dependencies = {
    async get(request: Request) {
      const address = addressOf(request);
      const reasons = await store.blockingReasons(address);
      if (reasons === null) throw instanceNotFound(address);
      return { dependencies: reasons };
    },
  };
  async function listInstances(
    request: Request,
    { dagId, runId, only }: { readonly dagId: string; readonly runId: string; readonly only: TaskInstanceFilter },
  ) {
    const query = readTaskInstanceQuery(request);
    const order_by = orderingOf(query.order_by, TASK_INSTANCE_ORDERINGS, ["map_index"]);
    const page = { limit: query.limit, offset: query.offset, order_by };
    const filter = { ...taskInstanceFilterOf(query, dagId, runId), ...only };
    const { rows, total_entries } = await store.listTaskInstances(filter, page);
    const versionOf = await versions.of(rows);
    return { task_instances: rows.map((row) => taskInstanceResponseOf(row, versionOf)), total_entries, ...NO_CURSORS };
  }
  return {
    [INSTANCES]: {
      patch: bulk,
      async get(request) {
        const [dagId, runId] = [pathPart(request, "dag_id"), pathPart(request, "dag_run_id")];
        if (dagId !== "~") await (runId === "~" ? dagOf(store, request) : dagRunOf(store, request));
        return listInstances(request, { dagId, runId, only: {} });
      },
    },
    [`${INSTANCES}/:task_id/listMapped`]: {
      async get(request) {
        const { dag_id, run_id, task_id } = addressOf(request);
        const run = await dagRunOf(store, request);
        const only = { task_id, is_expanded: true };
        const page = await listInstances(request, { dagId: dag_id, runId: run_id, only });
        // A mapped task may have no index yet, or none at all.
        if (page.total_entries === 0) await assertMapped(store, run, task_id);
        return page;
      },
    },
    [`${INSTANCES}/:task_id/tries`]: tries,
    [`${INSTANCES}/:task_id/tries/:task_try_number`]: oneTry,
    [`${INSTANCES}/:task_id/dependencies`]: dependencies,
    [`${INSTANCES}/:task_id/:map_index/tries`]: tries,
    [`${INSTANCES}/:task_id/:map_index/tries/:task_try_number`]: oneTry,
    [`${INSTANCES}/:task_id/:map_index/dependencies`]: dependencies,
  };
}

async function assertMapped(store: ApiContext["store"], run: DagRunRow, task_id: string): Promise<void> {
  const version = await store.getDagVersion(run.dag_id, run.dag_version_number);
  if (version?.form.tasks.some((task) => task.task_id === task_id) !== true)
    throw new ApiError("task_not_found", { task_id });
  if (!mappingUnits(version.form).has(task_id)) throw new ApiError("task_not_mapped", { task_id });
}

/** The task instance that the path names; without a map index the unmapped one. */
export function addressOf(request: Request): InstanceAddress {
  const index = request.params.map_index;
  return {
    dag_id: pathPart(request, "dag_id"),
    run_id: pathPart(request, "dag_run_id"),
    task_id: pathPart(request, "task_id"),
    map_index: typeof index === "string" ? parsePath(queryInteger(-1), "map_index", index) : -1,
  };
}

export async function instanceOf(store: ApiContext["store"], address: InstanceAddress): Promise<TaskInstanceRow> {
  const row = await store.getTaskInstance(address);
  if (row !== null) return row;
  if (address.map_index < 0 && (await instancesOfTask(store, address, 1)).length > 0)
    throw new ApiError("task_instance_is_mapped");
  throw instanceNotFound(address);
}

/** Every instance of the task, whatever its index; that there is none is an error. */
export async function allOfTask(
  store: ApiContext["store"],
  address: InstanceAddress,
): Promise<readonly TaskInstanceRow[]> {
  const rows = await instancesOfTask(store, address, ALL);
  if (rows.length === 0) throw instanceNotFound(address);
  return rows;
}

async function instancesOfTask(
  store: ApiContext["store"],
  { dag_id, run_id, task_id }: InstanceAddress,
  limit: number,
): Promise<readonly TaskInstanceRow[]> {
  const page = { limit, offset: 0, order_by: ["map_index"] };
  return (await store.listTaskInstances({ dag_id, run_id, task_id }, page)).rows;
}

function instanceNotFound(address: InstanceAddress): ApiError {
  const code = address.map_index < 0 ? "task_instance_not_found" : "mapped_task_instance_not_found";
  return new ApiError(code, wordsOf(address));
}

async function triesOf(store: ApiContext["store"], request: Request): Promise<readonly TaskInstanceRow[]> {
  const address = addressOf(request);
  const rows = await store.listTries(address);
  if (rows.length === 0) throw new ApiError("task_instance_tries_not_found", wordsOf(address));
  return rows;
}

function wordsOf({ dag_id, run_id, task_id, map_index }: InstanceAddress) {
  return { dag_id, dag_run_id: run_id, task_id, map_index };
}
