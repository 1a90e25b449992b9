-- The audit log of one DAG, newest last.
CREATE INDEX log_of_dag ON log (dag_id, id);
