-- Beside the form, so that lists can tell what may be started. Null: every type.
ALTER TABLE dag ADD COLUMN allowed_run_types text[];
