/** Questions about runs, and what a user does to them: trigger, mark, clear. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { DagRunResponse, dagRunCollectionResponse, TriggerDagRunBody } from "@updraft/contract";
import { keys } from "./keys.ts";
import { pathOf, type QueryValues, request } from "./request.ts";

type DagRunPage = ReturnType<typeof dagRunCollectionResponse.parse>;

export function useDagRuns(dagId: string, filters: QueryValues) {
  return useQuery({
    queryKey: keys.dagRunsPage(dagId, filters),
    queryFn: ({ signal }) => request<DagRunPage>(runsPath(dagId), { signal, query: filters }),
    placeholderData: keepPreviousData,
  });
}

export function useDagRun(dagId: string, runId: string) {
  return useQuery({
    queryKey: keys.runDetail(dagId, runId),
    queryFn: ({ signal }) => request<DagRunResponse>(runPath(dagId, runId), { signal }),
  });
}

export function useTriggerDag(dagId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: TriggerDagRunBody) => request<DagRunResponse>(runsPath(dagId), { method: "POST", body }),
    onSuccess: () => staleDag(queryClient, dagId),
    meta: { showsOwnFailure: true },
  });
}

export type MarkableRunState = "success" | "failed";

export function usePatchRun(dagId: string, runId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: { readonly state?: MarkableRunState; readonly note?: string }) =>
      request<DagRunResponse>(runPath(dagId, runId), { method: "PATCH", body }),
    onSuccess: () => staleRun(queryClient, dagId, runId),
  });
}

export function useClearRun(dagId: string, runId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (onlyFailed: boolean) =>
      request(`${runPath(dagId, runId)}/clear`, { method: "POST", body: { dry_run: false, only_failed: onlyFailed } }),
    onSuccess: () => staleRun(queryClient, dagId, runId),
  });
}

export function runPath(dagId: string, runId: string): string {
  return `${runsPath(dagId)}${pathOf(runId)}`;
}

type Cache = ReturnType<typeof useQueryClient>;

/** The answer to a change is not waited for in events: another tab's stream may be the one that is up. */
export async function staleRun(cache: Cache, dagId: string, runId: string): Promise<void> {
  await Promise.all([cache.invalidateQueries({ queryKey: keys.run(dagId, runId) }), staleDag(cache, dagId)]);
}

async function staleDag(cache: Cache, dagId: string): Promise<void> {
  const stale = [keys.dagLists, keys.dagRuns(dagId), keys.gridRuns(dagId)];
  await Promise.all(stale.map((queryKey) => cache.invalidateQueries({ queryKey })));
}

function runsPath(dagId: string): string {
  return `/api/v2/dags${pathOf(dagId)}/dagRuns`;
}
