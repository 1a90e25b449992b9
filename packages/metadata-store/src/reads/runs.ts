/** Reads of DAG runs, task instances, tries and XComs. */
import type { Queryable } from "../database.ts";
import type {
  DagRunFilter,
  DagRunRow,
  ReadStore,
  TaskInstanceFilter,
  TaskInstanceRow,
  TaskStateCount,
  XComAddress,
  XComRow,
} from "../store.ts";
import { INSTANCE_COLUMNS, INSTANCE_TABLES, RUN_COLUMNS } from "./columns.ts";
import { list, orderBy, Where } from "./where.ts";

const RUN_TABLES = "dag_run r JOIN dag_version v ON v.id = r.dag_version_id";
const RUN_ROW = `${RUN_COLUMNS}, v.version_number AS dag_version_number`;

const RUN_ORDER = {
  id: "r.id",
  state: "r.state",
  dag_id: "r.dag_id",
  run_id: "r.run_id",
  dag_run_id: "r.run_id",
  logical_date: "r.logical_date",
  run_after: "r.run_after",
  start_date: "r.start_date",
  end_date: "r.end_date",
  updated_at: "r.updated_at",
  conf: "r.conf::text",
  run_type: "r.run_type",
  duration: "(r.end_date - r.start_date)",
};

const INSTANCE_ORDER = {
  id: "t.id",
  dag_id: "t.dag_id",
  run_id: "t.run_id",
  dag_run_id: "t.run_id",
  task_id: "t.task_id",
  task_display_name: "t.task_id",
  state: "t.state",
  duration: "(t.end_date - t.start_date)",
  start_date: "t.start_date",
  end_date: "t.end_date",
  map_index: "t.map_index",
  rendered_map_index: "t.map_index",
  try_number: "t.try_number",
  logical_date: "r.logical_date",
  run_after: "r.run_after",
  data_interval_start: "r.data_interval_start",
  data_interval_end: "r.data_interval_end",
  operator: "t.operator",
};

type Address = Omit<XComAddress, "key">;

type RunReads = Pick<
  ReadStore,
  | "latestDagRuns"
  | "listDagRuns"
  | "getDagRun"
  | "listTaskInstances"
  | "getTaskInstance"
  | "listTries"
  | "countTaskStates"
  | "listXComs"
>;

export function runReads(db: Queryable): RunReads {
  return {
    latestDagRuns: (dagIds, perDag) =>
      db.rows<DagRunRow & { id: number }>({
        text: `SELECT r.id, ${RUN_ROW} FROM unnest($1::text[]) AS wanted (dag_id), LATERAL (
            SELECT * FROM dag_run WHERE dag_run.dag_id = wanted.dag_id ORDER BY run_after DESC, id DESC LIMIT $2) r
          JOIN dag_version v ON v.id = r.dag_version_id`,
        values: [dagIds, perDag],
      }),

    listDagRuns: (filter, page) =>
      list<DagRunRow>(db, {
        columns: RUN_ROW,
        from: RUN_TABLES,
        where: runWhere(filter),
        order: orderBy(page, RUN_ORDER, page.order_by[0]?.startsWith("-") ? "r.id DESC" : "r.id"),
        page,
      }),

    async getDagRun(dagId, runId) {
      const [row] = await db.rows<DagRunRow>({
        text: `SELECT ${RUN_ROW} FROM ${RUN_TABLES} WHERE r.dag_id = $1 AND r.run_id = $2`,
        values: [dagId, runId],
      });
      return row ?? null;
    },

    listTaskInstances: (filter, page) =>
      list<TaskInstanceRow>(db, {
        columns: INSTANCE_COLUMNS,
        from: INSTANCE_TABLES,
        where: instanceWhere(filter),
        order: orderBy(page, INSTANCE_ORDER, "t.id"),
        page,
      }),

    getTaskInstance: (address) => one(db, address),
    listTries: (address) => tries(db, address),

    countTaskStates: (dagId, runIds) =>
      db.rows<TaskStateCount>({
        name: "count_task_states",
        text: `SELECT r.run_id, t.task_id, t.state, count(*)::integer AS count, bool_or(t.map_index >= 0) AS is_expanded,
            min(t.start_date) AS min_start_date, max(t.end_date) AS max_end_date, bool_or(t.note IS NOT NULL) AS has_note,
            v.version_number AS dag_version_number
          FROM ${INSTANCE_TABLES} WHERE r.dag_id = $1 AND r.run_id = ANY($2::text[])
          GROUP BY r.run_id, v.version_number, t.task_id, t.state`,
        values: [dagId, runIds],
      }),

    listXComs: (filter, page) =>
      list<XComRow>(db, {
        columns:
          'x.key, x.value, x."timestamp", r.logical_date, r.run_after, r.dag_id, r.run_id, x.task_id, x.map_index',
        from: "xcom x JOIN dag_run r ON r.id = x.dag_run",
        where: new Where()
          .and("r.dag_id = ?", filter.dag_id)
          .and("r.run_id = ?", filter.run_id)
          .and("x.task_id = ?", filter.task_id)
          .and("x.map_index = ?", filter.map_index)
          .and("x.key = ?", filter.key),
        order: orderBy(
          page,
          { key: "x.key", timestamp: 'x."timestamp"', task_id: "x.task_id", dag_id: "r.dag_id", run_id: "r.run_id" },
          "r.id, x.task_id, x.map_index, x.key",
        ),
        page,
      }),
  };
}

