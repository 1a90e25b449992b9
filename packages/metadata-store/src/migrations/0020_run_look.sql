-- Runs to look at again, at once or from an instant on: the run before moved on, a logical date arrived, a retry is due.
-- Without a reference to dag_run, so that leaving a note never waits for the lock of another run.
CREATE TABLE run_look (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dag_run bigint NOT NULL,
  due_at timestamptz NOT NULL,
  -- The tasks in question; null: every undecided one.
  task_ids text[],
  -- Not this run is meant but those whose run before it is.
  of_next boolean NOT NULL
);
CREATE INDEX run_look_due ON run_look (due_at);

-- Some undecided task instance waits although everything upstream of it is over.
ALTER TABLE dag_run ADD is_stuck boolean NOT NULL DEFAULT false;
CREATE INDEX dag_run_of_logical_date ON dag_run (dag_id, logical_date) WHERE state = 'running' AND logical_date IS NOT NULL;

-- Why the engine paused the DAG by itself.
ALTER TABLE dag ADD pause_cause text;
