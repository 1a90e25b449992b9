/** What the grid shows: the tree of tasks, bars of runs, and a cell for each task and group of a run. Pure. */
import type { GridNode, GridRun, GridTaskSummary } from "@updraft/contract";
import type { Instant, TaskInstanceState } from "@updraft/dag-core";
import type { DagRunRow, TaskStateCount } from "@updraft/metadata-store";
import { iso } from "../http/iso.ts";
import { dagVersionResponseOf } from "../rest/present-dag.ts";
import type { VersionOf } from "../rest/version-lookup.ts";
import { type TreeNode, taskIdsBelow } from "./task-tree.ts";

export function gridNodeOf(node: TreeNode): GridNode {
  const named = { id: node.id, label: node.label, ...(node.isMapped ? { is_mapped: true } : {}) };
  if (node.kind === "group") return { ...named, children: node.children.map(gridNodeOf) };
  return { ...named, ...(node.task.doc_md === null ? {} : { doc_md: node.task.doc_md }) };
}

export function gridRunOf(run: DagRunRow, versionOf: VersionOf, now: Instant): GridRun {
  const version = versionOf(run);
  const start = run.start_date ?? run.queued_at ?? now;
  return {
    dag_id: run.dag_id,
    run_id: run.run_id,
    queued_at: iso(run.queued_at),
    start_date: iso(run.start_date),
    end_date: iso(run.end_date),
    run_after: iso(run.run_after),
    state: run.state,
    run_type: run.run_type,
    dag_versions: version === undefined ? [] : [dagVersionResponseOf(version)],
    has_missed_deadline: false,
    has_note: run.note !== null,
    duration: Math.max(0, (run.end_date ?? now) - start) / 1000,
  };
}

/** Of the states below a group, the first of these is the group's; as in Airflow's grid. */
const STATES_BY_URGENCY: readonly TaskInstanceState[] = [
  "failed",
  "upstream_failed",
  "up_for_retry",
  "up_for_reschedule",
  "queued",
  "scheduled",
  "deferred",
  "awaiting_input",
  "running",
  "restarting",
  null,
  "success",
  "skipped",
  "removed",
];

/** Cells of one run: its tasks, and the groups above them. */
export function summariesOf(tree: readonly TreeNode[], counts: readonly TaskStateCount[]): GridTaskSummary[] {
  const byTask = Map.groupBy(counts, ({ task_id }) => task_id);
  const cells = [...byTask].map(([taskId, own]) =>
    cellOf(
      taskId,
      taskId,
      own,
      own.some(({ is_expanded }) => is_expanded),
    ),
  );
  return [...cells, ...tree.flatMap((node) => groupCells(node, byTask))];
}

function groupCells(node: TreeNode, byTask: ReadonlyMap<string, readonly TaskStateCount[]>): GridTaskSummary[] {
  if (node.kind === "task") return [];
  const counts = taskIdsBelow(node).flatMap((id) => byTask.get(id) ?? []);
  const inner = node.children.flatMap((child) => groupCells(child, byTask));
  return counts.length === 0 ? inner : [cellOf(node.id, node.label, counts, true), ...inner];
}

function cellOf(id: string, name: string, counts: readonly TaskStateCount[], isMany: boolean): GridTaskSummary {
  const states = new Set(counts.map(({ state }) => state));
  const starts = counts.flatMap(({ min_start_date }) => min_start_date ?? []);
  const ends = counts.flatMap(({ max_end_date }) => max_end_date ?? []);
  return {
    task_id: id,
    task_display_name: name,
    state: STATES_BY_URGENCY.find((state) => states.has(state)) ?? null,
    child_states: isMany ? sumsByState(counts) : null,
    min_start_date: iso(starts.length === 0 ? null : Math.min(...starts)),
    max_end_date: iso(ends.length === 0 ? null : Math.max(...ends)),
    dag_version_number: counts[0]?.dag_version_number ?? null,
    has_note: counts.some(({ has_note }) => has_note),
  };
}

function sumsByState(counts: readonly TaskStateCount[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { state, count } of counts) sums[state ?? "no_status"] = (sums[state ?? "no_status"] ?? 0) + count;
  return sums;
}
