/**
 * Tasks as rows, runs as columns. Only rows and columns in sight are rendered, clicks are taken at the edge of the grid,
 * and the marked cell moves by keys: one focusable element, whatever the number of cells.
 */

import { useVirtualizer } from "@tanstack/react-virtual";
import type { GridRun } from "@updraft/contract";
import { type KeyboardEvent, type MouseEvent, useLayoutEffect, useRef, useState } from "react";
import type { TaskSummaries } from "../api/grid.ts";
import { cellWords } from "./cell-look.ts";
import styles from "./grid.module.css";
import { GridHeader } from "./grid-header.tsx";
import { type GridPosition, type GridRow, movedPosition, type SkipMark } from "./grid-layout.ts";
import { cellId, GridLine } from "./grid-line.tsx";

const ROW_HEIGHT = 24;
const COLUMN_WIDTH = 22;
const LABEL_WIDTH = 260;
const HEADER_HEIGHT = 84;

interface GridProps {
  readonly rows: readonly GridRow[];
  readonly runs: readonly GridRun[];
  readonly summaries: ReadonlyMap<string, TaskSummaries>;
  readonly skips: ReadonlyMap<number, SkipMark>;
  onOpen(run: GridRun, row: GridRow | undefined): void;
  onToggle(groupId: string): void;
}

export function Grid({ rows, runs, summaries, skips, onOpen, onToggle }: GridProps) {
  const viewport = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<GridPosition>({ row: -1, column: Math.max(0, runs.length - 1) });
  const lines = useVirtualizer({
    count: rows.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => ROW_HEIGHT,
    scrollPaddingStart: HEADER_HEIGHT,
    overscan: 8,
  });
  const columns = useVirtualizer({
    horizontal: true,
    count: runs.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => COLUMN_WIDTH,
    paddingStart: LABEL_WIDTH,
    scrollPaddingStart: LABEL_WIDTH,
    overscan: 6,
  });
  useNewestInSight(viewport, runs.length);

  const move = (to: GridPosition): void => {
    setActive(to);
    if (to.row >= 0) lines.scrollToIndex(to.row);
    columns.scrollToIndex(to.column);
  };
  const open = ({ row, column }: GridPosition): void => {
    const run = runs[column];
    if (run !== undefined) onOpen(run, rows[row]);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    const row = rows[active.row];
    const to = movedPosition(active, event.key, rows.length, runs.length);
    if (to !== null) move(to);
    else if (event.key === "Enter") open(active);
    else if (event.key === " " && row?.isGroup === true) onToggle(row.id);
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent): void => {
    const cell = cellAt(event);
    if (cell === null) return;
    const position = { row: Number(cell.dataset.row), column: Number(cell.dataset.column) };
    setActive(position);
    open(position);
  };

  /** Words of thousands of cells cost more than the cells: they are made for the one that is pointed at. */
  const onPointerOver = (event: MouseEvent): void => {
    const cell = cellAt(event);
    const row = rows[Number(cell?.dataset.row)];
    const run = runs[Number(cell?.dataset.column)];
    if (cell === null || row === undefined || run === undefined) return;
    const tasks = summaries.get(run.run_id);
    cell.title = tasks === undefined ? "loading" : cellWords(row.id, run.run_id, tasks.get(row.id));
  };

  const shownColumns = columns.getVirtualItems();
  const width = Math.max(columns.getTotalSize() + COLUMN_WIDTH, LABEL_WIDTH);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table can't be virtualised in two directions.
    <div
      ref={viewport}
      className={styles.viewport}
      style={{ height: HEADER_HEIGHT + rows.length * ROW_HEIGHT + 24 }}
      role="grid"
      tabIndex={0}
      aria-label="Runs and their tasks"
      aria-rowcount={rows.length + 1}
      aria-colcount={runs.length}
      aria-activedescendant={cellId(active.row, active.column)}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onPointerOver={onPointerOver}
    >
      <GridHeader runs={runs} columns={shownColumns} width={width} skips={skips} active={active} />
      <div style={{ position: "relative", width, height: lines.getTotalSize() }}>
        {lines.getVirtualItems().map((line) => {
          const row = rows[line.index];
          if (row === undefined) return null;
          return (
            <GridLine
              key={row.id}
              row={row}
              index={line.index}
              top={line.start}
              columns={shownColumns}
              runs={runs}
              summaries={summaries}
              activeColumn={active.row === line.index ? active.column : null}
              onToggle={onToggle}
            />
          );
        })}
      </div>
    </div>
  );
}

function cellAt(event: MouseEvent): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>("[data-column]") : null;
}

/** The newest run is at the right edge: that is where the grid opens, and where it stays as runs come in. */
function useNewestInSight(viewport: React.RefObject<HTMLDivElement | null>, runs: number): void {
  useLayoutEffect(() => {
    const element = viewport.current;
    if (element !== null && runs > 0) element.scrollLeft = element.scrollWidth;
  }, [viewport, runs]);
}
