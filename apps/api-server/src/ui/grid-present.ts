/** What the grid shows: the tree of tasks, bars of runs, and a cell for each task and group of a run. Pure. */
import type { GridNode, GridRun, GridTaskSummary } from "@updraft/contract";
import type { Instant, TaskInstanceState } from "@updraft/dag-core";
import type { DagRunRow, TaskInstanceRow } from "@updraft/metadata-store";
import { iso } from "../http/iso.ts";
import { dagVersionResponseOf } from "../rest/present-dag.ts";
import type { VersionOf } from "../rest/version-lookup.ts";
import { type TreeNode, taskIdsBelow } from "./task-tree.ts";

export function gridNodeOf(node: TreeNode): GridNode {
  const { id, label } = node;
  if (node.kind === "group") return { id, label, children: node.children.map(gridNodeOf) };
  return { id, label, ...(node.task.doc_md === null ? {} : { doc_md: node.task.doc_md }) };
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

/** Cells of one run: its instances, and the groups above them. */
export function summariesOf(tree: readonly TreeNode[], instances: readonly TaskInstanceRow[]): GridTaskSummary[] {
  const byTask = Map.groupBy(instances, ({ task_id }) => task_id);
  const cells = [...byTask].map(([taskId, rows]) =>
    cellOf(
      taskId,
      taskId,
      rows,
      rows.some((row) => row.map_index >= 0),
    ),
  );
  return [...cells, ...tree.flatMap((node) => groupCells(node, byTask))];
}

function groupCells(node: TreeNode, byTask: ReadonlyMap<string, readonly TaskInstanceRow[]>): GridTaskSummary[] {
  if (node.kind === "task") return [];
  const rows = taskIdsBelow(node).flatMap((id) => byTask.get(id) ?? []);
  const inner = node.children.flatMap((child) => groupCells(child, byTask));
  return rows.length === 0 ? inner : [cellOf(node.id, node.label, rows, true), ...inner];
}

function cellOf(id: string, name: string, rows: readonly TaskInstanceRow[], isMany: boolean): GridTaskSummary {
  const states = new Set(rows.map(({ state }) => state));
  const starts = rows.flatMap(({ start_date }) => start_date ?? []);
  const ends = rows.flatMap(({ end_date }) => end_date ?? []);
  return {
    task_id: id,
    task_display_name: name,
    state: STATES_BY_URGENCY.find((state) => states.has(state)) ?? null,
    child_states: isMany ? countByState(rows) : null,
    min_start_date: iso(starts.length === 0 ? null : starts.reduce((one, other) => Math.min(one, other))),
    max_end_date: iso(ends.length === 0 ? null : ends.reduce((one, other) => Math.max(one, other))),
    dag_version_number: rows[0]?.dag_version_number ?? null,
    has_note: rows.some(({ note }) => note !== null),
  };
}

function countByState(rows: readonly TaskInstanceRow[]): Record<string, number> {
  const groups = Map.groupBy(rows, ({ state }) => state ?? "no_status");
  return Object.fromEntries([...groups].map(([state, members]) => [state, members.length]));
}
