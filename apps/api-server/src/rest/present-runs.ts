/** Runs, task instances and tries as REST v2 shows them. */
import type {
  DagRunResponse,
  JobResponse,
  TaskInstanceHistoryResponse,
  TaskInstanceResponse,
  XcomEntryResponse,
} from "@updraft/contract";
import { DAG_RUN_TRIGGERS } from "@updraft/contract";
import type { DagRunRow, DeferralRow, JobRow, TaskInstanceRow, XComRow } from "@updraft/metadata-store";
import { iso, secondsBetween } from "../http/iso.ts";
import { dagVersionResponseOf } from "./present-dag.ts";
import type { VersionOf } from "./version-lookup.ts";

export function dagRunResponseOf(run: DagRunRow, versionOf: VersionOf): DagRunResponse {
  const version = versionOf(run);
  return {
    dag_run_id: run.run_id,
    dag_id: run.dag_id,
    logical_date: iso(run.logical_date),
    queued_at: iso(run.queued_at),
    start_date: iso(run.start_date),
    end_date: iso(run.end_date),
    duration: secondsBetween(run.start_date, run.end_date),
    data_interval_start: iso(run.data_interval_start),
    data_interval_end: iso(run.data_interval_end),
    run_after: iso(run.run_after),
    last_scheduling_decision: iso(run.last_scheduling_decision),
    run_type: run.run_type,
    state: run.state,
    triggered_by: DAG_RUN_TRIGGERS.find((trigger) => trigger === run.triggered_by) ?? null,
    triggering_user_name: run.triggering_user_name,
    conf: run.conf,
    note: run.note,
    dag_versions: version === undefined ? [] : [dagVersionResponseOf(version)],
    bundle_version: null,
    dag_display_name: version?.dag_display_name ?? run.dag_id,
    partition_key: run.partition_key,
    partition_date: null,
  };
}

export function tryResponseOf(row: TaskInstanceRow, versionOf: VersionOf): TaskInstanceHistoryResponse {
  const version = versionOf(row);
  return {
    task_id: row.task_id,
    dag_id: row.dag_id,
    dag_run_id: row.run_id,
    map_index: row.map_index,
    start_date: iso(row.start_date),
    end_date: iso(row.end_date),
    duration: secondsBetween(row.start_date, row.end_date),
    state: row.state,
    try_number: row.try_number,
    max_tries: row.max_tries,
    task_display_name: row.task_id,
    dag_display_name: version?.dag_display_name ?? row.dag_id,
    hostname: row.hostname,
    unixname: row.unixname,
    pool: row.pool,
    pool_slots: row.pool_slots,
    queue: row.queue,
    priority_weight: row.priority_weight,
    operator: row.operator,
    operator_name: row.operator,
    queued_when: iso(row.queued_when),
    scheduled_when: iso(row.scheduled_when),
    pid: row.pid,
    executor: null,
    executor_config: "{}",
    dag_version: version === undefined ? null : dagVersionResponseOf(version),
  };
}

export function taskInstanceResponseOf(row: TaskInstanceRow, versionOf: VersionOf): TaskInstanceResponse {
  return {
    ...tryResponseOf(row, versionOf),
    id: row.id,
    logical_date: iso(row.logical_date),
    run_after: iso(row.run_after),
    note: row.note,
    rendered_map_index: row.rendered_map_index,
    rendered_fields: {},
    trigger: triggerResponseOf(row.deferral),
    triggerer_job: row.deferral?.job == null ? null : jobResponseOf(row.deferral.job),
  };
}

function triggerResponseOf(deferral: DeferralRow | null): TaskInstanceResponse["trigger"] {
  if (deferral === null) return null;
  const { id, classpath, kwargs, queue, created_date, job } = deferral;
  const created = iso(created_date);
  return { id, classpath, kwargs: JSON.stringify(kwargs), created_date: created, queue, triggerer_id: job?.id ?? null };
}

export function xcomEntryResponseOf(row: XComRow): XcomEntryResponse {
  return {
    key: row.key,
    timestamp: iso(row.timestamp),
    logical_date: iso(row.logical_date),
    map_index: row.map_index,
    task_id: row.task_id,
    dag_id: row.dag_id,
    run_id: row.run_id,
    dag_display_name: row.dag_id,
    task_display_name: row.task_id,
    run_after: iso(row.run_after),
  };
}

export function jobResponseOf(job: JobRow): JobResponse {
  return {
    id: job.id,
    dag_id: null,
    state: job.state,
    job_type: job.job_type,
    start_date: iso(job.start_date),
    end_date: iso(job.end_date),
    latest_heartbeat: iso(job.latest_heartbeat),
    executor_class: null,
    hostname: job.hostname,
    unixname: job.unixname,
    dag_display_name: null,
  };
}
