-- What a run's tasks and groups are mapped over: the items of each source task, kept when something is expanded over it,
-- so that the values of one instance are found without reading all.
CREATE TABLE task_map (
  dag_run bigint NOT NULL REFERENCES dag_run ON DELETE CASCADE,
  task_id text NOT NULL,
  length integer NOT NULL,
  PRIMARY KEY (dag_run, task_id)
);
CREATE TABLE map_item (
  dag_run bigint NOT NULL REFERENCES dag_run ON DELETE CASCADE,
  task_id text NOT NULL,
  index integer NOT NULL,
  value json NOT NULL,
  PRIMARY KEY (dag_run, task_id, index)
);

ALTER TABLE task_instance ADD COLUMN rendered_map_index text;

-- The queue's order within a run ends with the map index.
DROP INDEX task_instance_scheduled_of_run;
CREATE INDEX task_instance_scheduled_of_run ON task_instance (dag_run, priority_weight DESC, map_index) WHERE state = 'scheduled';
