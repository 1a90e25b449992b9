-- Names are Airflow's. Instants are timestamptz in milliseconds; JSON that users write is `json`, which keeps any text.

CREATE TABLE dag_artefact (
  hash text PRIMARY KEY,
  code text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE dag (
  dag_id text PRIMARY KEY,
  dag_display_name text NOT NULL,
  description text,
  is_paused boolean NOT NULL,
  is_stale boolean NOT NULL DEFAULT false,
  bundle_name text NOT NULL,
  relative_fileloc text NOT NULL,
  fileloc text NOT NULL,
  owners text[] NOT NULL DEFAULT '{}',
  timetable_summary text,
  timetable_description text NOT NULL,
  timetable_periodic boolean NOT NULL,
  max_active_runs integer NOT NULL,
  max_active_tasks integer NOT NULL,
  max_consecutive_failed_dag_runs integer NOT NULL,
  next_dagrun_logical_date timestamptz,
  next_dagrun_data_interval_start timestamptz,
  next_dagrun_data_interval_end timestamptz,
  next_dagrun_run_after timestamptz,
  -- When the scheduler looks at this DAG next. Differs from next_dagrun_run_after only while max_active_runs holds the tick back.
  evaluate_at timestamptz,
  -- True while a tick waits for max_active_runs.
  is_gated boolean NOT NULL DEFAULT false,
  -- Why ticks since last_tick_end became no runs, where something else than a late scheduler is the reason.
  skip_cause text,
  -- Data interval of the newest tick that was dealt with.
  last_tick_start timestamptz,
  last_tick_end timestamptz,
  last_parsed_time timestamptz,
  last_parse_duration double precision,
  dag_version_id uuid
);
CREATE INDEX dag_due ON dag (evaluate_at) WHERE NOT is_paused AND NOT is_stale AND evaluate_at IS NOT NULL;
CREATE INDEX dag_of_file ON dag (bundle_name, relative_fileloc);

CREATE TABLE dag_tag (
  dag_id text NOT NULL REFERENCES dag ON DELETE CASCADE,
  name text NOT NULL,
  PRIMARY KEY (name, dag_id)
);
CREATE INDEX dag_tag_of_dag ON dag_tag (dag_id);

CREATE TABLE dag_version (
  id uuid PRIMARY KEY,
  dag_id text NOT NULL REFERENCES dag ON DELETE CASCADE,
  version_number integer NOT NULL,
  bundle_name text NOT NULL,
  form json NOT NULL,
  form_hash text NOT NULL,
  artefact_hash text NOT NULL REFERENCES dag_artefact,
  source_code text NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (dag_id, version_number)
);
ALTER TABLE dag ADD FOREIGN KEY (dag_version_id) REFERENCES dag_version DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE dag_run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dag_id text NOT NULL,
  run_id text NOT NULL,
  logical_date timestamptz,
  data_interval_start timestamptz,
  data_interval_end timestamptz,
  run_after timestamptz NOT NULL,
  run_type text NOT NULL,
  triggered_by text NOT NULL,
  triggering_user_name text,
  state text NOT NULL,
  cause text,
  conf json NOT NULL,
  note text,
  queued_at timestamptz,
  start_date timestamptz,
  end_date timestamptz,
  last_scheduling_decision timestamptz,
  -- start_date + dagrun_timeout of a running run.
  timeout_at timestamptz,
  clear_number integer NOT NULL DEFAULT 0,
  -- Task instances that are not in a finished state.
  unfinished integer NOT NULL,
  dag_version_id uuid NOT NULL REFERENCES dag_version,
  updated_at timestamptz NOT NULL,
  UNIQUE (dag_id, run_id)
);
CREATE UNIQUE INDEX dag_run_logical_date ON dag_run (dag_id, logical_date) WHERE logical_date IS NOT NULL;
CREATE INDEX dag_run_active ON dag_run (dag_id, run_after, id) WHERE state IN ('queued', 'running');
CREATE INDEX dag_run_queued ON dag_run (run_after, id) WHERE state = 'queued';
CREATE INDEX dag_run_timeout ON dag_run (timeout_at) WHERE state = 'running' AND timeout_at IS NOT NULL;
CREATE INDEX dag_run_newest ON dag_run (dag_id, run_after DESC, id DESC);
CREATE INDEX dag_run_version ON dag_run (dag_version_id);

