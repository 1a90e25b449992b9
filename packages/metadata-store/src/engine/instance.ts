/** Task instances as the engine reads and writes them. The only code that writes `task_instance.state`. */
import type { Instant, TaskInstanceState, UpstreamCounts } from "@updraft/dag-core";
import type { Tidings } from "../announcement.ts";
import { at, type Transaction } from "../database.ts";

export interface EngineInstance {
  readonly id: string;
  readonly dag_run: number;
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly state: TaskInstanceState;
  readonly try_number: number;
  readonly max_tries: number;
  readonly pool: string;
  readonly pool_slots: number;
  readonly queue: string;
  readonly priority_weight: number;
  readonly offer_number: number;
  readonly upstream_total: number;
  readonly upstream_success: number;
  readonly upstream_failed: number;
  readonly upstream_upstream_failed: number;
  readonly upstream_skipped: number;
  readonly upstream_removed: number;
}

export const ENGINE_COLUMNS = `t.id, t.dag_run, t.dag_id, t.run_id, t.task_id, t.map_index, t.state, t.try_number,
  t.max_tries, t.pool, t.pool_slots, t.queue, t.priority_weight, t.offer_number, t.upstream_total, t.upstream_success,
  t.upstream_failed, t.upstream_upstream_failed, t.upstream_skipped, t.upstream_removed`;

export function upstreamCounts(instance: EngineInstance): UpstreamCounts {
  return {
    total: instance.upstream_total,
    success: instance.upstream_success,
    failed: instance.upstream_failed,
    upstream_failed: instance.upstream_upstream_failed,
    skipped: instance.upstream_skipped,
    removed: instance.upstream_removed,
  };
}

/** A change of state of one instance. `start_date` and `end_date` are written where given. */
export interface Move {
  readonly instance: EngineInstance;
  readonly state: TaskInstanceState;
  readonly cause: string | null;
  readonly end_date?: Instant | null;
  readonly start_date?: Instant | null;
  readonly next_retry_at?: Instant | null;
  readonly max_tries?: number;
}

/**
 * Writes moves whose rows the caller has locked. Should one no longer be in the state on which was decided, the
 * transaction is repeated.
 */
export function writeMoves(tx: Transaction, moves: readonly Move[], tidings: Tidings): void {
  if (moves.length === 0) return;
  tx.send({
    name: "write_moves",
    text: `UPDATE task_instance t
      SET state = m.state, cause = m.cause,
          start_date = CASE WHEN m.sets_start THEN m.start_date ELSE t.start_date END,
          end_date = CASE WHEN m.sets_end THEN m.end_date ELSE t.end_date END,
          next_retry_at = m.next_retry_at, trigger_id = NULL, trigger_timeout = NULL,
          max_tries = coalesce(m.max_tries, t.max_tries)
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::timestamptz[], $7::boolean[],
                  $8::timestamptz[], $9::timestamptz[], $10::integer[])
        AS m (id, before, state, cause, sets_start, start_date, sets_end, end_date, next_retry_at, max_tries)
      WHERE t.id = m.id AND t.state IS NOT DISTINCT FROM m.before
      RETURNING t.id`,
    expects: moves.length,
    values: [
      moves.map(({ instance }) => instance.id),
      moves.map(({ instance }) => instance.state),
      moves.map(({ state }) => state),
      moves.map(({ cause }) => cause),
      moves.map(({ start_date }) => start_date !== undefined),
      moves.map(({ start_date }) => at(start_date ?? null)),
      moves.map(({ end_date }) => end_date !== undefined),
      moves.map(({ end_date }) => at(end_date ?? null)),
      moves.map(({ next_retry_at }) => at(next_retry_at ?? null)),
      moves.map(({ max_tries }) => max_tries ?? null),
    ],
  });
  tidings.task_instances.push(...moves.map(({ instance, state }) => changeOf(instance, state)));
}

export function changeOf(instance: EngineInstance, state: TaskInstanceState, tryNumber = instance.try_number) {
  const { dag_id, run_id, task_id, map_index } = instance;
  return { dag_id, run_id, task_id, map_index, try_number: tryNumber, state };
}

/** Keeps the try that a new one is about to follow and removes what it pushed. Repeating it is harmless. */
export function keepTries(tx: Transaction, ids: readonly string[]): void {
  if (ids.length === 0) return;
  tx.send({
    name: "remove_pushed",
    text: `DELETE FROM xcom x USING task_instance t
      WHERE t.id = ANY($1::uuid[]) AND x.dag_run = t.dag_run AND x.task_id = t.task_id AND x.map_index = t.map_index`,
    values: [ids],
  });
  tx.send({
    name: "keep_tries",
    text: `INSERT INTO task_instance_history (task_instance, try_number, state, cause, max_tries, start_date, end_date,
        scheduled_when, queued_when, hostname, unixname, pid, pool, pool_slots, queue, priority_weight, operator)
      SELECT id, try_number, state, cause, max_tries, start_date, end_date, scheduled_when, queued_when, hostname,
        unixname, pid, pool, pool_slots, queue, priority_weight, operator
      FROM task_instance WHERE id = ANY($1::uuid[]) AND try_number > 0
      ON CONFLICT DO NOTHING`,
    values: [ids],
  });
}
