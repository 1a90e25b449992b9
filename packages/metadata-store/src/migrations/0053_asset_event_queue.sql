-- Deleting an old event looks for it in the queue.
CREATE INDEX asset_dag_run_queue_of_event ON asset_dag_run_queue (event_id);
