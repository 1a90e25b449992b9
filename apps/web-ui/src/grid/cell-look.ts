/** How a cell of the grid looks: its sign, its fill, its words. Pure. */
import type { GridTaskSummary } from "@updraft/contract";
import { childStatesWords, type StateName, sortedChildStates, stateName, stateWords } from "../state/state-names.ts";
import { formatInstant } from "../time/instant.ts";

/** One character beside the colour; fonts everywhere have them. */
const SIGNS: Readonly<Record<StateName, string>> = {
  success: "✓",
  running: "▸",
  failed: "✕",
  upstream_failed: "↑",
  skipped: "»",
  up_for_retry: "↻",
  up_for_reschedule: "⏲",
  queued: "≡",
  scheduled: "◷",
  deferred: "⧖",
  awaiting_input: "?",
  removed: "−",
  restarting: "⟳",
  none: "",
};

export function signOf(state: string | null | undefined): string {
  return SIGNS[stateName(state)];
}

/** The state's colour; of a group or a mapped task with several states a bar of them, by share. */
export function cellFill(summary: GridTaskSummary | undefined): string {
  const parts = summary?.child_states ? sortedChildStates(summary.child_states) : [];
  if (parts.length < 2) return `var(--state-${stateName(summary?.state)})`;
  const total = parts.reduce((sum, [, count]) => sum + count, 0);
  let from = 0;
  const stops = parts.map(([state, count]) => {
    const to = from + (count / total) * 100;
    const stop = `var(--state-${stateName(state)}) ${from.toFixed(1)}% ${to.toFixed(1)}%`;
    from = to;
    return stop;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

export function cellWords(taskId: string, runId: string, summary: GridTaskSummary | undefined): string {
  if (summary === undefined) return `${taskId}\n${runId}\nnot in this run`;
  const lines = [taskId, runId, stateWords(summary.state)];
  if (summary.child_states !== null) lines.push(childStatesWords(summary.child_states));
  if (summary.min_start_date !== null) lines.push(`started ${formatInstant(summary.min_start_date)}`);
  if (summary.max_end_date !== null) lines.push(`ended ${formatInstant(summary.max_end_date)}`);
  return lines.join("\n");
}
