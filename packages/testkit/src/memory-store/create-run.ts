/** A new run in the in-memory store, started at once where the limits allow. */
import { hasInstance } from "@updraft/dag-core";
import type { MemoryContext } from "./context.ts";
import { type MemoryDag, type MemoryInstance, type MemoryRun, newest } from "./tables.ts";
import type { Transition } from "./transition.ts";

export type NewMemoryRun = Pick<
  MemoryRun,
  | "run_id"
  | "run_type"
  | "triggered_by"
  | "triggering_user_name"
  | "logical_date"
  | "data_interval_start"
  | "data_interval_end"
  | "run_after"
  | "conf"
  | "note"
>;

/** Null where the run id or the logical date is taken. */
export function createRun(
  { tables, ids }: MemoryContext,
  turn: Transition,
  dag: MemoryDag,
  facts: NewMemoryRun,
): MemoryRun | null {
  const taken = tables.runs.some(
    (run) =>
      run.dag === dag &&
      (run.run_id === facts.run_id || (facts.logical_date !== null && run.logical_date === facts.logical_date)),
  );
  if (taken) return null;
  const version = newest(dag);
  const run: MemoryRun = {
    ...facts,
    ...{ id: tables.runs.length + 1, dag, version, instances: [], state: "queued", queued_at: turn.now },
    ...{ start_date: null, end_date: null, timeout_at: null, last_scheduling_decision: null, clear_number: 0 },
  };
  tables.runs.push(run);
  for (const task of version.form.tasks.filter((one) => hasInstance(one, facts))) {
    const weight = version.weights.get(task.task_id) ?? 1;
    const instance = newInstance(ids.uuid(), run, task, weight);
    run.instances.push(instance);
    tables.instances.set(instance.id, instance);
  }
  turn.touch(run);
  const hasRoom = tables.runningRuns(dag) < version.form.max_active_runs;
  if (dag.is_paused || run.run_after > turn.now || !hasRoom) {
    turn.wakeScheduler();
    return run;
  }
  turn.setRunState(run, "running");
  turn.decideAll();
  return run;
}

function newInstance(
  id: string,
  run: MemoryRun,
  task: MemoryInstance["task"],
  priority_weight: number,
): MemoryInstance {
  return {
    ...{ id, run, task, priority_weight, map_index: -1, history: [], xcoms: new Map(), requeues: new Map() },
    ...{ state: null, cause: null, try_number: 0, max_tries: task.retries, offer_number: 0 },
    ...{ start_date: null, end_date: null, queued_when: null, next_retry_at: null, last_offer_at: null },
    ...{ last_heartbeat_at: null, hostname: null, pid: null },
  };
}
