/** What the scheduler asks of the store. */
import { at } from "./database.ts";
import { advanceBackfills } from "./engine/advance-backfills.ts";
import { createAssetRuns } from "./engine/asset-runs.ts";
import { auditOccupancy, auditRuns, auditTriggers } from "./engine/audit.ts";
import type { Engine } from "./engine/context.ts";
import { pauseDrained } from "./engine/draining.ts";
import { createDueRuns } from "./engine/due-runs.ts";
import { NEXT_DUE_WAIT, resumeDue } from "./engine/due-waits.ts";
import { offerAgain, rescueLost, timeOutRuns } from "./engine/liveness.ts";
import { lookAtRuns } from "./engine/looks.ts";
import { missDeadlines } from "./engine/missed-deadlines.ts";
import { enqueueScheduled, startDueRetries } from "./engine/retries.ts";
import { startQueuedRuns } from "./engine/start-runs.ts";
import type { SchedulerStore } from "./store.ts";

export function schedulerStore(engine: Engine): SchedulerStore {
  return {
    createAssetRuns: () => createAssetRuns(engine),
    createDueRuns: () => createDueRuns(engine),
    advanceBackfills: () => advanceBackfills(engine),
    pauseDrained: () => pauseDrained(engine),
    missDeadlines: () => missDeadlines(engine),
    startQueuedRuns: () => startQueuedRuns(engine),
    lookAtRuns: () => lookAtRuns(engine),
    startDueRetries: () => startDueRetries(engine),
    resumeDue: () => resumeDue(engine),
    enqueueScheduled: () => enqueueScheduled(engine),
    timeOutRuns: () => timeOutRuns(engine),
    offerAgain: (limits) => offerAgain(engine, limits),
    rescueLost: (leaseSeconds) => rescueLost(engine, leaseSeconds),
    async audit() {
      const counters = await auditOccupancy(engine);
      const triggers = await auditTriggers(engine);
      const runs = await auditRuns(engine);
      return { announcement: runs.announcement, corrected: [...counters, ...triggers, ...runs.corrected] };
    },
    async nextDueAt() {
      const [row] = await engine.db.rows<{ due: number | null }>({
        name: "next_due",
        text: `SELECT least(
            (SELECT min(evaluate_at) FROM dag WHERE NOT is_paused AND NOT is_stale AND NOT is_draining),
            (SELECT min(deadline_time) FROM deadline WHERE NOT missed),
            (SELECT min(t.next_retry_at) FROM task_instance t JOIN dag d USING (dag_id) WHERE t.state = 'up_for_retry' AND NOT d.is_paused),
            (SELECT min(due_at) FROM run_look),
            (SELECT min(timeout_at) FROM dag_run WHERE state = 'running'),
            ${NEXT_DUE_WAIT},
            (SELECT min(r.run_after) FROM dag_run r JOIN dag d USING (dag_id)
              WHERE r.state = 'queued' AND NOT d.is_paused AND r.run_after > $1)) AS due`,
        values: [at(engine.clock.now())],
      });
      return row?.due ?? null;
    },
  };
}
