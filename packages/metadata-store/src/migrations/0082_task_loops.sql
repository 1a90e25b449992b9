-- What each iteration of a loop that led to another one came to; the newest tells how far the loop has come.
CREATE TABLE loop_iteration (
  dag_run bigint NOT NULL REFERENCES dag_run ON DELETE CASCADE,
  group_id text NOT NULL,
  -- From 0.
  iteration integer NOT NULL,
  -- What the task before the gate returned; of a mapped one the list of its instances' values. Null: nothing.
  result json,
  PRIMARY KEY (dag_run, group_id, iteration)
);
