-- The audit counts what holds a slot or a place; without these it would read every finished instance there ever was,
-- while it keeps all counters locked.
CREATE INDEX task_instance_set_aside ON task_instance (id) WHERE state IN ('deferred', 'awaiting_input');
