/** Deadlines whose time passed: marked and logged once, then the DAGs of their callbacks are triggered. */
import { type DeadlineAlert, isoText, type JsonValue } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import { at } from "../database.ts";
import type { Announcement, SchedulingStep } from "../store.ts";
import type { Engine } from "./context.ts";
import { joined } from "./due-runs.ts";
import { triggerDagRun } from "./trigger.ts";

const BATCH = 100;
const CALLBACKS = 20;

/** What time passed is missed, whether its run still goes on or not; then the callbacks are started. */
export async function missDeadlines(engine: Engine): Promise<SchedulingStep> {
  const missed = await engine.db.rows<{ dag_id: string }>({
    name: "miss_deadlines",
    text: `WITH missed AS (
        UPDATE deadline SET missed = true, last_updated_at = $1, callback_state = CASE WHEN callback IS NOT NULL THEN 'pending' END
        WHERE id IN (SELECT id FROM deadline WHERE NOT missed AND deadline_time <= $1
          ORDER BY deadline_time LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
        RETURNING id, dag_run, alert_name),
      told AS (
        INSERT INTO log (dttm, event, dag_id, run_id, task_id, owner, extra)
        SELECT $1, 'deadline_missed', r.dag_id, r.run_id, NULL, NULL, json_build_object('deadline_id', m.id, 'alert_name', m.alert_name)
        FROM missed m JOIN dag_run r ON r.id = m.dag_run)
      SELECT DISTINCT r.dag_id FROM missed m JOIN dag_run r ON r.id = m.dag_run`,
    values: [at(engine.clock.now())],
  });
  const announcement: Announcement = missed.length === 0 ? NOTHING : { ...NOTHING, dags: missed };
  const called = await startCallbacks(engine);
  return { announcement: joined(announcement, called.announcement), more: missed.length === BATCH || called.more };
}

interface PendingCallback {
  readonly id: string;
  readonly deadline_time: number;
  readonly callback: NonNullable<DeadlineAlert["callback"]>;
  readonly dag_id: string;
  readonly run_id: string;
  readonly logical_date: number | null;
}

/** The run's id is the deadline's, so that a callback whose end was not written is not started again. */
async function startCallbacks(engine: Engine): Promise<SchedulingStep> {
  const pending = await engine.db.rows<PendingCallback>({
    name: "pending_callbacks",
    text: `SELECT n.id, n.deadline_time, n.callback, r.dag_id, r.run_id, r.logical_date
      FROM deadline n JOIN dag_run r ON r.id = n.dag_run
      WHERE n.callback_state = 'pending' ORDER BY n.last_updated_at LIMIT ${CALLBACKS}`,
  });
  let announcement: Announcement = NOTHING;
  for (const one of pending) {
    const result = await triggerDagRun(engine, {
      dag_id: one.callback.dag_id,
      run_id: `deadline__${one.id}`,
      logical_date: null,
      data_interval_start: null,
      data_interval_end: null,
      run_after: null,
      conf: { ...one.callback.conf, ...contextOf(one) },
      note: null,
      run_type: "operator_triggered",
      triggered_by: "operator",
      triggering_user_name: null,
    });
    if (result.kind === "created") announcement = joined(announcement, result.announcement);
    const isStarted = result.kind === "created" || result.reason === "already_exists";
    await engine.db.rows({
      name: "callback_done",
      text: "UPDATE deadline SET callback_state = $2 WHERE id = $1",
      values: [one.id, isStarted ? "queued" : "failed"],
    });
  }
  return { announcement, more: pending.length === CALLBACKS };
}

function contextOf({ id, deadline_time, dag_id, run_id, logical_date }: PendingCallback): Record<string, JsonValue> {
  return {
    dag_run: { dag_id, dag_run_id: run_id, logical_date: logical_date === null ? null : isoText(logical_date) },
    deadline: { id, deadline_time: isoText(deadline_time) },
  };
}
