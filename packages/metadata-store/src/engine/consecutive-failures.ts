/** `max_consecutive_failed_dag_runs`: a DAG whose last runs all failed pauses itself and says why. */
import { at } from "../database.ts";
import type { EngineRun } from "./runs.ts";
import type { Turn } from "./turn.ts";

/** Called while the run fails, before its state is written; the runs of this transaction that fail count already. */
export async function pauseAfterFailures(turn: Turn, run: EngineRun, most: number): Promise<void> {
  const cause = `The last ${most} runs failed (max_consecutive_failed_dag_runs)`;
  const paused = await turn.tx.rows({
    name: "pause_after_failures",
    text: `WITH paused AS (
        UPDATE dag d SET is_paused = true, pause_cause = $4
        WHERE d.dag_id = $1 AND NOT d.is_paused AND $3 <= (
          SELECT count(*) FILTER (WHERE l.state = 'failed' OR l.id = $2) FROM (
            SELECT r.id, r.state FROM dag_run r WHERE r.dag_id = $1 ORDER BY r.run_after DESC, r.id DESC LIMIT $3) l)
        RETURNING d.dag_id)
      INSERT INTO log (dttm, event, dag_id, run_id, owner, extra)
        SELECT $5, 'paused', dag_id, $6, 'scheduler', $7 FROM paused RETURNING id`,
    values: [run.dag_id, run.id, most, cause, at(turn.now), run.run_id, JSON.stringify({ is_paused: true, cause })],
  });
  if (paused.length > 0) turn.tidings.dags.push({ dag_id: run.dag_id, is_paused: true });
}
