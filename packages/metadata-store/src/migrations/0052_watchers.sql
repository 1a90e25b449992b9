-- Watchers of assets: triggers that no task waits for. Each runs while its asset is active, and its events are the asset's.

-- What DAG files declare, as their newest version says.
CREATE TABLE dag_asset_watcher_reference (
  asset_id bigint NOT NULL REFERENCES asset ON DELETE CASCADE,
  dag_id text NOT NULL REFERENCES dag ON DELETE CASCADE,
  name text NOT NULL,
  classpath text NOT NULL,
  kwargs json NOT NULL,
  PRIMARY KEY (asset_id, name, dag_id)
);
CREATE INDEX dag_asset_watcher_reference_of_dag ON dag_asset_watcher_reference (dag_id);

ALTER TABLE trigger
  ALTER task_instance DROP NOT NULL,
  ALTER try_number DROP NOT NULL,
  ADD asset_id bigint REFERENCES asset ON DELETE CASCADE,
  ADD watcher text,
  -- Whose file has the code.
  ADD dag_id text REFERENCES dag ON DELETE CASCADE,
  -- How many events were written; the next one bears the number after it, so that one that is told twice counts once.
  ADD event_count bigint NOT NULL DEFAULT 0,
  -- In a row, with the words of the last one; each makes the next start wait longer.
  ADD failures integer NOT NULL DEFAULT 0,
  ADD failure text,
  ADD CONSTRAINT trigger_serves CHECK ((task_instance IS NULL) = (asset_id IS NOT NULL)),
  ADD CONSTRAINT trigger_of_watcher UNIQUE (asset_id, watcher);
CREATE INDEX trigger_watching ON trigger (lease_until NULLS FIRST, id) WHERE asset_id IS NOT NULL;
CREATE INDEX trigger_of_dag ON trigger (dag_id) WHERE dag_id IS NOT NULL;
