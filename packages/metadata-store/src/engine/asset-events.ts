/**
 * Events of assets: written once, and queued in the same statement for every DAG that waits for them. A DAG that is
 * paused gets none; those events are lost to its queue, as in Airflow.
 */
import type { Instant, JsonValue } from "@updraft/dag-core";
import { at, type Queryable } from "../database.ts";

/** Where an event comes from; all null for one that a person or a program posts. */
export interface AssetEventSource {
  readonly source_dag_id: string | null;
  readonly source_run_id: string | null;
  readonly source_task_id: string | null;
  readonly source_map_index: number;
}

/** An event to be written. The asset is named by name, by uri or by both, and must be active. */
export interface NewAssetEvent extends AssetEventSource {
  readonly name: string | null;
  readonly uri: string | null;
  readonly extra: Readonly<Record<string, JsonValue>>;
  /** Aliases through which it comes; the asset becomes a member of each. */
  readonly aliases: readonly string[];
  /** Null: that of the run that it comes from, if it has one. */
  readonly given_key: string | null;
}

export interface WrittenAssetEvents {
  /** In the order given; events of assets that are not active are missing. */
  readonly event_ids: readonly number[];
  /** How many DAGs have something new to look at. */
  readonly queued: number;
}

export async function writeAssetEvents(
  tx: Queryable,
  events: readonly NewAssetEvent[],
  now: Instant,
): Promise<WrittenAssetEvents> {
  if (events.length === 0) return { event_ids: [], queued: 0 };
  await joinAliases(tx, events, now);
  const [written] = await tx.rows<{ event_ids: number[] | null; queued: number }>({
    name: "write_asset_events",
    text: `WITH given AS MATERIALIZED (
        SELECT nextval(pg_get_serial_sequence('asset_event', 'id')) AS id, w.* FROM (
          SELECT w.*, a.id AS asset_id, coalesce(w.given_key, r.partition_key) AS partition_key
          FROM json_to_recordset($1::json) AS w (ordinal integer, name text, uri text, extra json, aliases text[],
              given_key text, source_dag_id text, source_run_id text, source_task_id text, source_map_index integer)
            LEFT JOIN dag_run r ON r.dag_id = w.source_dag_id AND r.run_id = w.source_run_id
            JOIN asset_active n ON n.name = coalesce(w.name, n.name) AND n.uri = coalesce(w.uri, n.uri)
            JOIN asset a ON a.name = n.name AND a.uri = n.uri
          ORDER BY w.ordinal) w),
      written AS (
        INSERT INTO asset_event (id, asset_id, extra, source_task_id, source_dag_id, source_run_id, source_map_index,
          partition_key, "timestamp")
        SELECT id, asset_id, extra, source_task_id, source_dag_id, source_run_id, source_map_index, partition_key, $2
        FROM given),
      through AS (
        INSERT INTO asset_alias_asset_event (alias_id, event_id)
        SELECT l.id, g.id FROM given g JOIN asset_alias l ON l.name = ANY(g.aliases)),
      waiting AS (
        SELECT g.id, r.dag_id FROM given g JOIN dag_schedule_asset_reference r USING (asset_id)
        UNION SELECT g.id, r.dag_id FROM given g JOIN asset a ON a.id = g.asset_id
          JOIN dag_schedule_asset_name_reference r ON r.name = a.name
        UNION SELECT g.id, r.dag_id FROM given g JOIN asset a ON a.id = g.asset_id
          JOIN dag_schedule_asset_uri_reference r ON r.uri = a.uri
        UNION SELECT g.id, r.dag_id FROM given g JOIN asset_alias l ON l.name = ANY(g.aliases)
          JOIN dag_schedule_asset_alias_reference r ON r.alias_id = l.id),
      queued AS (
        INSERT INTO asset_dag_run_queue (target_dag_id, event_id, asset_id, created_at)
        SELECT d.dag_id, g.id, g.asset_id, $2 FROM waiting w JOIN given g USING (id) JOIN dag d USING (dag_id)
        WHERE NOT d.is_paused AND NOT d.is_draining AND d.timetable_partitioned = (g.partition_key IS NOT NULL)
        RETURNING target_dag_id)
      SELECT (SELECT array_agg(id ORDER BY ordinal) FROM given) AS event_ids,
        (SELECT count(DISTINCT target_dag_id)::integer FROM queued) AS queued`,
    values: [JSON.stringify(events.map((event, ordinal) => ({ ordinal, ...event }))), at(now)],
  });
  return { event_ids: (written?.event_ids ?? []).map(Number), queued: written?.queued ?? 0 };
}

/** An asset that comes through an alias need not be declared anywhere. */
async function joinAliases(tx: Queryable, events: readonly NewAssetEvent[], now: Instant): Promise<void> {
  const pairs = events.flatMap(({ name, uri, aliases }) =>
    name === null || uri === null ? [] : aliases.map((alias) => ({ name, uri, alias })),
  );
  if (pairs.length === 0) return;
  const sorted = pairs.toSorted((left, right) => (left.name + left.uri < right.name + right.uri ? -1 : 1));
  const identities = [sorted.map(({ name }) => name), sorted.map(({ uri }) => uri)];
  await tx.rows({
    name: "make_asset_of_alias",
    text: `INSERT INTO asset (name, uri, "group", extra, created_at, updated_at)
      SELECT name, uri, 'asset', '{}', $3, $3 FROM unnest($1::text[], $2::text[]) AS n (name, uri) ON CONFLICT DO NOTHING`,
    values: [...identities, at(now)],
  });
  await tx.rows({
    name: "activate_asset_of_alias",
    text: "INSERT INTO asset_active SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING",
    values: identities,
  });
  await tx.rows({
    name: "join_alias",
    text: `INSERT INTO asset_alias_asset (alias_id, asset_id)
      SELECT l.id, a.id FROM unnest($1::text[], $2::text[], $3::text[]) AS n (name, uri, alias)
        JOIN asset a USING (name, uri) JOIN asset_alias l ON l.name = n.alias
      ON CONFLICT DO NOTHING`,
    values: [...identities, sorted.map(({ alias }) => alias)],
  });
}
