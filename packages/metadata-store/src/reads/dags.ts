/** Reads of DAGs, their versions, tags, sources and import errors. */
import type { DagRunState, SerializedDag } from "@updraft/dag-core";
import type { Queryable } from "../database.ts";
import type {
  DagDetail,
  DagFilter,
  DagRow,
  DagVersionRow,
  ImportErrorRow,
  Page,
  ReadStore,
  RunStateCount,
  SkippedTicks,
} from "../store.ts";
import { list, orderBy, Where } from "./where.ts";

const DAG_COLUMNS = `d.dag_id, d.dag_display_name, d.description, d.is_paused, d.is_stale,
  EXISTS (SELECT FROM import_error e WHERE e.bundle_name = d.bundle_name AND e.filename = d.relative_fileloc) AS has_import_errors,
  d.bundle_name, d.relative_fileloc, d.fileloc, d.owners,
  coalesce((SELECT array_agg(g.name ORDER BY g.name) FROM dag_tag g WHERE g.dag_id = d.dag_id), '{}') AS tags,
  d.timetable_summary, d.timetable_description, d.timetable_periodic, d.allowed_run_types, d.max_active_runs, d.max_active_tasks,
  d.max_consecutive_failed_dag_runs, d.next_dagrun_logical_date, d.next_dagrun_data_interval_start,
  d.next_dagrun_data_interval_end, d.next_dagrun_run_after, d.last_parsed_time, d.last_parse_duration,
  v.version_number AS dag_version_number`;
const DAG_TABLES = "dag d JOIN dag_version v ON v.id = d.dag_version_id";
const NEWEST_RUN = (column: string) =>
  `(SELECT r.${column} FROM dag_run r WHERE r.dag_id = d.dag_id ORDER BY r.run_after DESC, r.id DESC LIMIT 1)`;
const VERSION_COLUMNS = "v.id, v.dag_id, v.version_number, v.bundle_name, v.created_at, d.dag_display_name";

const DAG_ORDER = {
  dag_id: "d.dag_id",
  dag_display_name: "d.dag_display_name",
  next_dagrun: "d.next_dagrun_run_after",
  next_dagrun_run_after: "d.next_dagrun_run_after",
  state: NEWEST_RUN("state"),
  last_run_state: NEWEST_RUN("state"),
  start_date: NEWEST_RUN("start_date"),
  last_run_start_date: NEWEST_RUN("start_date"),
  last_parsed_time: "d.last_parsed_time",
};

type DagReads = Pick<
  ReadStore,
  | "listDags"
  | "getDag"
  | "getDagVersion"
  | "listDagVersions"
  | "dagSource"
  | "listDagTags"
  | "dagStats"
  | "dashboardStats"
  | "listImportErrors"
  | "getImportError"
  | "skippedTicks"
>;

export function dagReads(db: Queryable): DagReads {
  return {
    listDags: (filter, page) =>
      list<DagRow>(db, {
        columns: DAG_COLUMNS,
        from: DAG_TABLES,
        where: dagWhere(filter),
        order: orderBy(page, DAG_ORDER, "d.dag_id"),
        page,
      }),

    async getDag(dagId) {
      const [row] = await db.rows<
        DagRow & {
          form: SerializedDag;
          active_runs_count: number;
          version: Omit<DagVersionRow, "created_at">;
          version_created_at: number;
        }
      >({
        text: `SELECT ${DAG_COLUMNS}, v.form, json_build_object('id', v.id, 'dag_id', v.dag_id, 'version_number',
            v.version_number, 'bundle_name', v.bundle_name, 'dag_display_name', d.dag_display_name) AS version,
            v.created_at AS version_created_at,
            (SELECT count(*)::integer FROM dag_run r WHERE r.dag_id = d.dag_id AND r.state IN ('queued', 'running')) AS active_runs_count
          FROM ${DAG_TABLES} WHERE d.dag_id = $1`,
        values: [dagId],
      });
      if (row === undefined) return null;
      const { form, version, version_created_at, active_runs_count, ...rest } = row;
      return {
        row: rest,
        form,
        version: { ...version, created_at: version_created_at },
        active_runs_count,
      } satisfies DagDetail;
    },

    async getDagVersion(dagId, versionNumber) {
      const [row] = await db.rows<DagVersionRow & { form: SerializedDag }>({
        text: `SELECT ${VERSION_COLUMNS}, v.form FROM dag_version v JOIN dag d USING (dag_id) WHERE v.dag_id = $1 AND v.version_number = $2`,
        values: [dagId, versionNumber],
      });
      if (row === undefined) return null;
      const { form, ...version } = row;
      return { version, form };
    },

    listDagVersions: (dagId, page) =>
      list<DagVersionRow>(db, {
        columns: VERSION_COLUMNS,
        from: "dag_version v JOIN dag d USING (dag_id)",
        where: new Where().and("v.dag_id = ?", dagId === "~" ? undefined : dagId),
        order: orderBy(page, { version_number: "v.version_number", created_at: "v.created_at" }, "v.created_at"),
        page,
      }),

    async dagSource(dagId, versionNumber) {
      const [row] = await db.rows<{ content: string; version_number: number; dag_display_name: string }>({
        text: `SELECT v.source_code AS content, v.version_number, d.dag_display_name FROM dag_version v JOIN dag d USING (dag_id)
          WHERE v.dag_id = $1 AND ($2::integer IS NULL OR v.version_number = $2) ORDER BY v.version_number DESC LIMIT 1`,
        values: [dagId, versionNumber],
      });
      return row ?? null;
    },

    async listDagTags(pattern, page) {
      const { rows, total_entries } = await list<{ name: string }>(db, {
        columns: "name",
        from: "(SELECT DISTINCT name FROM dag_tag) AS t",
        where: new Where().like("name", pattern ?? undefined),
        order: orderBy(page, { name: "name" }, "name"),
        page,
      });
      return { rows: rows.map(({ name }) => name), total_entries };
    },

    dagStats: (dagIds) => stats(db, dagIds),

    async dashboardStats() {
      const [row] = await db.rows<{ active: number; failed: number; running: number; queued: number }>({
        text: `SELECT count(*) FILTER (WHERE NOT is_paused)::integer AS active,
            count(*) FILTER (WHERE ${NEWEST_RUN("state")} = 'failed')::integer AS failed,
            count(*) FILTER (WHERE EXISTS (SELECT FROM dag_run r WHERE r.dag_id = d.dag_id AND r.state = 'running'))::integer AS running,
            count(*) FILTER (WHERE EXISTS (SELECT FROM dag_run r WHERE r.dag_id = d.dag_id AND r.state = 'queued'))::integer AS queued
          FROM dag d WHERE NOT is_stale`,
      });
      return row ?? { active: 0, failed: 0, running: 0, queued: 0 };
    },

    listImportErrors: (pattern, page) => importErrors(db, pattern, page),
    async getImportError(id) {
      const [row] = await db.rows<ImportErrorRow>({
        text: `SELECT ${ERROR_COLUMNS} FROM import_error WHERE id = $1`,
        values: [id],
      });
      return row ?? null;
    },

    skippedTicks: (dagId, page) =>
      list<SkippedTicks>(db, {
        columns: "dag_id, first_tick, last_tick, count, cause, recorded_at",
        from: "skipped_tick",
        where: new Where().and("dag_id = ?", dagId),
        order: "ORDER BY last_tick DESC, id DESC",
        page,
      }),
  };
}

