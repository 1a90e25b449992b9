/** The last runs of a DAG as bars: height by duration, colour and title by state, each a link to its run. */
import type { DagRunLightResponse } from "@updraft/contract";
import { Link } from "react-router";
import { runPagePath } from "../app/paths.ts";
import { stateColor } from "../state/state-badge.tsx";
import { stateWords } from "../state/state-names.ts";
import { durationSeconds, formatDuration } from "../time/duration.ts";
import { formatInstant } from "../time/instant.ts";
import { barHeights } from "./bar-heights.ts";
import styles from "./recent-runs.module.css";

const HEIGHT = 26;

export function RecentRuns({ runs }: { readonly runs: readonly DagRunLightResponse[] }) {
  const oldestFirst = [...runs].sort((left, right) => left.run_after.localeCompare(right.run_after));
  const now = Date.now();
  const seconds = oldestFirst.map((run) => durationSeconds(run.start_date, run.end_date, now) ?? 0);
  const heights = barHeights(seconds, HEIGHT);
  return (
    <div className={styles.bars} style={{ height: HEIGHT }}>
      {oldestFirst.map((run, index) => {
        const words = `${stateWords(run.state)}, ${formatInstant(run.run_after)}, ${formatDuration(seconds[index])}`;
        return (
          <Link
            key={run.run_id}
            to={runPagePath(run.dag_id, run.run_id)}
            className={styles.bar}
            data-state={run.state}
            title={`${run.run_id}\n${words}`}
            aria-label={`Run ${run.run_id}: ${words}`}
          >
            <span style={{ height: heights[index], backgroundColor: stateColor(run.state) }} />
          </Link>
        );
      })}
    </div>
  );
}
