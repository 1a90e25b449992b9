/** Deadlines, as read. */
import type { SerializedDag } from "@updraft/dag-core";
import type { DeadlineRow, DeadlineStore } from "./deadline-rows.ts";
import type { Engine } from "./engine/context.ts";
import { alertId } from "./engine/deadlines.ts";
import { list, orderBy, Where } from "./reads/where.ts";

const ORDERINGS = {
  id: "n.id",
  deadline_time: "n.deadline_time",
  created_at: "n.created_at",
  last_updated_at: "n.last_updated_at",
  missed: "n.missed",
  dag_id: "r.dag_id",
  dag_run_id: "r.run_id",
  alert_name: "n.alert_name",
};

export function deadlineStore({ db }: Engine): DeadlineStore {
  return {
    listDeadlines: ({ dag_id, dag_run_id, missed, deadline_time, last_updated_at }, page) =>
      list<DeadlineRow>(db, {
        columns:
          "n.id, n.deadline_time, n.missed, n.created_at, r.dag_id, r.run_id AS dag_run_id, n.alert_id, n.alert_name",
        from: "deadline n JOIN dag_run r ON r.id = n.dag_run",
        where: new Where()
          .and("r.dag_id = ?", dag_id)
          .and("r.run_id = ?", dag_run_id)
          .and("n.missed = ?", missed)
          .range("n.deadline_time", deadline_time)
          .range("n.last_updated_at", last_updated_at),
        order: orderBy(page, ORDERINGS, "n.deadline_time, n.id"),
        page,
      }),

    async deadlineAlerts(dagId, versionNumber) {
      const [version] = await db.rows<{ id: string; form: SerializedDag; created_at: number }>({
        name: "deadline_alerts",
        text: `SELECT v.id, v.form, v.created_at FROM dag_version v JOIN dag d USING (dag_id)
          WHERE v.dag_id = $1 AND ($2::integer IS NULL AND v.id = d.dag_version_id OR v.version_number = $2)`,
        values: [dagId, versionNumber],
      });
      if (version === undefined) return null;
      const { id, form, created_at } = version;
      return (form.deadlines ?? []).map(({ name, reference, interval }, index) => ({
        id: alertId(id, index),
        name,
        reference_type: reference.reference_type,
        interval: typeof interval === "number" ? interval : null,
        created_at,
      }));
    },
  };
}
