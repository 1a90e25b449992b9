-- Partitioned assets: events with a key go to the schedules that make a run for each key, and to no others.

ALTER TABLE dag_run ADD COLUMN partition_key text;
-- Copied from the form, as its sibling for batches.
ALTER TABLE dag ADD COLUMN timetable_partitioned boolean NOT NULL DEFAULT false;
