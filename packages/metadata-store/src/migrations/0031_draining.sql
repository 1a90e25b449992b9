-- A draining DAG makes no scheduled runs any more and is paused when its last run has ended.
ALTER TABLE dag ADD COLUMN is_draining boolean NOT NULL DEFAULT false;
CREATE INDEX dag_draining ON dag (dag_id) WHERE is_draining;
