/** The runs above the grid: bars by duration and state, signs of how they came about, marks of skipped ticks. */

import type { VirtualItem } from "@tanstack/react-virtual";
import type { GridRun } from "@updraft/contract";
import { barHeights } from "../dag-list/bar-heights.ts";
import { stateColor, stateTextColor } from "../state/state-badge.tsx";
import { stateWords } from "../state/state-names.ts";
import { formatDuration } from "../time/duration.ts";
import { formatInstant } from "../time/instant.ts";
import styles from "./grid.module.css";
import type { GridPosition, SkipMark } from "./grid-layout.ts";
import { cellId } from "./grid-line.tsx";

const BAR_HEIGHT = 68;
const RUN_TYPE_SIGNS: Readonly<Record<string, string>> = { manual: "▶", backfill: "◂", asset_triggered: "◆" };

interface GridHeaderProps {
  readonly runs: readonly GridRun[];
  readonly columns: readonly VirtualItem[];
  readonly width: number;
  readonly skips: ReadonlyMap<number, SkipMark>;
  readonly active: GridPosition;
}

export function GridHeader({ runs, columns, width, skips, active }: GridHeaderProps) {
  const seconds = runs.map((run) => run.duration);
  const heights = barHeights(seconds, BAR_HEIGHT);
  const last = columns.at(-1);
  return (
    // biome-ignore lint/a11y: the row belongs to the grid, which takes focus and keys for it.
    <div className={styles.header} style={{ width }} role="row" aria-rowindex={1}>
      <div className={styles.corner}>
        <span>longest {formatDuration(Math.max(0, ...seconds))}</span>
      </div>
      {columns.map((column) => {
        const run = runs[column.index];
        if (run === undefined) return null;
        const isActive = active.row === -1 && active.column === column.index;
        return (
          <RunBar key={run.run_id} run={run} column={column} isActive={isActive} height={heights[column.index] ?? 0} />
        );
      })}
      {columns.map((column) => (
        <Skip key={column.key} left={column.start} mark={skips.get(column.index)} />
      ))}
      {last !== undefined && <Skip left={last.end} mark={skips.get(last.index + 1)} />}
    </div>
  );
}

interface RunBarProps {
  readonly run: GridRun;
  readonly column: VirtualItem;
  readonly isActive: boolean;
  readonly height: number;
}

function RunBar({ run, column, isActive, height }: RunBarProps) {
  const words = [
    run.run_id,
    stateWords(run.state),
    run.run_type,
    formatInstant(run.run_after),
    formatDuration(run.duration),
  ].join("\n");
  return (
    // biome-ignore lint/a11y: as above.
    <div
      id={cellId(-1, column.index)}
      className={isActive ? `${styles.run} ${styles.active}` : styles.run}
      style={{ left: column.start }}
      role="columnheader"
      aria-label={words}
      title={words}
      data-row={-1}
      data-column={column.index}
    >
      <span
        className={run.state === "running" ? "state-pulse" : ""}
        style={{ height, backgroundColor: stateColor(run.state) }}
      />
      <em style={{ color: stateTextColor(run.state) }}>{RUN_TYPE_SIGNS[run.run_type] ?? ""}</em>
    </div>
  );
}

function Skip({ left, mark }: { readonly left: number; readonly mark: SkipMark | undefined }) {
  if (mark === undefined) return null;
  return <span className={styles.skip} style={{ left }} role="img" title={mark.words} aria-label={mark.words} />;
}
