-- How often a try was queued again because nobody took it; counts only while it is that try's number.
ALTER TABLE task_instance ADD requeues integer NOT NULL DEFAULT 0, ADD requeues_of_try integer;
