/** Events that wait for a DAG, and their consumption by a run. The caller holds the lock of the DAG's row. */
import type { Instant, QueuedAssetEvent } from "@updraft/dag-core";
import { at, type Queryable } from "../database.ts";
import type { ConsumedAssetEvent } from "../store.ts";

export type QueuedEvent = QueuedAssetEvent & { readonly partition_key: string | null };

/** Oldest first, or the oldest that nobody looked at yet; those that somebody is removing are left out. */
export function queuedEvents(tx: Queryable, dagId: string, which: "all" | "next"): Promise<QueuedEvent[]> {
  return tx.rows<QueuedEvent>({
    name: "queued_events",
    text: `SELECT q.event_id AS id, a.name, a.uri, e."timestamp", e.partition_key,
        ARRAY(SELECT l.name FROM asset_alias_asset m JOIN asset_alias l ON l.id = m.alias_id WHERE m.asset_id = a.id) AS aliases
      FROM asset_dag_run_queue q JOIN asset_event e ON e.id = q.event_id JOIN asset a ON a.id = q.asset_id
      WHERE q.target_dag_id = $1 AND ($2::integer IS NULL OR NOT q.is_seen)
      ORDER BY e."timestamp", q.event_id LIMIT $2 FOR UPDATE OF q SKIP LOCKED`,
    values: [dagId, which === "all" ? null : 1],
  });
}

/** Takes events from the queue and attaches them to a run. */
export async function consumeEvents(
  tx: Queryable,
  dagId: string,
  runId: number,
  eventIds: readonly number[],
): Promise<void> {
  await tx.rows({
    name: "consume_events",
    text: `WITH consumed AS (
        DELETE FROM asset_dag_run_queue WHERE target_dag_id = $1 AND event_id = ANY($3::bigint[]) RETURNING event_id)
      INSERT INTO dagrun_asset_event (dag_run_id, event_id) SELECT $2, event_id FROM consumed`,
    values: [dagId, runId, eventIds],
  });
}

/** Attaches what happened since the run before and never was in the queue, as while the DAG was paused. */
export async function attachHistory(tx: Queryable, dagId: string, runId: number, runAfter: Instant): Promise<void> {
  await tx.rows({
    name: "attach_history",
    text: `INSERT INTO dagrun_asset_event (dag_run_id, event_id)
      SELECT $2, e.id FROM asset_event e JOIN asset a ON a.id = e.asset_id
      WHERE e.partition_key IS NULL AND e."timestamp" <= $3
        AND e."timestamp" >= coalesce((SELECT max(run_after) FROM dag_run
          WHERE dag_id = $1 AND run_type = 'asset_triggered' AND id <> $2), '-infinity')
        AND (EXISTS (SELECT FROM dag_schedule_asset_reference r WHERE r.dag_id = $1 AND r.asset_id = a.id)
          OR EXISTS (SELECT FROM dag_schedule_asset_name_reference r WHERE r.dag_id = $1 AND r.name = a.name)
          OR EXISTS (SELECT FROM dag_schedule_asset_uri_reference r WHERE r.dag_id = $1 AND r.uri = a.uri)
          OR EXISTS (SELECT FROM dag_schedule_asset_alias_reference r JOIN asset_alias_asset_event x USING (alias_id)
            WHERE r.dag_id = $1 AND x.event_id = e.id))
        AND NOT EXISTS (SELECT FROM asset_dag_run_queue q WHERE q.target_dag_id = $1 AND q.event_id = e.id)
        AND NOT EXISTS (SELECT FROM dagrun_asset_event x JOIN dag_run r ON r.id = x.dag_run_id
          WHERE x.event_id = e.id AND r.dag_id = $1)
      ON CONFLICT DO NOTHING`,
    values: [dagId, runId, at(runAfter)],
  });
}

/** What made a run, oldest first. */
export function consumedEvents(db: Queryable, runId: number): Promise<ConsumedAssetEvent[]> {
  return db.rows<ConsumedAssetEvent>({
    name: "consumed_events",
    text: `SELECT a.name, a.uri, a.extra AS asset_extra, e.extra, e.source_task_id, e.source_dag_id, e.source_run_id,
        e.source_map_index, e."timestamp", e.partition_key,
        ARRAY(SELECT l.name FROM asset_alias_asset_event z JOIN asset_alias l ON l.id = z.alias_id
          WHERE z.event_id = e.id ORDER BY l.name) AS source_aliases
      FROM dagrun_asset_event x JOIN asset_event e ON e.id = x.event_id JOIN asset a ON a.id = e.asset_id
      WHERE x.dag_run_id = $1 ORDER BY e."timestamp", e.id`,
    values: [runId],
  });
}

/** What is queued has been looked at and waits for another event. */
export async function markSeen(tx: Queryable, dagId: string, eventIds: readonly number[]): Promise<void> {
  await tx.rows({
    name: "events_seen",
    text: `UPDATE asset_dag_run_queue SET is_seen = true
      WHERE target_dag_id = $1 AND event_id = ANY($2::bigint[]) AND NOT is_seen`,
    values: [dagId, eventIds],
  });
}

/** Takes events from the queue that no run will ever consume, and notes in the audit log why, one by one. */
export async function refuseEvents(
  tx: Queryable,
  dagId: string,
  refused: readonly QueuedEvent[],
  now: Instant,
): Promise<void> {
  if (refused.length === 0) return;
  const causes = refused.map(({ name, uri, partition_key: key }) =>
    JSON.stringify({
      ...{ asset: { name, uri }, partition_key: key },
      cause: `The partition mapper of DAG ${dagId} has no key for '${key}'; the event makes no run of it`,
    }),
  );
  await tx.rows({
    name: "refuse_events",
    text: `WITH refused AS (
        DELETE FROM asset_dag_run_queue q USING unnest($2::bigint[], $3::text[]) AS r (id, cause)
        WHERE q.target_dag_id = $1 AND q.event_id = r.id RETURNING r.id, r.cause)
      INSERT INTO log (dttm, event, dag_id, owner, extra)
      SELECT $4, 'asset_event_refused', $1, 'scheduler', cause FROM refused ORDER BY id`,
    values: [dagId, refused.map(({ id }) => id), causes, at(now)],
  });
}
