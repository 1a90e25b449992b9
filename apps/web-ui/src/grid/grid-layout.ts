/** The grid's rows and columns. Pure: tasks and groups in, lines and order out. */
import type { GridNode, GridRun } from "@updraft/contract";
import type { SkippedTicks } from "../api/dags.ts";

export interface GridRow {
  readonly id: string;
  readonly label: string;
  readonly depth: number;
  readonly isGroup: boolean;
  readonly isMapped: boolean;
  /** Of groups: whether their tasks show. */
  readonly isOpen: boolean;
}

/** Tasks and groups as lines, without what is inside closed groups. */
export function gridRows(nodes: readonly GridNode[], closedGroups: ReadonlySet<string>, depth = 0): readonly GridRow[] {
  return nodes.flatMap((node) => {
    const isGroup = node.children !== undefined && node.children !== null;
    const isOpen = isGroup && !closedGroups.has(node.id);
    const row = { id: node.id, label: node.label, depth, isGroup, isMapped: node.is_mapped === true, isOpen };
    return isOpen ? [row, ...gridRows(node.children ?? [], closedGroups, depth + 1)] : [row];
  });
}

export function groupIds(nodes: readonly GridNode[]): readonly string[] {
  return nodes.flatMap((node) => (node.children ? [node.id, ...groupIds(node.children)] : []));
}

/** Oldest first, so that the newest is at the right. */
export function gridColumns(runs: readonly GridRun[]): readonly GridRun[] {
  return [...runs].sort((left, right) => Date.parse(left.run_after) - Date.parse(right.run_after));
}

export interface SkipMark {
  readonly count: number;
  readonly words: string;
}

type SkippedTick = SkippedTicks["skipped_ticks"][number];

/**
 * Skipped ticks by the column they come before; `columns.length` is after the last. Ticks before the first column are
 * left out: the runs around them are not shown either.
 */
export function placeSkippedTicks(
  columns: readonly GridRun[],
  ticks: readonly SkippedTick[],
): ReadonlyMap<number, SkipMark> {
  const marks = new Map<number, SkipMark>();
  for (const tick of ticks) {
    const place = columns.filter((run) => Date.parse(run.run_after) <= Date.parse(tick.last_tick)).length;
    if (place === 0 && columns.length > 0) continue;
    const before = marks.get(place);
    const words = `${tick.count} skipped: ${tick.cause}`;
    marks.set(place, {
      count: (before?.count ?? 0) + tick.count,
      words: before === undefined ? words : `${before.words}\n${words}`,
    });
  }
  return marks;
}

export interface GridPosition {
  readonly row: number;
  readonly column: number;
}

/** Where an arrow key leads; null for other keys. Row -1 is the line of runs above the tasks. */
export function movedPosition(from: GridPosition, key: string, rows: number, columns: number): GridPosition | null {
  const row = (next: number): GridPosition => ({ ...from, row: clamp(next, -1, rows - 1) });
  const column = (next: number): GridPosition => ({ ...from, column: clamp(next, 0, columns - 1) });
  switch (key) {
    case "ArrowUp":
      return row(from.row - 1);
    case "ArrowDown":
      return row(from.row + 1);
    case "ArrowLeft":
      return column(from.column - 1);
    case "ArrowRight":
      return column(from.column + 1);
    case "Home":
      return column(0);
    case "End":
      return column(columns - 1);
    default:
      return null;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
