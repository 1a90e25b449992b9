/**
 * Which assets the newest version of a DAG names, and which assets are active: those that a DAG of today names. Of two
 * assets that share only their name or only their uri one is active, the first.
 */
import {
  type AssetIdentity,
  type AssetReference,
  assetReferences,
  assetSchedule,
  canonicalJson,
  type Instant,
  type SerializedDag,
} from "@updraft/dag-core";
import { at, type Queryable } from "../database.ts";
import { refreshWatchers, saveWatchers } from "./watchers.ts";

/** Writes what a version names, where it names other assets than the one before; most DAGs name none and pay nothing. */
export async function saveAssetReferences(
  tx: Queryable,
  dag: SerializedDag,
  before: SerializedDag | null,
  now: Instant,
): Promise<void> {
  const [named, earlier] = [namedBy(dag), before === null ? NONE : namedBy(before)];
  if (canonicalJson(named) === canonicalJson(earlier)) return;
  const all = [...named.schedule, ...named.outlets.map(referenceOf), ...named.inlets.map(referenceOf)];
  await saveAssets(tx, all, now);
  await saveAliases(tx, all);
  await saveScheduleReferences(tx, dag.dag_id, named.schedule, now);
  await saveTaskReferences(tx, "task_outlet_asset_reference", { dagId: dag.dag_id, tasks: named.outlets, now });
  await saveTaskReferences(tx, "task_inlet_asset_reference", { dagId: dag.dag_id, tasks: named.inlets, now });
  await saveWatchers(tx, dag.dag_id, all);
  await dropUnaskedEvents(tx, dag.dag_id);
  await tx.rows({
    name: "write_asset_schedule",
    text: "UPDATE dag SET batches_asset_events = $2, timetable_partitioned = $3 WHERE dag_id = $1",
    values: [dag.dag_id, named.batch, named.partitioned],
  });
  await refreshActiveAssets(tx);
}

/**
 * After a DAG came, went or changed: what nobody names any more rests, what became free of conflict is active, and the
 * watchers run that belong to active assets.
 */
export async function refreshActiveAssets(tx: Queryable): Promise<void> {
  await tx.rows({
    name: "rest_assets",
    text: `DELETE FROM asset_active t USING asset a
    WHERE a.name = t.name AND a.uri = t.uri AND NOT ${IS_NAMED}`,
  });
  await tx.rows({
    name: "activate_assets",
    text: `INSERT INTO asset_active
    SELECT a.name, a.uri FROM asset a WHERE ${IS_NAMED} ORDER BY a.id ON CONFLICT DO NOTHING`,
  });
  await refreshWatchers(tx);
}

/** The assets among some inlets or outlets that are not active; most tasks have none and pay nothing. */
export async function inactiveAssets(
  db: Queryable,
  references: readonly AssetReference[],
): Promise<readonly AssetReference[]> {
  const assets = assetsOf(references);
  if (assets.length === 0) return [];
  const active = await db.rows<AssetIdentity>({
    name: "active_assets",
    text: "SELECT name, uri FROM asset_active WHERE name = ANY($1::text[])",
    values: [assets.map(({ name }) => name)],
  });
  return assets.filter(({ name, uri }) => !active.some((one) => one.name === name && one.uri === uri));
}

/** Members of an alias count as named: no DAG says their names, the events do. */
const IS_NAMED = `(EXISTS (SELECT FROM dag_schedule_asset_reference r JOIN dag d USING (dag_id) WHERE r.asset_id = a.id AND NOT d.is_stale)
  OR EXISTS (SELECT FROM task_outlet_asset_reference r JOIN dag d USING (dag_id) WHERE r.asset_id = a.id AND NOT d.is_stale)
  OR EXISTS (SELECT FROM task_inlet_asset_reference r JOIN dag d USING (dag_id) WHERE r.asset_id = a.id AND NOT d.is_stale)
  OR EXISTS (SELECT FROM asset_alias_asset m WHERE m.asset_id = a.id))`;