const ERROR_COLUMNS = 'id AS import_error_id, "timestamp", filename, bundle_name, stack_trace';

function importErrors(db: Queryable, pattern: string | null, page: Page) {
  const columns = {
    import_error_id: "id",
    id: "id",
    timestamp: '"timestamp"',
    filename: "filename",
    bundle_name: "bundle_name",
    stacktrace: "stack_trace",
  };
  return list<ImportErrorRow>(db, {
    columns: ERROR_COLUMNS,
    from: "import_error",
    where: new Where().like("filename", pattern ?? undefined),
    order: orderBy(page, columns, "id"),
    page,
  });
}

function dagWhere(filter: DagFilter): Where {
  const tags = filter.tags ?? [];
  const tagged = "(SELECT count(*) FROM dag_tag g WHERE g.dag_id = d.dag_id AND g.name = ANY(?))";
  const needed = filter.tags_match_all === true ? new Set(tags).size : 1;
  const prefix = filter.dag_id_prefix;
  return new Where()
    .oneOf("d.dag_id", filter.dag_ids)
    .like("d.dag_id || ' ' || d.dag_display_name", filter.dag_id_pattern)
    .like("d.dag_display_name", filter.dag_display_name_pattern)
    .and("starts_with(d.dag_id, ?)", prefix)
    .and(`${tagged} >= ${needed}`, tags.length === 0 ? undefined : tags)
    .and("d.owners && ?::text[]", filter.owners === undefined || filter.owners.length === 0 ? undefined : filter.owners)
    .and("d.is_paused = ?", filter.paused)
    .when("NOT d.is_stale", filter.exclude_stale)
    .and(
      "EXISTS (SELECT FROM import_error e WHERE e.bundle_name = d.bundle_name AND e.filename = d.relative_fileloc) = ?",
      filter.has_import_errors,
    )
    .and(`${NEWEST_RUN("state")} = ?`, filter.last_dag_run_state);
}

async function stats(db: Queryable, dagIds: readonly string[]): Promise<RunStateCount[]> {
  const rows = await db.rows<{ dag_id: string; dag_display_name: string; state: DagRunState | null; count: number }>({
    text: `SELECT d.dag_id, d.dag_display_name, r.state, count(*) FROM dag d LEFT JOIN dag_run r USING (dag_id)
      WHERE NOT d.is_stale AND ($1::text[] = '{}' OR d.dag_id = ANY($1)) GROUP BY 1, 2, 3 ORDER BY 1`,
    values: [dagIds],
  });
  const byDag = Map.groupBy(rows, ({ dag_id }) => dag_id);
  return [...byDag.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const counts = { queued: 0, running: 0, success: 0, failed: 0 };
    for (const { state, count } of group) if (state !== null) counts[state] = count;
    return [{ dag_id: first.dag_id, dag_display_name: first.dag_display_name, counts }];
  });
}