async function one(db: Queryable, { dag_id, run_id, task_id, map_index }: Address): Promise<TaskInstanceRow | null> {
  const [row] = await db.rows<TaskInstanceRow>({
    name: "get_task_instance",
    text: `SELECT ${INSTANCE_COLUMNS} FROM ${INSTANCE_TABLES}
      WHERE r.dag_id = $1 AND r.run_id = $2 AND t.task_id = $3 AND t.map_index = $4`,
    values: [dag_id, run_id, task_id, map_index],
  });
  return row ?? null;
}

/** The try that a cleared instance had lies in the history; the instance itself then has no try of its own yet. */
async function tries(db: Queryable, address: Address): Promise<TaskInstanceRow[]> {
  const current = await one(db, address);
  if (current === null) return [];
  const kept = await db.rows<Partial<TaskInstanceRow> & { try_number: number }>({
    text: `SELECT try_number, state, cause, max_tries, start_date, end_date, scheduled_when, queued_when, hostname,
        unixname, pid, pool, pool_slots, queue, priority_weight, operator
      FROM task_instance_history WHERE task_instance = $1 ORDER BY try_number`,
    values: [current.id],
  });
  const earlier = kept.map((row) => ({ ...current, next_retry_at: null, note: null, ...row }));
  return earlier.some(({ try_number }) => try_number === current.try_number) ? earlier : [...earlier, current];
}

function runWhere(filter: DagRunFilter): Where {
  return new Where()
    .and("r.dag_id = ?", filter.dag_id)
    .oneOf("r.dag_id", filter.dag_ids)
    .oneOf("r.run_id", filter.run_ids)
    .like("r.run_id", filter.run_id_pattern)
    .oneOf("r.state", filter.states)
    .oneOf("r.run_type", filter.run_types)
    .like("r.triggering_user_name", filter.triggering_user_name_pattern)
    .range("r.logical_date", filter.logical_date)
    .range("r.run_after", filter.run_after)
    .range("r.start_date", filter.start_date)
    .range("r.end_date", filter.end_date)
    .range("r.updated_at", filter.updated_at);
}

function instanceWhere(filter: TaskInstanceFilter): Where {
  return new Where()
    .and("t.dag_id = ?", filter.dag_id)
    .and("t.run_id = ?", filter.run_id)
    .and("t.task_id = ?", filter.task_id)
    .and("t.map_index = ?", filter.map_index)
    .and("(t.map_index >= 0) = ?", filter.is_expanded)
    .oneOf("t.task_id", filter.task_ids)
    .like("t.task_id", filter.task_id_pattern)
    .oneOf(
      "coalesce(t.state, 'no_status')",
      filter.states?.map((state) => (state === "none" ? "no_status" : state)),
    )
    .oneOf("t.pool", filter.pools)
    .oneOf("t.queue", filter.queues)
    .oneOf("t.operator", filter.operators)
    .oneOf("t.try_number", filter.try_numbers)
    .range("r.logical_date", filter.logical_date)
    .range("r.run_after", filter.run_after)
    .range("t.start_date", filter.start_date)
    .range("t.end_date", filter.end_date);
}