interface TaskReference {
  readonly task_id: string;
  readonly reference: AssetReference;
}

interface Named {
  readonly batch: boolean;
  readonly partitioned: boolean;
  readonly schedule: readonly AssetReference[];
  readonly outlets: readonly TaskReference[];
  readonly inlets: readonly TaskReference[];
}

const NONE: Named = { batch: false, partitioned: false, schedule: [], outlets: [], inlets: [] };

function namedBy({ timetable, tasks }: SerializedDag): Named {
  const schedule = assetSchedule(timetable);
  return {
    batch: schedule !== null && "batch" in schedule && schedule.batch,
    partitioned: schedule?.type === "asset" && schedule.partition !== undefined,
    schedule: schedule === null ? [] : assetReferences(schedule.condition),
    outlets: tasks.flatMap(({ task_id, outlets }) => outlets.map((reference) => ({ task_id, reference }))),
    inlets: tasks.flatMap(({ task_id, inlets }) => inlets.map((reference) => ({ task_id, reference }))),
  };
}

function referenceOf({ reference }: TaskReference): AssetReference {
  return reference;
}

type Asset = Extract<AssetReference, { kind: "asset" }>;

function assetsOf(references: readonly AssetReference[]): Asset[] {
  const assets = references.filter((reference) => reference.kind === "asset");
  const unique = new Map(assets.map((asset) => [JSON.stringify([asset.name, asset.uri]), asset]));
  // One order for all processes that save files.
  return [...unique].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, asset]) => asset);
}

async function saveAssets(tx: Queryable, references: readonly AssetReference[], now: Instant): Promise<void> {
  const assets = assetsOf(references);
  if (assets.length === 0) return;
  await tx.rows({
    name: "save_assets",
    text: `INSERT INTO asset AS a (name, uri, "group", extra, created_at, updated_at)
      SELECT name, uri, "group", extra::json, $5, $5
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS n (name, uri, "group", extra)
      ON CONFLICT (name, uri) DO UPDATE SET "group" = excluded."group", extra = excluded.extra, updated_at = $5
      WHERE a."group" <> excluded."group" OR a.extra::text <> excluded.extra::text`,
    values: [
      assets.map(({ name }) => name),
      assets.map(({ uri }) => uri),
      assets.map(({ group }) => group),
      assets.map(({ extra }) => JSON.stringify(extra)),
      at(now),
    ],
  });
}

async function saveAliases(tx: Queryable, references: readonly AssetReference[]): Promise<void> {
  const aliases = new Map(references.flatMap((one) => (one.kind === "alias" ? [[one.name, one.group]] : [])));
  if (aliases.size === 0) return;
  const sorted = [...aliases].sort(([left], [right]) => (left < right ? -1 : 1));
  await tx.rows({
    name: "save_aliases",
    text: `INSERT INTO asset_alias AS l (name, "group") SELECT * FROM unnest($1::text[], $2::text[])
      ON CONFLICT (name) DO UPDATE SET "group" = excluded."group" WHERE l."group" <> excluded."group"`,
    values: [sorted.map(([name]) => name), sorted.map(([, group]) => group)],
  });
}

async function saveScheduleReferences(
  tx: Queryable,
  dagId: string,
  references: readonly AssetReference[],
  now: Instant,
): Promise<void> {
  const assets = assetsOf(references);
  const identities = [assets.map(({ name }) => name), assets.map(({ uri }) => uri)];
  await tx.rows({
    name: "drop_scheduled_assets",
    text: `DELETE FROM dag_schedule_asset_reference r USING asset a WHERE r.dag_id = $1 AND a.id = r.asset_id
      AND (a.name, a.uri) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))`,
    values: [dagId, ...identities],
  });
  await tx.rows({
    name: "add_scheduled_assets",
    text: `INSERT INTO dag_schedule_asset_reference (asset_id, dag_id, created_at, updated_at)
      SELECT a.id, $1, $4, $4 FROM unnest($2::text[], $3::text[]) AS n (name, uri) JOIN asset a USING (name, uri)
      ON CONFLICT DO NOTHING`,
    values: [dagId, ...identities, at(now)],
  });
  for (const { table, key, value, from, kind } of LOOSE_REFERENCES) {
    const words = references.flatMap((one) => (one.kind === kind ? ["name" in one ? one.name : one.uri] : []));
    await tx.rows({ text: `DELETE FROM ${table} WHERE dag_id = $1`, values: [dagId] });
    if (words.length === 0) continue;
    await tx.rows({
      text: `INSERT INTO ${table} (${key}, dag_id) SELECT ${value}, $1 FROM ${from} ON CONFLICT DO NOTHING`,
      values: [dagId, words],
    });
  }
}

