/** What the grid and the graph show. Summaries of runs are kept per run and asked for together. */
import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import type { GridNode, GridRun, GridRunSummary, GridTaskSummary, structureDataResponse } from "@updraft/contract";
import { groupIds } from "../grid/grid-layout.ts";
import { keys } from "./keys.ts";
import { pathOf, request } from "./request.ts";
import { fetchRunSummary } from "./run-summaries.ts";

export type StructureData = ReturnType<typeof structureDataResponse.parse>;
export type TaskSummaries = ReadonlyMap<string, GridTaskSummary>;

export function useGridStructure(dagId: string) {
  return useQuery({
    queryKey: keys.gridStructure(dagId),
    queryFn: ({ signal }) => request<readonly GridNode[]>(`/ui/grid/structure${pathOf(dagId)}`, { signal }),
  });
}

export function useGridRuns(dagId: string, limit: number) {
  const query = { limit, order_by: "-run_after" };
  return useQuery({
    queryKey: keys.gridRunsPage(dagId, query),
    queryFn: ({ signal }) => request<GridRun[]>(`/ui/grid/runs${pathOf(dagId)}`, { signal, query }),
    placeholderData: keepPreviousData,
  });
}

export function useGraphStructure(dagId: string) {
  return useQuery({
    queryKey: keys.graphStructure(dagId),
    queryFn: ({ signal }) =>
      request<StructureData>("/ui/structure/structure_data", { signal, query: { dag_id: dagId } }),
  });
}

/** By run, then by task or group. Runs whose summary has not come yet are missing. */
export function useRunSummaries(dagId: string, runIds: readonly string[]): ReadonlyMap<string, TaskSummaries> {
  return useQueries({
    queries: runIds.map((runId) => ({
      queryKey: keys.runSummary(dagId, runId),
      queryFn: () => fetchRunSummary(dagId, runId),
    })),
    combine: combineSummaries,
  });
}

/** The mapped tasks of a run that have instances for each index, with how many are in which state. */
export function useMappedTasks(dagId: string, runId: string): readonly GridTaskSummary[] {
  const structure = useGridStructure(dagId);
  const summary = useQuery({
    queryKey: keys.runSummary(dagId, runId),
    queryFn: () => fetchRunSummary(dagId, runId),
  });
  const groups = new Set(groupIds(structure.data ?? []));
  if (summary.data === undefined || structure.data === undefined) return [];
  return summary.data.task_instances.filter((task) => task.child_states !== null && !groups.has(task.task_id));
}

function combineSummaries(results: readonly { readonly data: GridRunSummary | undefined }[]) {
  return new Map(
    results.flatMap(({ data }): (readonly [string, TaskSummaries])[] =>
      data === undefined ? [] : [[data.run_id, summariesByTask(data)]],
    ),
  );
}

/** Built once per answer: the grid looks up each of its cells here. */
const indexes = new WeakMap<GridRunSummary, TaskSummaries>();

function summariesByTask(summary: GridRunSummary): TaskSummaries {
  const known = indexes.get(summary);
  if (known !== undefined) return known;
  const index = new Map(summary.task_instances.map((task) => [task.task_id, task]));
  indexes.set(summary, index);
  return index;
}
