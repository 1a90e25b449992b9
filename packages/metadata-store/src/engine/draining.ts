/** A draining DAG makes no scheduled runs any more; what runs ends, and then the DAG is paused. */
import { NOTHING } from "../announcement.ts";
import { at } from "../database.ts";
import type { Announcement, SchedulingStep } from "../store.ts";
import type { Engine } from "./context.ts";

/** Null where the DAG does not exist. To go on means that ticks meanwhile were skipped, as after a pause. */
export async function setDagDraining(engine: Engine, dagId: string, draining: boolean): Promise<Announcement | null> {
  const rows = await engine.db.rows<{ dag_id: string }>({
    name: "set_draining",
    text: `UPDATE dag SET is_draining = $2 AND NOT is_paused,
        skip_cause = CASE WHEN is_draining AND NOT $2 THEN 'The DAG was draining' ELSE skip_cause END,
        evaluate_at = CASE WHEN is_draining AND NOT $2 THEN $3 ELSE evaluate_at END,
        next_dagrun_run_after = CASE WHEN is_draining AND NOT $2 THEN NULL ELSE next_dagrun_run_after END
      WHERE dag_id = $1 RETURNING dag_id`,
    values: [dagId, draining, at(engine.clock.now())],
  });
  if (rows.length === 0) return null;
  return { ...NOTHING, dags: [{ dag_id: dagId }], wake_scheduler: true };
}

export async function pauseDrained(engine: Engine): Promise<SchedulingStep> {
  const paused = await engine.db.rows<{ dag_id: string }>({
    name: "pause_drained",
    text: `UPDATE dag d SET is_paused = true, is_draining = false WHERE d.is_draining
        AND NOT EXISTS (SELECT FROM dag_run r WHERE r.dag_id = d.dag_id AND r.state IN ('queued', 'running'))
      RETURNING dag_id`,
  });
  return { announcement: { ...NOTHING, dags: paused.map(({ dag_id }) => ({ dag_id, is_paused: true })) }, more: false };
}
