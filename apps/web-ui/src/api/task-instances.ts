/** Questions about task instances, and what a user does to them: mark, clear. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type {
  TaskInstanceResponse,
  taskDependencyCollectionResponse,
  taskInstanceCollectionResponse,
  taskInstanceHistoryCollectionResponse,
  xcomCollectionResponse,
  xcomNativeResponse,
} from "@updraft/contract";
import { ApiFailure } from "./failure.ts";
import { type InstanceKey, keys } from "./keys.ts";
import { pathOf, type QueryValues, request } from "./request.ts";
import { runPath, staleRun } from "./runs.ts";

type InstancePage = ReturnType<typeof taskInstanceCollectionResponse.parse>;
type Tries = ReturnType<typeof taskInstanceHistoryCollectionResponse.parse>;
type Dependencies = ReturnType<typeof taskDependencyCollectionResponse.parse>;
type XcomPage = ReturnType<typeof xcomCollectionResponse.parse>;
type Xcom = ReturnType<typeof xcomNativeResponse.parse>;

const MOST_XCOMS = 100;

export function useRunInstances(dagId: string, runId: string, filters: QueryValues) {
  return useQuery({
    queryKey: keys.runInstancesPage(dagId, runId, filters),
    queryFn: ({ signal }) =>
      request<InstancePage>(`${runPath(dagId, runId)}/taskInstances`, { signal, query: filters }),
    placeholderData: keepPreviousData,
  });
}

/** The instances of a mapped task in one run. */
export function useMappedInstances(key: InstanceKey, filters: QueryValues) {
  return useQuery({
    queryKey: [...keys.taskPart(key, "mapped"), filters],
    queryFn: ({ signal }) => request<InstancePage>(`${taskPath(key)}/listMapped`, { signal, query: filters }),
    placeholderData: keepPreviousData,
  });
}

/** Null where the task is mapped and the key names none of its instances. */
export function useTaskInstance(key: InstanceKey) {
  return useQuery({
    queryKey: keys.taskPart(key, "instance"),
    queryFn: async ({ signal }) => {
      try {
        return await request<TaskInstanceResponse>(instancePath(key), { signal });
      } catch (error) {
        if (key.mapIndex < 0 && error instanceof ApiFailure && isAboutMapping(error)) return null;
        throw error;
      }
    },
  });
}

export function useTries(key: InstanceKey) {
  return useQuery({
    queryKey: keys.taskPart(key, "tries"),
    queryFn: ({ signal }) => request<Tries>(`${instancePath(key)}/tries`, { signal }),
  });
}

/** Why a task instance is not running. */
export function useDependencies(key: InstanceKey) {
  return useQuery({
    queryKey: keys.taskPart(key, "dependencies"),
    queryFn: ({ signal }) => request<Dependencies>(`${instancePath(key)}/dependencies`, { signal }),
  });
}

export function useXcoms(key: InstanceKey) {
  return useQuery({
    queryKey: keys.taskPart(key, "xcoms"),
    queryFn: ({ signal }) =>
      request<XcomPage>(`${taskPath(key)}/xcomEntries`, {
        signal,
        query: { map_index: key.mapIndex, limit: MOST_XCOMS },
      }),
  });
}

export function useXcom(key: InstanceKey, name: string) {
  return useQuery({
    queryKey: [...keys.taskPart(key, "xcom"), name],
    queryFn: ({ signal }) =>
      request<Xcom>(`${taskPath(key)}/xcomEntries${pathOf(name)}`, { signal, query: { map_index: key.mapIndex } }),
  });
}

export function useMarkInstance(key: InstanceKey) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (state: "success" | "failed" | "skipped") =>
      request(instancePath(key), { method: "PATCH", body: { new_state: state } }),
    onSuccess: () => staleRun(queryClient, key.dagId, key.runId),
  });
}

export interface ClearChoice {
  readonly downstream: boolean;
  readonly upstream: boolean;
  readonly onlyFailed: boolean;
}

/** What a clear would touch, without doing it. */
export function useClearPreview(key: InstanceKey, choice: ClearChoice) {
  return useQuery({
    queryKey: [...keys.taskPart(key, "clear-preview"), choice],
    queryFn: () => clear(key, choice, true),
    placeholderData: keepPreviousData,
  });
}

export function useClearInstance(key: InstanceKey) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (choice: ClearChoice) => clear(key, choice, false),
    onSuccess: () => staleRun(queryClient, key.dagId, key.runId),
  });
}

function clear(key: InstanceKey, choice: ClearChoice, isDryRun: boolean): Promise<InstancePage> {
  return request<InstancePage>(`/api/v2/dags${pathOf(key.dagId)}/clearTaskInstances`, {
    method: "POST",
    body: {
      dry_run: isDryRun,
      dag_run_id: key.runId,
      task_ids: [key.mapIndex < 0 ? key.taskId : [key.taskId, key.mapIndex]],
      only_failed: choice.onlyFailed,
      include_downstream: choice.downstream,
      include_upstream: choice.upstream,
    },
  });
}

function taskPath(key: InstanceKey): string {
  return `${runPath(key.dagId, key.runId)}/taskInstances${pathOf(key.taskId)}`;
}

function instancePath(key: InstanceKey): string {
  return key.mapIndex < 0 ? taskPath(key) : `${taskPath(key)}${pathOf(key.mapIndex)}`;
}

/** Airflow tells the two cases apart only by their words. */
function isAboutMapping(error: ApiFailure): boolean {
  return error.status === 404 && error.message.includes("is mapped");
}
