/** The Postgres store's rows in the form in which stores are compared. */
import {
  DAG_KEYS,
  type DumpedDag,
  type DumpedInstance,
  type DumpedRun,
  INSTANCE_KEYS,
  RUN_KEYS,
  type StoreDump,
  sorted,
} from "./memory-store/dump.ts";

type Query = <R extends Record<string, unknown>>(text: string) => Promise<R[]>;

const NUMBERS = new Set([
  "start_date",
  "end_date",
  "queued_when",
  "next_retry_at",
  "logical_date",
  "run_after",
  "queued_at",
  "timeout_at",
  "evaluate_at",
  "last_tick_start",
  "last_tick_end",
]);

/** Instants as epoch milliseconds, as the store reads them. */
function columns(table: string, keys: readonly string[]): string {
  return keys
    .map((key) =>
      NUMBERS.has(key) ? `(extract(epoch FROM ${table}.${key}) * 1000)::float8 AS ${key}` : `${table}.${key}`,
    )
    .join(", ");
}

export async function dumpPostgres(query: Query): Promise<StoreDump> {
  const instances = await query<DumpedInstance & Record<string, unknown>>(
    `SELECT t.dag_id || '/' || t.run_id || '/' || t.task_id || '/' || t.map_index AS name, ${columns("t", INSTANCE_KEYS)},
      ARRAY(SELECT h.try_number || ' ' || coalesce(h.state, 'null') FROM task_instance_history h
        WHERE h.task_instance = t.id ORDER BY h.try_number) AS tries,
      ARRAY(SELECT x.key FROM xcom x WHERE x.dag_run = t.dag_run AND x.task_id = t.task_id AND x.map_index = t.map_index
        ORDER BY x.key) AS xcoms
     FROM task_instance t`,
  );
  const runs = await query<DumpedRun & Record<string, unknown>>(
    `SELECT r.dag_id || '/' || r.run_id AS name, v.version_number AS version, ${columns("r", RUN_KEYS)}
     FROM dag_run r JOIN dag_version v ON v.id = r.dag_version_id`,
  );
  const dags = await query<DumpedDag & Record<string, unknown>>(
    `SELECT d.dag_id AS name, ${columns("d", DAG_KEYS)},
      ARRAY(SELECT (extract(epoch FROM s.first_tick) * 1000)::bigint || ' ' || (extract(epoch FROM s.last_tick) * 1000)::bigint
          || ' ' || s.count || ' ' || s.cause
        FROM skipped_tick s WHERE s.dag_id = d.dag_id ORDER BY s.id) AS skipped
     FROM dag d`,
  );
  const used = await query<{ key: string; used: number }>(
    `SELECT coalesce('run:' || r.dag_id || '/' || r.run_id, o.key) AS key, o.used
     FROM occupancy o LEFT JOIN dag_run r ON o.key = 'run:' || r.id`,
  );
  return sorted({ dags, runs, instances, occupancy: Object.fromEntries(used.map((row) => [row.key, row.used])) });
}
