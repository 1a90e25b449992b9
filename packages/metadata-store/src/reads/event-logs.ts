/** What people did, as the audit log keeps it. */
import type { Queryable } from "../database.ts";
import type { EventLogFilter, EventLogRow, ReadStore } from "../store.ts";
import { list, orderBy, Where } from "./where.ts";

const COLUMNS = `l.id AS event_log_id, l.dttm AS "when", l.dag_id, l.task_id, l.run_id, l.event, l.owner, l.extra,
  r.logical_date, d.dag_display_name`;
const TABLES =
  "log l LEFT JOIN dag_run r ON r.dag_id = l.dag_id AND r.run_id = l.run_id LEFT JOIN dag d ON d.dag_id = l.dag_id";

const ORDER = {
  id: "l.id",
  dttm: "l.dttm",
  when: "l.dttm",
  dag_id: "l.dag_id",
  task_id: "l.task_id",
  run_id: "l.run_id",
  event: "l.event",
  owner: "l.owner",
  extra: "l.extra",
};

export function eventLogReads(db: Queryable): Pick<ReadStore, "listEventLogs"> {
  return {
    listEventLogs: (filter, page) =>
      list<EventLogRow>(db, {
        columns: COLUMNS,
        from: TABLES,
        where: whereOf(filter),
        order: orderBy(page, ORDER, page.order_by[0]?.startsWith("-") ? "l.id DESC" : "l.id"),
        page,
      }),
  };
}

function whereOf(filter: EventLogFilter): Where {
  return new Where()
    .and("l.id = ?", filter.event_log_id)
    .and("l.dag_id = ?", filter.dag_id)
    .and("l.task_id = ?", filter.task_id)
    .and("l.run_id = ?", filter.run_id)
    .and("l.owner = ?", filter.owner)
    .and("l.event = ?", filter.event)
    .and("l.event <> ALL(?)", filter.excluded_events)
    .oneOf("l.event", filter.included_events)
    .like("l.dag_id", filter.dag_id_pattern)
    .like("l.task_id", filter.task_id_pattern)
    .like("l.run_id", filter.run_id_pattern)
    .like("l.owner", filter.owner_pattern)
    .like("l.event", filter.event_pattern)
    .range("l.dttm", filter.when);
}
