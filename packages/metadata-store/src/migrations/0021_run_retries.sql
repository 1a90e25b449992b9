-- How far the retries of the run and of its task groups have come; null: nothing in it was ever retried as a whole.
ALTER TABLE dag_run ADD retries json;
