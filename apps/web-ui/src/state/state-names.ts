/** Airflow's states of runs and task instances: their order in legends, and the words people read. */

/** From the most pressing to the least: the order of legends and of segments in a bar. */
export const STATE_ORDER = [
  "failed",
  "upstream_failed",
  "up_for_retry",
  "running",
  "restarting",
  "queued",
  "scheduled",
  "deferred",
  "awaiting_input",
  "up_for_reschedule",
  "success",
  "skipped",
  "removed",
  "none",
] as const;
export type StateName = (typeof STATE_ORDER)[number];

const FINISHED: ReadonlySet<string> = new Set(["success", "failed", "skipped", "upstream_failed", "removed"]);

/** The name that colours and icons go by. Groups call what has no state yet "no_status". */
export function stateName(state: string | null | undefined): StateName {
  return STATE_ORDER.find((name) => name === state) ?? "none";
}

/** "up_for_retry" as "up for retry"; what has no state yet as "no status". */
export function stateWords(state: string | null | undefined): string {
  const name = stateName(state);
  return name === "none" ? "no status" : name.replaceAll("_", " ");
}

export function isFinishedState(state: string | null | undefined): boolean {
  return FINISHED.has(state ?? "");
}

/** "3 success, 1 failed": what a group or a mapped task holds. */
export function childStatesWords(childStates: Readonly<Record<string, number>>): string {
  return sortedChildStates(childStates)
    .map(([state, count]) => `${count} ${stateWords(state)}`)
    .join(", ");
}

export function sortedChildStates(childStates: Readonly<Record<string, number>>): [string, number][] {
  const rank = (state: string): number => STATE_ORDER.indexOf(stateName(state));
  return Object.entries(childStates)
    .filter(([, count]) => count > 0)
    .sort(([left], [right]) => rank(left) - rank(right));
}