/** What a schedule may name beside assets. `$2` are the words. */
const LOOSE_REFERENCES = [
  {
    kind: "alias",
    table: "dag_schedule_asset_alias_reference",
    key: "alias_id",
    value: "l.id",
    from: "asset_alias l WHERE l.name = ANY($2::text[])",
  },
  {
    kind: "name_ref",
    table: "dag_schedule_asset_name_reference",
    key: "name",
    value: "word",
    from: "unnest($2::text[]) AS word",
  },
  {
    kind: "uri_ref",
    table: "dag_schedule_asset_uri_reference",
    key: "uri",
    value: "word",
    from: "unnest($2::text[]) AS word",
  },
] as const;

interface TaskReferences {
  readonly dagId: string;
  readonly tasks: readonly TaskReference[];
  readonly now: Instant;
}

async function saveTaskReferences(
  tx: Queryable,
  table: "task_outlet_asset_reference" | "task_inlet_asset_reference",
  { dagId, tasks, now }: TaskReferences,
): Promise<void> {
  const pairs = tasks.flatMap(({ task_id, reference }) => (reference.kind === "asset" ? [{ task_id, reference }] : []));
  const values = [
    dagId,
    pairs.map(({ task_id }) => task_id),
    pairs.map(({ reference }) => reference.name),
    pairs.map(({ reference }) => reference.uri),
  ];
  await tx.rows({
    text: `DELETE FROM ${table} r USING asset a WHERE r.dag_id = $1 AND a.id = r.asset_id
      AND (r.task_id, a.name, a.uri) NOT IN (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]))`,
    values,
  });
  await tx.rows({
    text: `INSERT INTO ${table} (asset_id, dag_id, task_id, created_at, updated_at)
      SELECT DISTINCT a.id, $1, n.task_id, $5::timestamptz, $5::timestamptz
      FROM unnest($2::text[], $3::text[], $4::text[]) AS n (task_id, name, uri) JOIN asset a USING (name, uri)
      ON CONFLICT DO NOTHING`,
    values: [...values, at(now)],
  });
}

/** Another schedule looks anew at what is queued, and never at events of assets that it doesn't name. */
async function dropUnaskedEvents(tx: Queryable, dagId: string): Promise<void> {
  await tx.rows({
    name: "drop_unasked_events",
    text: `DELETE FROM asset_dag_run_queue q USING asset a WHERE q.target_dag_id = $1 AND a.id = q.asset_id
      AND NOT EXISTS (SELECT FROM dag_schedule_asset_reference r WHERE r.dag_id = $1 AND r.asset_id = a.id)
      AND NOT EXISTS (SELECT FROM dag_schedule_asset_name_reference r WHERE r.dag_id = $1 AND r.name = a.name)
      AND NOT EXISTS (SELECT FROM dag_schedule_asset_uri_reference r WHERE r.dag_id = $1 AND r.uri = a.uri)
      AND NOT EXISTS (SELECT FROM dag_schedule_asset_alias_reference r JOIN asset_alias_asset m USING (alias_id)
        WHERE r.dag_id = $1 AND m.asset_id = a.id)`,
    values: [dagId],
  });
  await tx.rows({
    name: "look_anew_at_events",
    text: "UPDATE asset_dag_run_queue SET is_seen = false WHERE target_dag_id = $1 AND is_seen",
    values: [dagId],
  });
}