CREATE TABLE task_instance (
  id uuid PRIMARY KEY,
  dag_run bigint NOT NULL REFERENCES dag_run ON DELETE CASCADE,
  dag_id text NOT NULL,
  run_id text NOT NULL,
  task_id text NOT NULL,
  map_index integer NOT NULL DEFAULT -1,
  state text,
  cause text,
  try_number integer NOT NULL DEFAULT 0,
  max_tries integer NOT NULL,
  start_date timestamptz,
  end_date timestamptz,
  scheduled_when timestamptz,
  queued_when timestamptz,
  next_retry_at timestamptz,
  last_heartbeat_at timestamptz,
  hostname text,
  unixname text,
  pid integer,
  pool text NOT NULL,
  pool_slots integer NOT NULL,
  queue text NOT NULL,
  priority_weight integer NOT NULL,
  operator text NOT NULL,
  note text,
  offer_number integer NOT NULL DEFAULT 0,
  last_offer_at timestamptz,
  -- How many direct upstream task instances exist, and how many ended in which state.
  upstream_total integer NOT NULL,
  upstream_success integer NOT NULL DEFAULT 0,
  upstream_failed integer NOT NULL DEFAULT 0,
  upstream_upstream_failed integer NOT NULL DEFAULT 0,
  upstream_skipped integer NOT NULL DEFAULT 0,
  upstream_removed integer NOT NULL DEFAULT 0,
  UNIQUE (dag_run, task_id, map_index)
) WITH (fillfactor = 80);
CREATE INDEX task_instance_scheduled ON task_instance (priority_weight DESC, dag_run) WHERE state = 'scheduled';
CREATE INDEX task_instance_scheduled_of_run ON task_instance (dag_run, priority_weight DESC) WHERE state = 'scheduled';
CREATE INDEX task_instance_queued ON task_instance (last_offer_at) WHERE state = 'queued';
CREATE INDEX task_instance_live ON task_instance (id) WHERE state IN ('running', 'restarting');
CREATE INDEX task_instance_retry ON task_instance (next_retry_at) WHERE state = 'up_for_retry';
CREATE INDEX task_instance_of_dag ON task_instance (dag_id, task_id);

CREATE TABLE task_instance_history (
  task_instance uuid NOT NULL REFERENCES task_instance ON DELETE CASCADE,
  try_number integer NOT NULL,
  state text,
  cause text,
  max_tries integer NOT NULL,
  start_date timestamptz,
  end_date timestamptz,
  scheduled_when timestamptz,
  queued_when timestamptz,
  hostname text,
  unixname text,
  pid integer,
  pool text NOT NULL,
  pool_slots integer NOT NULL,
  queue text NOT NULL,
  priority_weight integer NOT NULL,
  operator text NOT NULL,
  PRIMARY KEY (task_instance, try_number)
);

CREATE TABLE xcom (
  dag_run bigint NOT NULL REFERENCES dag_run ON DELETE CASCADE,
  task_id text NOT NULL,
  map_index integer NOT NULL DEFAULT -1,
  key text NOT NULL,
  value json NOT NULL,
  "timestamp" timestamptz NOT NULL,
  PRIMARY KEY (dag_run, task_id, key, map_index)
);

-- Values of a task that outlive its tries.
CREATE TABLE task_state_store (
  dag_run bigint NOT NULL REFERENCES dag_run ON DELETE CASCADE,
  task_id text NOT NULL,
  map_index integer NOT NULL DEFAULT -1,
  key text NOT NULL,
  value json NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (dag_run, task_id, key, map_index)
);

CREATE TABLE slot_pool (
  pool text PRIMARY KEY,
  -- -1: without limit.
  slots integer NOT NULL CHECK (slots >= -1),
  description text
);
INSERT INTO slot_pool VALUES ('default_pool', 128, 'Default pool');

-- What is in use of each limit, kept by every transition.
--   parallelism            tries queued or running in the installation
--   pool:NAME              slots of a pool
--   run:ID                 tries of a run (max_active_tasks)
--   runs:DAG               running runs of a DAG (max_active_runs)
--   task:DAG/TASK          tries of a task in all runs (max_active_tis_per_dag)
CREATE TABLE occupancy (
  key text PRIMARY KEY,
  used integer NOT NULL
) WITH (fillfactor = 50);
INSERT INTO occupancy VALUES ('parallelism', 0);

CREATE TABLE skipped_tick (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dag_id text NOT NULL REFERENCES dag ON DELETE CASCADE,
  first_tick timestamptz NOT NULL,
  last_tick timestamptz NOT NULL,
  count integer NOT NULL,
  cause text NOT NULL,
  recorded_at timestamptz NOT NULL
);
CREATE INDEX skipped_tick_newest ON skipped_tick (dag_id, last_tick DESC);

CREATE TABLE import_error (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "timestamp" timestamptz NOT NULL,
  bundle_name text NOT NULL,
  filename text NOT NULL,
  stack_trace text NOT NULL,
  UNIQUE (bundle_name, filename)
);

CREATE TABLE variable (
  key text PRIMARY KEY,
  val text NOT NULL,
  description text
);

CREATE TABLE connection (
  conn_id text PRIMARY KEY,
  conn_type text NOT NULL,
  host text,
  schema text,
  login text,
  password text,
  port integer,
  extra text
);

CREATE TABLE job (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  job_type text NOT NULL,
  state text NOT NULL,
  hostname text NOT NULL,
  unixname text NOT NULL,
  queues text[] NOT NULL DEFAULT '{}',
  concurrency integer,
  running integer,
  log_server_url text,
  start_date timestamptz NOT NULL,
  end_date timestamptz,
  latest_heartbeat timestamptz NOT NULL
);
CREATE INDEX job_newest ON job (latest_heartbeat DESC);

CREATE TABLE log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dttm timestamptz NOT NULL,
  event text NOT NULL,
  dag_id text,
  run_id text,
  task_id text,
  owner text,
  extra text
);

CREATE TABLE user_account (
  username text PRIMARY KEY,
  password_hash text NOT NULL,
  password_is_own boolean NOT NULL
);
