/** One task or group across the runs in sight. */

import type { VirtualItem } from "@tanstack/react-virtual";
import type { GridRun, GridTaskSummary } from "@updraft/contract";
import { ChevronDown, ChevronRight } from "lucide-react";
import { memo } from "react";
import type { TaskSummaries } from "../api/grid.ts";
import { stateTextColor } from "../state/state-badge.tsx";
import { stateName, stateWords } from "../state/state-names.ts";
import { cellFill, signOf } from "./cell-look.ts";
import styles from "./grid.module.css";
import type { GridRow } from "./grid-layout.ts";

const INDENT = 20;

interface GridLineProps {
  readonly row: GridRow;
  readonly index: number;
  readonly top: number;
  readonly columns: readonly VirtualItem[];
  readonly runs: readonly GridRun[];
  readonly summaries: ReadonlyMap<string, TaskSummaries>;
  /** Where the marked cell is in this row. */
  readonly activeColumn: number | null;
  onToggle(groupId: string): void;
}

export const GridLine = memo(function GridLine(props: GridLineProps) {
  const { row, index, top, columns, runs, summaries, activeColumn, onToggle } = props;
  return (
    // biome-ignore lint/a11y: rows and cells belong to the grid, which takes focus and keys for all of them.
    <div className={styles.row} style={{ top }} role="row" aria-rowindex={index + 2}>
      <RowLabel row={row} onToggle={onToggle} />
      {columns.map((column) => {
        const run = runs[column.index];
        if (run === undefined) return null;
        return (
          <GridCell
            key={run.run_id}
            taskId={row.id}
            summary={summaries.get(run.run_id)?.get(row.id)}
            row={index}
            column={column.index}
            left={column.start}
            isActive={activeColumn === column.index}
          />
        );
      })}
    </div>
  );
});

interface GridCellProps {
  readonly taskId: string;
  /** Missing where the run lacks the task, and until it is known. */
  readonly summary: GridTaskSummary | undefined;
  readonly row: number;
  readonly column: number;
  readonly left: number;
  readonly isActive: boolean;
}

/** Thousands are drawn: a change of one run must not draw the cells of the others. */
const GridCell = memo(function GridCell({ taskId, summary, row, column, left, isActive }: GridCellProps) {
  const isEmpty = summary === undefined;
  return (
    // biome-ignore lint/a11y: as above.
    <div
      id={cellId(row, column)}
      className={isActive ? `${styles.cell} ${styles.active}` : styles.cell}
      style={{ left }}
      role="gridcell"
      aria-label={isEmpty ? taskId : `${taskId}: ${stateWords(summary.state)}`}
      data-row={row}
      data-column={column}
      data-state={isEmpty ? undefined : stateName(summary.state)}
    >
      <i
        data-sign={isEmpty ? "" : signOf(summary.state)}
        style={isEmpty ? EMPTY : { background: cellFill(summary), color: stateTextColor(summary.state) }}
      />
    </div>
  );
});

const EMPTY = { border: "1px dashed var(--mantine-color-default-border)" } as const;

export function cellId(row: number, column: number): string {
  return `grid-${row}-${column}`;
}

function RowLabel({ row, onToggle }: Pick<GridLineProps, "row" | "onToggle">) {
  const Chevron = row.isOpen ? ChevronDown : ChevronRight;
  return (
    // biome-ignore lint/a11y: as above.
    <div className={styles.label} style={{ paddingLeft: 8 + row.depth * INDENT }} role="rowheader" title={row.id}>
      {row.isGroup ? (
        <button
          type="button"
          className={styles.toggle}
          aria-expanded={row.isOpen}
          tabIndex={-1}
          onClick={() => onToggle(row.id)}
        >
          <Chevron size={16} aria-hidden="true" />
          {row.label}
        </button>
      ) : (
        row.label
      )}
      {row.isMapped && " [ ]"}
    </div>
  );
}
