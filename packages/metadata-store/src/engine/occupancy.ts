/**
 * The counters of what is in use. A transaction locks them after all other rows: first those of running runs, then the
 * rest, each in the order of their keys, so that two transitions never wait for each other in a circle.
 */
import type { Queryable, Transaction } from "../database.ts";

export const PARALLELISM = "parallelism";
export const poolKey = (pool: string) => `pool:${pool}`;
/** Tries of a run. */
export const runKey = (run: number) => `run:${run}`;
export const taskKey = (dagId: string, taskId: string) => `task:${dagId}/${taskId}`;
/** Tries of a task within a run; kept only where `max_active_tis_per_dagrun` limits them. */
export const taskInRunKey = (run: number, taskId: string) => `taskrun:${run}/${taskId}`;
/** Running runs of a DAG, without those of its backfills. */
export const runningRunsKey = (dagId: string) => `runs:${dagId}`;
/** Running runs of a backfill. */
export const backfillRunsKey = (id: number) => `backfill:${id}`;
/** The counter that limits how many such runs run at once. */
export const runsKeyOf = (run: { readonly dag_id: string; readonly backfill_id: number | null }) =>
  run.backfill_id === null ? runningRunsKey(run.dag_id) : backfillRunsKey(run.backfill_id);

export interface Counter {
  readonly used: number;
  /** Of a pool that exists; -1 is without limit. */
  readonly slots: number | null;
}

/** Locks counters, making those that are missing. */
export async function lockOccupancy(tx: Queryable, keys: Iterable<string>): Promise<ReadonlyMap<string, Counter>> {
  const wanted = [...new Set(keys)].sort();
  for (;;) {
    const rows = await lockAndMake(tx, wanted);
    if (rows.length === wanted.length) return new Map(rows.map(({ key, used, slots }) => [key, { used, slots }]));
    // Somebody else made one at the same moment; now it is there to be read.
  }
}

/** The existing ones are locked before any is made, as everybody does it. */
function lockAndMake(tx: Queryable, keys: readonly string[]) {
  return tx.rows<{ key: string; used: number; slots: number | null }>({
    name: "lock_occupancy",
    text: `WITH found AS MATERIALIZED (
        SELECT o.key, o.used FROM occupancy o WHERE o.key = ANY($1::text[]) ORDER BY o.key COLLATE "C" FOR UPDATE),
      made AS (
        INSERT INTO occupancy SELECT key, 0 FROM unnest($1::text[]) AS k (key)
        WHERE NOT EXISTS (SELECT FROM occupancy o WHERE o.key = k.key) ON CONFLICT DO NOTHING RETURNING key, used)
      SELECT c.key, c.used, p.slots FROM (SELECT * FROM found UNION ALL SELECT * FROM made) c
        LEFT JOIN slot_pool p ON c.key = 'pool:' || p.pool`,
    values: [keys],
  });
}

export function changeOccupancy(tx: Transaction, changes: ReadonlyMap<string, number>): void {
  const real = [...changes].filter(([, change]) => change !== 0).sort(([left], [right]) => (left < right ? -1 : 1));
  if (real.length === 0) return;
  tx.send({
    name: "change_occupancy",
    text: `INSERT INTO occupancy AS o SELECT key, change FROM unnest($1::text[], $2::integer[]) AS c (key, change)
      ON CONFLICT (key) DO UPDATE SET used = o.used + excluded.used`,
    values: [real.map(([key]) => key), real.map(([, change]) => change)],
  });
}

export function add(changes: Map<string, number>, key: string, change: number): void {
  changes.set(key, (changes.get(key) ?? 0) + change);
}
