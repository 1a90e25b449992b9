/** Questions about DAGs, and pausing one. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type {
  DagDetailsResponse,
  DagResponse,
  dagSourceResponse,
  dagTagCollectionResponse,
  dashboardDagStatsResponse,
  importErrorCollectionResponse,
  skippedTicksResponse,
  taskCollectionResponse,
  uiDagsResponse,
} from "@updraft/contract";
import { planFor } from "../live/cache-plan.ts";
import { keys } from "./keys.ts";
import { pathOf, request } from "./request.ts";

type DagPage = ReturnType<typeof uiDagsResponse.parse>;
type DagTags = ReturnType<typeof dagTagCollectionResponse.parse>;
type DagStats = ReturnType<typeof dashboardDagStatsResponse.parse>;
type ImportErrors = ReturnType<typeof importErrorCollectionResponse.parse>;
type Tasks = ReturnType<typeof taskCollectionResponse.parse>;
type DagSource = ReturnType<typeof dagSourceResponse.parse>;
export type SkippedTicks = ReturnType<typeof skippedTicksResponse.parse>;

/** Bars beside a DAG in the list. */
const RECENT_RUNS = 14;
const MOST_TAGS = 100;
const MOST_IMPORT_ERRORS = 100;
const MOST_SKIPPED_TICKS = 50;

export interface DagFilters {
  readonly search: string;
  readonly tags: readonly string[];
  readonly state: string | null;
  readonly paused: boolean | null;
  readonly limit: number;
  readonly offset: number;
}

export function useDags(filters: DagFilters) {
  return useQuery({
    queryKey: keys.dagList(filters),
    queryFn: ({ signal }) =>
      request<DagPage>("/ui/dags", {
        signal,
        query: {
          dag_runs_limit: RECENT_RUNS,
          dag_display_name_pattern: filters.search,
          tags: filters.tags,
          last_dag_run_state: filters.state,
          paused: filters.paused,
          limit: filters.limit,
          offset: filters.offset,
        },
      }),
    placeholderData: keepPreviousData,
  });
}

export function useDagTags() {
  return useQuery({
    queryKey: keys.tags,
    queryFn: ({ signal }) => request<DagTags>("/api/v2/dagTags", { signal, query: { limit: MOST_TAGS } }),
  });
}

export function useDagStats() {
  return useQuery({
    queryKey: keys.stats,
    queryFn: ({ signal }) => request<DagStats>("/ui/dashboard/dag_stats", { signal }),
  });
}

export function useImportErrors() {
  return useQuery({
    queryKey: keys.importErrors,
    queryFn: ({ signal }) =>
      request<ImportErrors>("/api/v2/importErrors", {
        signal,
        query: { limit: MOST_IMPORT_ERRORS, order_by: "-timestamp" },
      }),
  });
}

export function useDag(dagId: string) {
  return useQuery({
    queryKey: keys.dagDetails(dagId),
    queryFn: ({ signal }) => request<DagDetailsResponse>(`/api/v2/dags${pathOf(dagId)}/details`, { signal }),
  });
}

export function useTasks(dagId: string) {
  return useQuery({
    queryKey: keys.dagTasks(dagId),
    queryFn: ({ signal }) => request<Tasks>(`/api/v2/dags${pathOf(dagId)}/tasks`, { signal }),
  });
}

export function useDagSource(dagId: string) {
  return useQuery({
    queryKey: keys.dagSource(dagId),
    queryFn: ({ signal }) => request<DagSource>(`/api/v2/dagSources${pathOf(dagId)}`, { signal }),
  });
}

export function useSkippedTicks(dagId: string) {
  return useQuery({
    queryKey: keys.skippedTicks(dagId),
    queryFn: ({ signal }) =>
      request<SkippedTicks>(`/ui/dags${pathOf(dagId)}/skipped_ticks`, { signal, query: { limit: MOST_SKIPPED_TICKS } }),
    // A server without skipped ticks (a real Airflow) says 404; the grid does without.
    retry: false,
  });
}

/** The switch moves at once and moves back if the server refuses. */
export function usePauseDag(dagId: string) {
  const queryClient = useQueryClient();
  const show = (isPaused: boolean): void => {
    const { patches } = planFor([{ type: "dag", dag_id: dagId, is_paused: isPaused }]);
    for (const { key, apply } of patches) queryClient.setQueriesData({ queryKey: key }, apply);
  };
  return useMutation({
    mutationFn: (isPaused: boolean) =>
      request<DagResponse>(`/api/v2/dags${pathOf(dagId)}`, { method: "PATCH", body: { is_paused: isPaused } }),
    onMutate: show,
    onError: (_error, isPaused) => show(!isPaused),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.dagLists }),
  });
}
