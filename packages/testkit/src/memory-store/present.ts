/** Rows of the in-memory store as callers read them. */
import type { DagRunRow, TaskInstanceRow } from "@updraft/metadata-store";
import type { MemoryInstance, MemoryRun } from "./tables.ts";

export function runRow(run: MemoryRun): DagRunRow {
  const { instances: _instances, dag, version, id: _id, timeout_at: _timeout, ...rest } = run;
  return { ...rest, partition_key: null, dag_id: dag.dag_id, dag_version_number: version.number };
}

export function instanceRow(instance: MemoryInstance): TaskInstanceRow {
  const {
    run,
    task,
    history: _history,
    xcoms: _xcoms,
    last_offer_at: _offered,
    offer_number: _number,
    ...rest
  } = instance;
  const { task_id, pool, pool_slots, queue, operator_name: operator } = task;
  return {
    ...rest,
    ...{ dag_id: run.dag.dag_id, run_id: run.run_id, logical_date: run.logical_date, run_after: run.run_after },
    ...{ task_id, pool, pool_slots, queue, operator, note: null, unixname: null, scheduled_when: null },
    rendered_map_index: null,
    deferral: null,
    dag_version_number: run.version.number,
  };
}
