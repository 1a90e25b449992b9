/** Backfills: what people ask of them, and what is read. */
import type { BackfillRow, BackfillStore } from "./backfill-rows.ts";
import type { Queryable } from "./database.ts";
import { cancelBackfill, createBackfill, dryRunBackfill, pauseBackfill } from "./engine/backfills.ts";
import type { Engine } from "./engine/context.ts";
import { list, orderBy, Where } from "./reads/where.ts";

const COLUMNS = `b.id, b.dag_id, d.dag_display_name, b.from_date, b.to_date, b.dag_run_conf, b.is_paused,
  b.reprocess_behavior, b.max_active_runs, b.created_at, b.completed_at, b.updated_at`;
const TABLES = "backfill b JOIN dag d USING (dag_id)";

export function backfillStore(engine: Engine): BackfillStore {
  const { db } = engine;
  const read = async (id: number) => (await readBackfill(db, id)) as BackfillRow;
  return {
    async createBackfill(request) {
      const created = await createBackfill(engine, request);
      if (created.kind === "rejected") return created;
      return { kind: "created", backfill: await read(created.id), announcement: created.announcement };
    },
    dryRunBackfill: (request) => dryRunBackfill(engine, request),
    async pauseBackfill(id, paused) {
      const changed = await pauseBackfill(engine, id, paused);
      return changed.kind === "rejected" ? changed : { ...changed, backfill: await read(id) };
    },
    async cancelBackfill(id) {
      const changed = await cancelBackfill(engine, id);
      return changed.kind === "rejected" ? changed : { ...changed, backfill: await read(id) };
    },
    getBackfill: (id) => readBackfill(db, id),
    listBackfills: ({ dag_id, active }, page) =>
      list<BackfillRow>(db, {
        columns: COLUMNS,
        from: TABLES,
        where: new Where().and("b.dag_id = ?", dag_id).and("(b.completed_at IS NULL) = ?", active),
        order: orderBy(page, { id: "b.id" }, "b.id"),
        page,
      }),
  };
}

async function readBackfill(db: Queryable, id: number): Promise<BackfillRow | null> {
  const [row] = await db.rows<BackfillRow>({
    name: "backfill",
    text: `SELECT ${COLUMNS} FROM ${TABLES} WHERE b.id = $1`,
    values: [id],
  });
  return row ?? null;
}
