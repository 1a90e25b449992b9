/**
 * Asks for the summaries of many runs in one request: what is wanted within one turn travels together, and is answered
 * together, so that the grid is drawn once and not for each run.
 */
import type { GridRunSummary } from "@updraft/contract";
import { ApiFailure } from "./failure.ts";
import { pathOf, requestLines } from "./request.ts";

/** Keeps the address of the request short enough for every proxy. */
const MOST_RUNS_PER_REQUEST = 50;

interface Wanted {
  resolve(summary: GridRunSummary): void;
  reject(error: unknown): void;
}

const wantedByDag = new Map<string, Map<string, Wanted[]>>();

export function fetchRunSummary(dagId: string, runId: string): Promise<GridRunSummary> {
  return new Promise((resolve, reject) => {
    const wanted = wantedByDag.get(dagId) ?? beginBatch(dagId);
    wanted.set(runId, [...(wanted.get(runId) ?? []), { resolve, reject }]);
    if (wanted.size >= MOST_RUNS_PER_REQUEST) wantedByDag.delete(dagId);
  });
}

function beginBatch(dagId: string): Map<string, Wanted[]> {
  const wanted = new Map<string, Wanted[]>();
  wantedByDag.set(dagId, wanted);
  setTimeout(() => {
    if (wantedByDag.get(dagId) === wanted) wantedByDag.delete(dagId);
    void fetchBatch(dagId, wanted);
  }, 0);
  return wanted;
}

async function fetchBatch(dagId: string, wanted: ReadonlyMap<string, readonly Wanted[]>): Promise<void> {
  const rejectAll = (reason: (runId: string) => unknown): void => {
    for (const [runId, callers] of wanted) for (const caller of callers) caller.reject(reason(runId));
  };
  try {
    const summaries: GridRunSummary[] = [];
    const query = { run_ids: [...wanted.keys()] };
    await requestLines<GridRunSummary>(`/ui/grid/ti_summaries${pathOf(dagId)}`, { query }, (summary) => {
      summaries.push(summary);
    });
    for (const summary of summaries) for (const caller of wanted.get(summary.run_id) ?? []) caller.resolve(summary);
    // Rejecting what was resolved does nothing: only runs that the answer left out fail.
    rejectAll((runId) => new ApiFailure(404, `The run ${runId} has no summary; it may have been removed.`));
  } catch (error) {
    rejectAll(() => error);
  }
}
