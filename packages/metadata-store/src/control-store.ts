/** What people and other programs change, and who lives. */
import { batched } from "./batcher.ts";
import { at } from "./database.ts";
import { clearTaskInstances } from "./engine/clear.ts";
import type { Engine } from "./engine/context.ts";
import { deleteDagRun, deleteTaskInstance } from "./engine/delete.ts";
import { setDagDraining } from "./engine/draining.ts";
import { respond } from "./engine/human-input.ts";
import { patchDagRun, setDagPaused } from "./engine/mark.ts";
import { markTaskInstances } from "./engine/mark-tasks.ts";
import { triggerDagRuns } from "./engine/trigger.ts";
import type { ControlStore } from "./store.ts";

/** Fewer than tries, as a run brings all its tasks. */
const MOST_TRIGGERS_TOGETHER = 50;

export function controlStore(engine: Engine): Omit<ControlStore, "savePool" | "deletePool"> {
  const { db, clock } = engine;
  return {
    triggerDagRun: batched(MOST_TRIGGERS_TOGETHER, (requests) => triggerDagRuns(engine, requests)),
    setDagDraining: (dagId, draining) => setDagDraining(engine, dagId, draining),
    setDagPaused: (dagId, paused) => setDagPaused(engine, dagId, paused),
    patchDagRun: (dagId, runId, patch) => patchDagRun(engine, dagId, runId, patch),
    markTaskInstances: (request) => markTaskInstances(engine, request),
    respond: (tiId, response) => respond(engine, tiId, response),
    deleteDagRun: (dagId, runId) => deleteDagRun(engine, dagId, runId),
    deleteTaskInstance: (address) => deleteTaskInstance(engine, address),
    clearTaskInstances: (request) => clearTaskInstances(engine, request),

    async setTaskInstanceNote({ dag_id, run_id, task_id, map_index }, note) {
      const rows = await db.rows({
        text: `UPDATE task_instance SET note = $5 WHERE dag_id = $1 AND run_id = $2 AND task_id = $3 AND map_index = $4 RETURNING id`,
        values: [dag_id, run_id, task_id, map_index, note],
      });
      return rows.length > 0;
    },

    async saveUser({ username, password_hash, password_is_own }) {
      await db.rows({
        text: `INSERT INTO user_account (username, password_hash, password_is_own) VALUES ($1, $2, $3)
          ON CONFLICT (username) DO UPDATE SET password_hash = $2, password_is_own = $3`,
        values: [username, password_hash, password_is_own],
      });
    },

    async reportJob(report) {
      await db.rows({
        name: "report_job",
        text: `INSERT INTO job AS j (name, job_type, state, hostname, unixname, queues, concurrency, running, log_server_url,
            start_date, latest_heartbeat, end_date)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp(), clock_timestamp(),
            CASE WHEN $3 = 'stopped' THEN clock_timestamp() END)
          ON CONFLICT (name) DO UPDATE SET state = $3, queues = $6, concurrency = $7, running = $8, log_server_url = $9,
            latest_heartbeat = clock_timestamp(), end_date = CASE WHEN $3 = 'stopped' THEN clock_timestamp() END`,
        values: [
          report.name,
          report.job_type,
          report.state,
          report.hostname,
          report.unixname,
          report.queues ?? [],
          report.concurrency ?? null,
          report.running ?? null,
          report.log_server_url ?? null,
        ],
      });
    },

    async logEvent({ event, dag_id, run_id, task_id, owner, extra }) {
      await db.rows({
        text: "INSERT INTO log (dttm, event, dag_id, run_id, task_id, owner, extra) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        values: [at(clock.now()), event, dag_id, run_id, task_id, owner, extra],
      });
    },
  };
}
