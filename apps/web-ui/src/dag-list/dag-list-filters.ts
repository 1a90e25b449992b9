/** The filters of the DAG list as they stand in the address, so that a link shows the same list. Pure. */
import type { DagFilters } from "../api/dags.ts";

export const PAGE_SIZE = 50;
export const RUN_STATE_FILTERS = ["failed", "running", "queued", "success"] as const;
export type PausedFilter = "all" | "active" | "paused";

export interface DagListFilters {
  readonly search: string;
  readonly tags: readonly string[];
  readonly state: string | null;
  readonly paused: PausedFilter;
  /** From 1. */
  readonly page: number;
}

export function filtersOf(parameters: URLSearchParams, hidesPaused: boolean): DagListFilters {
  const state = parameters.get("state");
  return {
    search: parameters.get("search") ?? "",
    tags: parameters.getAll("tags"),
    state: RUN_STATE_FILTERS.find((name) => name === state) ?? null,
    paused: pausedFilter(parameters.get("paused")) ?? (hidesPaused ? "active" : "all"),
    page: Math.max(1, Math.trunc(Number(parameters.get("page"))) || 1),
  };
}

export function questionOf(filters: DagListFilters): DagFilters {
  return {
    search: filters.search,
    tags: filters.tags,
    state: filters.state,
    paused: filters.paused === "all" ? null : filters.paused === "paused",
    limit: PAGE_SIZE,
    offset: (filters.page - 1) * PAGE_SIZE,
  };
}

export function isFiltered(filters: DagListFilters): boolean {
  return filters.search !== "" || filters.tags.length > 0 || filters.state !== null || filters.paused !== "all";
}

/** The address with some of its filters changed; any change but of the page leads back to the first one. */
export function changedParameters(
  before: URLSearchParams,
  change: Readonly<Record<string, string | readonly string[] | null>>,
): URLSearchParams {
  const after = new URLSearchParams(before);
  if (!("page" in change)) after.delete("page");
  for (const [name, value] of Object.entries(change)) {
    after.delete(name);
    const values = value === null ? [] : typeof value === "string" ? [value] : value;
    for (const one of values) if (one !== "") after.append(name, one);
  }
  return after;
}

function pausedFilter(text: string | null): PausedFilter | null {
  return text === "all" || text === "active" || text === "paused" ? text : null;
}
