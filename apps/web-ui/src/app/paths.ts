/** Addresses of pages; ids are encoded once, here. */
import { pathOf } from "../api/request.ts";

export function dagPagePath(dagId: string, tab = ""): string {
  return `/dags${pathOf(dagId)}${tab === "" ? "" : `/${tab}`}`;
}

export function runPagePath(dagId: string, runId: string): string {
  return `/dags${pathOf(dagId)}/runs${pathOf(runId)}`;
}

export function taskPagePath(dagId: string, runId: string, taskId: string, mapIndex = -1): string {
  const path = `${runPagePath(dagId, runId)}/tasks${pathOf(taskId)}`;
  return mapIndex < 0 ? path : `${path}?map_index=${mapIndex}`;
}
