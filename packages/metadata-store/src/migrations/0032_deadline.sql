-- When runs should be done, or should have started. The alerts themselves are part of the form of a DAG's version.
CREATE TABLE deadline (
  id uuid PRIMARY KEY,
  dag_run bigint NOT NULL REFERENCES dag_run ON DELETE CASCADE,
  alert_id uuid NOT NULL,
  alert_name text,
  reference_type text NOT NULL,
  interval_seconds double precision NOT NULL,
  deadline_time timestamptz NOT NULL,
  missed boolean NOT NULL DEFAULT false,
  -- The DAG that is triggered when it is missed, with its conf.
  callback json,
  callback_state text CHECK (callback_state IN ('pending', 'queued', 'failed')),
  created_at timestamptz NOT NULL,
  last_updated_at timestamptz NOT NULL
);
CREATE INDEX deadline_due ON deadline (deadline_time) WHERE NOT missed;
CREATE INDEX deadline_of_run ON deadline (dag_run);
CREATE INDEX deadline_callback ON deadline (last_updated_at) WHERE callback_state = 'pending';
