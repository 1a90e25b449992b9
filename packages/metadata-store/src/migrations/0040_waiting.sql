-- Tries that wait without a slot: for a trigger, for a person, until a date.

ALTER TABLE task_instance
  ADD trigger_id bigint,
  -- When a deferred try, or one that awaits input, stops waiting.
  ADD trigger_timeout timestamptz,
  -- How the try goes on; kept while it runs, so that a repeated claim answers as the first one.
  ADD next_method text,
  ADD next_kwargs json,
  -- When a rescheduled try looks again; null where the current try was never rescheduled.
  ADD reschedule_date timestamptz;
CREATE INDEX task_instance_reschedule ON task_instance (reschedule_date) WHERE state = 'up_for_reschedule';
CREATE INDEX task_instance_wait_timeout ON task_instance (trigger_timeout)
  WHERE state IN ('deferred', 'awaiting_input') AND trigger_timeout IS NOT NULL;

-- Deferred tries keep their slots of a pool where this is set.
ALTER TABLE slot_pool ADD include_deferred boolean NOT NULL DEFAULT false;

CREATE TABLE trigger (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  classpath text NOT NULL,
  kwargs json NOT NULL,
  created_date timestamptz NOT NULL,
  queue text,
  task_instance uuid NOT NULL UNIQUE REFERENCES task_instance ON DELETE CASCADE,
  try_number integer NOT NULL,
  -- When a timer fires, or a condition is looked at; null: a triggerer runs this trigger.
  due_at timestamptz,
  -- Seconds between two looks at a condition; null: a timer.
  poll_interval double precision,
  -- The DAG whose runs a condition is about: it is looked at when one of them ends.
  waits_for_dag_id text,
  triggerer text,
  lease_until timestamptz,
  -- Grows with each triggerer that takes it over; a report with an older one is refused.
  fence integer NOT NULL DEFAULT 0
);
CREATE INDEX trigger_due ON trigger (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX trigger_waits_for_dag ON trigger (waits_for_dag_id) WHERE waits_for_dag_id IS NOT NULL;
CREATE INDEX trigger_hosted ON trigger (lease_until NULLS FIRST, id) WHERE due_at IS NULL;

CREATE TABLE task_reschedule (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ti_id uuid NOT NULL REFERENCES task_instance ON DELETE CASCADE,
  try_number integer NOT NULL,
  start_date timestamptz NOT NULL,
  end_date timestamptz NOT NULL,
  -- Seconds.
  duration integer NOT NULL,
  reschedule_date timestamptz NOT NULL
);
CREATE INDEX task_reschedule_of_try ON task_reschedule (ti_id, try_number, id);

CREATE TABLE hitl_detail (
  ti_id uuid PRIMARY KEY REFERENCES task_instance ON DELETE CASCADE,
  options text[] NOT NULL,
  subject text NOT NULL,
  body text,
  defaults text[],
  multiple boolean NOT NULL,
  params json NOT NULL,
  -- [{ id, name }]; empty: everybody may answer.
  assignees json NOT NULL,
  created_at timestamptz NOT NULL,
  responded_at timestamptz,
  -- { id, name }; null where the time-out answered.
  responded_by json,
  chosen_options text[],
  params_input json NOT NULL DEFAULT '{}'
);
