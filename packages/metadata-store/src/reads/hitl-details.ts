/** Questions that tasks ask people, as lists. */
import type { Queryable } from "../database.ts";
import type { HitlDetailFilter, HitlDetailRow, ReadStore, TaskInstanceRow } from "../store.ts";
import { HITL_COLUMNS, INSTANCE_COLUMNS, INSTANCE_TABLES } from "./columns.ts";
import { list, orderBy, Where } from "./where.ts";

const ORDER = {
  ti_id: "h.ti_id",
  subject: "h.subject",
  responded_at: "h.responded_at",
  created_at: "h.created_at",
  dag_id: "t.dag_id",
  run_id: "t.run_id",
  task_id: "t.task_id",
  map_index: "t.map_index",
};

export const listHitlDetails =
  (db: Queryable): ReadStore["listHitlDetails"] =>
  async (filter, page) => {
    const { rows, total_entries } = await list<HitlDetailRow & TaskInstanceRow>(db, {
      columns: `${HITL_COLUMNS}, ${INSTANCE_COLUMNS}`,
      from: `hitl_detail h JOIN ${INSTANCE_TABLES.replace("JOIN", "ON t.id = h.ti_id JOIN")}`,
      where: whereOf(filter),
      order: orderBy(page, ORDER, "h.ti_id"),
      page,
    });
    return { rows: rows.map((row) => ({ detail: row, task_instance: row })), total_entries };
  };

function whereOf(filter: HitlDetailFilter): Where {
  return new Where()
    .and("t.dag_id = ?", filter.dag_id)
    .and("t.run_id = ?", filter.run_id)
    .like("t.dag_id", filter.dag_id_pattern)
    .and("t.task_id = ?", filter.task_id)
    .like("t.task_id", filter.task_id_pattern)
    .and("t.map_index = ?", filter.map_index)
    .oneOf("coalesce(t.state, 'no_status')", filter.states)
    .and("(h.responded_at IS NOT NULL) = ?", filter.response_received)
    .oneOf("h.responded_by ->> 'id'", filter.responded_by_user_ids)
    .oneOf("h.responded_by ->> 'name'", filter.responded_by_user_names)
    .like("h.subject", filter.subject_pattern)
    .like("h.body", filter.body_pattern)
    .range("h.created_at", filter.created_at);
}
