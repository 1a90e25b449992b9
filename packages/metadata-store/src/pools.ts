/** Pools: what people set, and how full they are. */
import { NOTHING } from "./announcement.ts";
import type { Queryable } from "./database.ts";
import type { Engine } from "./engine/context.ts";
import { poolKey } from "./engine/occupancy.ts";
import type { ControlStore, PoolRow, ReadStore } from "./store.ts";

/** Tasks that name no pool run in this one, so it stays. */
const DEFAULT_POOL = "default_pool";

/**
 * What is occupied comes from the kept counter. What of it is queued or deferred is summed over instances that hold a
 * slot, which `parallelism` and the triggers bound; scheduled slots are summed over the backlog by its partial index.
 */
const POOLS = `
  WITH queued AS (SELECT pool, sum(pool_slots)::integer AS slots FROM task_instance WHERE state = 'queued' GROUP BY pool),
    scheduled AS (SELECT pool, sum(pool_slots)::integer AS slots FROM task_instance WHERE state = 'scheduled' GROUP BY pool),
    deferred AS (SELECT t.pool, sum(t.pool_slots)::integer AS slots FROM trigger g
      JOIN task_instance t ON t.id = g.task_instance WHERE t.state = 'deferred' GROUP BY t.pool)
  SELECT p.pool AS name, p.slots, p.description, p.include_deferred, coalesce(o.used, 0) AS occupied,
    coalesce(q.slots, 0) AS queued, coalesce(s.slots, 0) AS scheduled, coalesce(d.slots, 0) AS deferred
  FROM slot_pool p LEFT JOIN occupancy o ON o.key = 'pool:' || p.pool
    LEFT JOIN queued q ON q.pool = p.pool LEFT JOIN scheduled s ON s.pool = p.pool LEFT JOIN deferred d ON d.pool = p.pool
  ORDER BY p.pool`;

export function poolStore({
  db,
}: Engine): Pick<ReadStore, "listPools"> & Pick<ControlStore, "savePool" | "deletePool"> {
  return {
    listPools: () => db.rows<PoolRow>({ name: "list_pools", text: POOLS }),

    async savePool({ name, slots, description, include_deferred }, mode) {
      return db.transaction(async (tx) => {
        const written = await tx.rows<{ was: boolean | null }>({
          text: `${mode === "create" ? INSERT : mode === "update" ? UPDATE : UPSERT} RETURNING pool`,
          values: [name, slots, description, include_deferred],
        });
        if (written.length === 0) return null;
        await recount(tx, name);
        // More slots may let something run that waits for them.
        return { ...NOTHING, wake_scheduler: true };
      });
    },

    async deletePool(name) {
      if (name === DEFAULT_POOL) return "default";
      const rows = await db.rows({ text: "DELETE FROM slot_pool WHERE pool = $1 RETURNING pool", values: [name] });
      return rows.length > 0 ? "deleted" : "not_found";
    },
  };
}

const COLUMNS = "INSERT INTO slot_pool (pool, slots, description, include_deferred) VALUES ($1, $2, $3, $4)";
const INSERT = `${COLUMNS} ON CONFLICT DO NOTHING`;
const UPDATE = "UPDATE slot_pool SET slots = $2, description = $3, include_deferred = $4 WHERE pool = $1";
const UPSERT = `${COLUMNS} ON CONFLICT (pool) DO UPDATE SET slots = $2, description = $3, include_deferred = $4`;

/** Whether deferred tasks count may have changed. Whoever changes the counter meanwhile adds to what is counted here. */
async function recount(tx: Queryable, pool: string): Promise<void> {
  await tx.rows({ text: "SELECT used FROM occupancy WHERE key = $1 FOR UPDATE", values: [poolKey(pool)] });
  await tx.rows({
    text: `INSERT INTO occupancy AS o (key, used) SELECT $1, coalesce(sum(t.pool_slots), 0)::integer FROM (
          SELECT pool_slots FROM task_instance WHERE pool = $2 AND state = 'queued'
          UNION ALL SELECT pool_slots FROM task_instance WHERE pool = $2 AND state = 'running'
          UNION ALL SELECT t.pool_slots FROM trigger g JOIN task_instance t ON t.id = g.task_instance
            JOIN slot_pool p ON p.pool = t.pool WHERE t.pool = $2 AND t.state = 'deferred' AND p.include_deferred) t
      ON CONFLICT (key) DO UPDATE SET used = excluded.used`,
    values: [poolKey(pool), pool],
  });
}
