/**
 * Retention: what is old is deleted by table, in batches, each a transaction of its own that skips whatever somebody
 * holds. Only finished runs go, with everything in them; the newest scheduled run of a DAG stays, because the next one
 * may depend on it.
 */
import { at, type Database } from "./database.ts";
import type { CleanRequest, CleanStore } from "./store.ts";

/** In this order: versions are free once their runs are gone, artefacts once their versions are. */
export const CLEANABLE_TABLES = [
  "dag_run",
  "task_instance_history",
  "xcom",
  "log",
  "asset_event",
  "skipped_tick",
  "import_error",
  "job",
  "dag_version",
  "dag_artefact",
] as const;
export type CleanableTable = (typeof CLEANABLE_TABLES)[number];

interface Rule {
  /** The key by which rows are named. */
  readonly key: string;
  readonly from: string;
  /** $1: rows before it are old. */
  readonly old: string;
  /** The column that says which DAG a row belongs to; null: it belongs to none. */
  readonly dag: string | null;
}

const ENDED_RUN = "r.state IN ('success', 'failed') AND r.unfinished = 0";

const RULES: Readonly<Record<CleanableTable, Rule>> = {
  dag_run: {
    key: "t.id",
    from: "dag_run t",
    old: `t.state IN ('success', 'failed') AND t.unfinished = 0 AND coalesce(t.end_date, t.run_after) < $1
      AND t.id IS DISTINCT FROM (SELECT n.id FROM dag_run n WHERE n.dag_id = t.dag_id AND n.run_type <> 'manual'
        ORDER BY n.run_after DESC, n.id DESC LIMIT 1)`,
    dag: "t.dag_id",
  },
  task_instance_history: {
    key: "t.ctid",
    from: "task_instance_history t JOIN task_instance i ON i.id = t.task_instance JOIN dag_run r ON r.id = i.dag_run",
    old: `t.end_date < $1 AND ${ENDED_RUN}`,
    dag: "r.dag_id",
  },
  xcom: {
    key: "t.ctid",
    from: "xcom t JOIN dag_run r ON r.id = t.dag_run",
    old: `t."timestamp" < $1 AND ${ENDED_RUN}`,
    dag: "r.dag_id",
  },
  log: { key: "t.id", from: "log t", old: "t.dttm < $1", dag: "t.dag_id" },
  asset_event: {
    key: "t.id",
    from: "asset_event t",
    // A DAG that is gone waits for nothing; a run that has not ended still tells its tasks what made it.
    old: `t."timestamp" < $1
      AND NOT EXISTS (SELECT FROM asset_dag_run_queue q JOIN dag d ON d.dag_id = q.target_dag_id
        WHERE q.event_id = t.id AND NOT d.is_stale)
      AND NOT EXISTS (SELECT FROM dagrun_asset_event x JOIN dag_run r ON r.id = x.dag_run_id
        WHERE x.event_id = t.id AND r.state IN ('queued', 'running'))`,
    dag: null,
  },
  skipped_tick: { key: "t.id", from: "skipped_tick t", old: "t.recorded_at < $1", dag: "t.dag_id" },
  import_error: { key: "t.id", from: "import_error t", old: 't."timestamp" < $1', dag: null },
  job: {
    key: "t.id",
    from: "job t",
    old: "t.latest_heartbeat < $1 AND t.latest_heartbeat < clock_timestamp() - interval '1 hour'",
    dag: null,
  },
  dag_version: {
    key: "t.id",
    from: "dag_version t",
    old: `t.created_at < $1 AND NOT EXISTS (SELECT FROM dag d WHERE d.dag_version_id = t.id)
      AND NOT EXISTS (SELECT FROM dag_run r WHERE r.dag_version_id = t.id)`,
    dag: "t.dag_id",
  },
  dag_artefact: {
    key: "t.hash",
    from: "dag_artefact t",
    old: "t.created_at < $1 AND NOT EXISTS (SELECT FROM dag_version v WHERE v.artefact_hash = t.hash)",
    dag: null,
  },
};

export function cleanStore(db: Database): CleanStore {
  return {
    async countOld(table, request) {
      const { text, values } = selection(table, request, "count(*)");
      const [row] = await db.rows<{ count: number }>({ text, values });
      return row?.count ?? 0;
    },
    async cleanBatch(table, request, batchSize) {
      const { text, values } = selection(table, request, `${RULES[table].key} AS key`);
      const { key } = RULES[table];
      const deleted = await db.transaction((tx) =>
        tx.rows({
          text: `WITH old AS (${text} LIMIT ${Math.max(1, Math.floor(batchSize))} FOR UPDATE OF t SKIP LOCKED)
            DELETE FROM ${table} t USING old WHERE ${key} = old.key RETURNING 1`,
          values,
        }),
      );
      return deleted.length;
    },
  };
}

function selection(table: CleanableTable, request: CleanRequest, columns: string) {
  const { from, old, dag } = RULES[table];
  const conditions = [old];
  const values: unknown[] = [at(request.before)];
  const limit = (ids: readonly string[], condition: (parameter: string) => string) => {
    if (ids.length === 0) return;
    values.push(ids);
    // A row that belongs to no DAG is none of those that were named.
    conditions.push(dag === null ? "false" : condition(`$${values.length}::text[]`));
  };
  limit(request.dag_ids, (ids) => `${dag} = ANY(${ids})`);
  if (dag !== null) limit(request.exclude_dag_ids, (ids) => `coalesce(${dag} <> ALL(${ids}), true)`);
  return {
    text: `SELECT ${columns} FROM ${from} WHERE ${conditions.join(" AND ")}`,
    values: dag === null && request.dag_ids.length > 0 ? values.slice(0, 1) : values,
  };
}
