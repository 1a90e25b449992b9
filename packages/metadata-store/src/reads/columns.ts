/** Columns of rows as callers read them. */

/** Of `dag_run r`, without the version. */
export const RUN_COLUMNS = `r.dag_id, r.run_id, r.logical_date, r.data_interval_start, r.data_interval_end, r.run_after,
  r.run_type, r.triggered_by, r.triggering_user_name, r.state, r.conf, r.note, r.queued_at, r.start_date, r.end_date,
  r.last_scheduling_decision, r.clear_number, r.partition_key`;

/** Of `task_instance t` with `dag_run r` and `dag_version v`. */
export const INSTANCE_COLUMNS = `t.id, t.dag_id, t.run_id, t.task_id, t.map_index, t.rendered_map_index,
  r.logical_date, r.run_after, t.state,
  t.cause, t.try_number, t.max_tries, t.start_date, t.end_date, t.scheduled_when, t.queued_when, t.next_retry_at,
  t.last_heartbeat_at, t.hostname, t.unixname, t.pid, t.pool, t.pool_slots, t.queue, t.priority_weight, t.operator,
  t.note, v.version_number AS dag_version_number, ${deferral()} AS deferral`;

/** What a deferred instance waits for, and the triggerer that has it; nothing is read for the others. */
function deferral(): string {
  const ms = (column: string) => `round(extract(epoch FROM ${column}) * 1000)::bigint`;
  return `CASE WHEN t.state = 'deferred' THEN (
    SELECT json_build_object('id', g.id, 'classpath', g.classpath, 'kwargs', g.kwargs, 'queue', g.queue,
      'created_date', ${ms("g.created_date")},
      'job', CASE WHEN j.id IS NOT NULL THEN json_build_object('id', j.id, 'job_type', j.job_type, 'state', j.state,
        'hostname', j.hostname, 'unixname', j.unixname, 'log_server_url', j.log_server_url,
        'start_date', ${ms("j.start_date")}, 'end_date', ${ms("j.end_date")},
        'latest_heartbeat', ${ms("j.latest_heartbeat")}) END)
    FROM trigger g LEFT JOIN job j ON j.name = g.triggerer AND g.lease_until > clock_timestamp()
    WHERE g.id = t.trigger_id) END`;
}

/** Of `hitl_detail h`. */
export const HITL_COLUMNS = `h.ti_id, h.options, h.subject, h.body, h.defaults, h.multiple, h.params,
  h.assignees AS assigned_users, h.created_at, h.responded_at, h.responded_by AS responded_by_user, h.chosen_options,
  h.params_input`;

export const INSTANCE_TABLES =
  "task_instance t JOIN dag_run r ON r.id = t.dag_run JOIN dag_version v ON v.id = r.dag_version_id";
