-- Backfills: ranges of dates that somebody asked for, and what became of each date.
CREATE TABLE backfill (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dag_id text NOT NULL REFERENCES dag ON DELETE CASCADE,
  from_date timestamptz NOT NULL,
  to_date timestamptz NOT NULL,
  -- Null: nothing was given, and runs that run again keep what they had.
  dag_run_conf json,
  is_paused boolean NOT NULL DEFAULT false,
  reprocess_behavior text NOT NULL CHECK (reprocess_behavior IN ('none', 'failed', 'completed')),
  max_active_runs integer NOT NULL CHECK (max_active_runs > 0),
  run_on_latest_version boolean NOT NULL,
  triggering_user_name text,
  created_at timestamptz NOT NULL,
  completed_at timestamptz,
  updated_at timestamptz NOT NULL
);
-- One at a time for each DAG.
CREATE UNIQUE INDEX backfill_active ON backfill (dag_id) WHERE completed_at IS NULL;
CREATE INDEX backfill_of_dag ON backfill (dag_id, id);

CREATE TABLE backfill_dag_run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  backfill_id bigint NOT NULL REFERENCES backfill ON DELETE CASCADE,
  dag_run_id bigint REFERENCES dag_run ON DELETE SET NULL,
  -- Why there is no run: 'in flight', 'already exists', 'cancelled'.
  exception_reason text,
  logical_date timestamptz NOT NULL,
  data_interval_start timestamptz NOT NULL,
  data_interval_end timestamptz NOT NULL,
  run_after timestamptz NOT NULL,
  sort_ordinal integer NOT NULL CHECK (sort_ordinal > 0),
  -- Planned, but not dealt with yet: a killed scheduler leaves the rest to the next one.
  is_pending boolean NOT NULL DEFAULT true,
  UNIQUE (backfill_id, sort_ordinal)
);
CREATE INDEX backfill_dag_run_pending ON backfill_dag_run (backfill_id, sort_ordinal) WHERE is_pending;
CREATE INDEX backfill_dag_run_of_run ON backfill_dag_run (dag_run_id);

-- Which backfill a run belongs to, and its place in it, which is the order of its start.
ALTER TABLE dag_run ADD COLUMN backfill_id bigint, ADD COLUMN sort_ordinal integer;
CREATE INDEX dag_run_of_backfill ON dag_run (backfill_id, sort_ordinal)
  WHERE backfill_id IS NOT NULL AND state IN ('queued', 'running');
-- A DAG's own runs beside those of its backfills, so that neither search walks through the other's.
DROP INDEX dag_run_active;
CREATE INDEX dag_run_active ON dag_run (dag_id, coalesce(backfill_id, 0), run_after, id) WHERE state IN ('queued', 'running');
