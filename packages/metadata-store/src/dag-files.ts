/**
 * DAG files as the dag-processor parsed them. A new version of a DAG exists only where its form or its artefact changed
 * and the last version has runs; without runs the last version is replaced.
 */
import { createHash } from "node:crypto";
import { canonicalJson, describeTimetable, type SerializedDag } from "@updraft/dag-core";
import { Tidings } from "./announcement.ts";
import { at, type Queryable } from "./database.ts";
import { refreshActiveAssets, saveAssetReferences } from "./engine/asset-references.ts";
import type { Engine } from "./engine/context.ts";
import { joined } from "./engine/due-runs.ts";
import { followNewestVersion } from "./engine/version-move.ts";
import { declaresWatchers, restartWatchers } from "./engine/watchers.ts";
import type { Announcement, DagFileStore, ParsedFile } from "./store.ts";

export interface DagFileOptions {
  readonly dagsArePausedAtCreation: boolean;
  readonly disableBundleVersioning: boolean;
}

export function dagFileStore(engine: Engine, options: DagFileOptions): DagFileStore {
  return {
    async saveParsedFile(file) {
      const saved = await engine.db.transaction((tx) => saveFile(engine, tx, options, file));
      const unversioned = file.dags.filter((dag) => dag.disable_bundle_versioning ?? options.disableBundleVersioning);
      if (unversioned.length === 0) return saved;
      const dagIds = unversioned.map(({ dag_id }) => dag_id);
      return joined(saved, await followNewestVersion(engine, dagIds));
    },

    async saveImportError({ relative_fileloc, bundle_name, stack_trace }) {
      return engine.db.transaction(async (tx) => {
        await writeError(tx, bundle_name, relative_fileloc, stack_trace, engine.clock.now());
        return {
          ...new Tidings(),
          import_errors: [{ filename: relative_fileloc }],
          dags: await dagsOf(tx, bundle_name, relative_fileloc),
        };
      });
    },

    async removeFilesExcept(bundleName, present) {
      return engine.db.transaction(async (tx) => {
        const tidings = new Tidings();
        const dags = await tx.rows<{ dag_id: string }>({
          text: `UPDATE dag SET is_stale = true
            WHERE bundle_name = $1 AND relative_fileloc <> ALL($2::text[]) AND NOT is_stale RETURNING dag_id`,
          values: [bundleName, present],
        });
        tidings.dags.push(...dags.map(({ dag_id }) => ({ dag_id, removed: true })));
        if (dags.length > 0) await refreshActiveAssets(tx);
        const errors = await tx.rows<{ filename: string }>({
          text: "DELETE FROM import_error WHERE bundle_name = $1 AND filename <> ALL($2::text[]) RETURNING filename",
          values: [bundleName, present],
        });
        tidings.import_errors.push(...errors);
        return tidings;
      });
    },
  };
}

async function saveFile(
  engine: Engine,
  tx: Queryable,
  options: DagFileOptions,
  file: ParsedFile,
): Promise<Announcement> {
  const now = engine.clock.now();
  const tidings = new Tidings();
  await tx.rows({
    text: "INSERT INTO dag_artefact (hash, code, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    values: [file.artefact_hash, file.artefact_code, at(now)],
  });
  const refused: string[] = [];
  // One order for all processes that save files.
  for (const dag of file.dags.toSorted((left, right) => (left.dag_id < right.dag_id ? -1 : 1))) {
    const refusal = await saveDag(engine, tx, { options, file, dag, now }, tidings);
    if (refusal !== null) refused.push(refusal);
  }
  const broken = file.errors.flatMap(({ dag_id }) => (dag_id === null ? [] : [dag_id]));
  const gone = await tx.rows<{ dag_id: string }>({
    text: `UPDATE dag SET is_stale = true WHERE bundle_name = $1 AND relative_fileloc = $2 AND dag_id <> ALL($3::text[])
      AND NOT is_stale RETURNING dag_id`,
    values: [file.bundle_name, file.relative_fileloc, [...file.dags.map(({ dag_id }) => dag_id), ...broken]],
  });
  tidings.dags.push(...gone.map(({ dag_id }) => ({ dag_id, removed: true })));
  if (gone.length > 0) await refreshActiveAssets(tx);
  await saveErrors(tx, file, [...file.errors.map(({ stack_trace }) => stack_trace), ...refused], { now, tidings });
  return tidings;
}

async function saveErrors(
  tx: Queryable,
  { bundle_name, relative_fileloc }: ParsedFile,
  errors: readonly string[],
  { now, tidings }: { readonly now: number; readonly tidings: Tidings },
): Promise<void> {
  if (errors.length > 0) {
    await writeError(tx, bundle_name, relative_fileloc, errors.join("\n\n"), now);
    tidings.import_errors.push({ filename: relative_fileloc });
    return;
  }
  const removed = await tx.rows({
    text: "DELETE FROM import_error WHERE bundle_name = $1 AND filename = $2 RETURNING id",
    values: [bundle_name, relative_fileloc],
  });
  if (removed.length > 0) tidings.import_errors.push({ filename: relative_fileloc });
}

async function writeError(tx: Queryable, bundle: string, filename: string, trace: string, now: number): Promise<void> {
  await tx.rows({
    text: `INSERT INTO import_error ("timestamp", bundle_name, filename, stack_trace) VALUES ($1, $2, $3, $4)
      ON CONFLICT (bundle_name, filename) DO UPDATE SET "timestamp" = $1, stack_trace = $4`,
    values: [at(now), bundle, filename, trace],
  });
}

function dagsOf(tx: Queryable, bundle: string, filename: string): Promise<{ dag_id: string }[]> {
  return tx.rows({
    text: "SELECT dag_id FROM dag WHERE bundle_name = $1 AND relative_fileloc = $2",
    values: [bundle, filename],
  });
}

interface Saving {
  readonly options: DagFileOptions;
  readonly file: ParsedFile;
  readonly dag: SerializedDag;
  readonly now: number;
}

interface Current {
  readonly relative_fileloc: string;
  readonly is_stale: boolean;
  readonly dag_version_id: string | null;
  readonly version_number: number | null;
  readonly form: SerializedDag | null;
  readonly form_hash: string | null;
  readonly artefact_hash: string | null;
  readonly has_runs: boolean;
}

/** A message where the DAG can't be taken. */
async function saveDag(engine: Engine, tx: Queryable, saving: Saving, tidings: Tidings): Promise<string | null> {
  const { dag, file } = saving;
  const current = await lockDag(tx, dag.dag_id);
  const taken = current !== null && !current.is_stale && current.relative_fileloc !== file.relative_fileloc;
  if (taken) {
    return `Dag "${dag.dag_id}" is also declared in ${current.relative_fileloc}; ids must be unique. The first one stays.`;
  }
  const hash = createHash("sha256").update(canonicalJson(dag)).digest("hex");
  const same = current !== null && current.form_hash === hash && current.artefact_hash === file.artefact_hash;
  const versionId = same ? null : await saveVersion(engine, tx, saving, current, hash);
  await writeDag(tx, saving, current, versionId);
  await saveAssetReferences(tx, dag, current?.form ?? null, saving.now);
  if (current?.is_stale === true) await refreshActiveAssets(tx);
  if (versionId !== null && current !== null && declaresWatchers(dag)) await restartWatchers(tx, dag);
  if (same && !current.is_stale) return null;
  tidings.dags.push({ dag_id: dag.dag_id });
  tidings.wake_scheduler = true;
  return null;
}

/** Two statements: one that waits for a lock sees everything else as it was before it waited. */
async function lockDag(tx: Queryable, dagId: string): Promise<Current | null> {
  await tx.rows({ name: "lock_dag", text: "SELECT dag_id FROM dag WHERE dag_id = $1 FOR UPDATE", values: [dagId] });
  const rows = await tx.rows<Current>({
    name: "current_dag",
    text: `SELECT d.relative_fileloc, d.is_stale, d.dag_version_id, v.version_number, v.form, v.form_hash, v.artefact_hash,
        EXISTS (SELECT FROM dag_run r WHERE r.dag_version_id = d.dag_version_id) AS has_runs
      FROM dag d LEFT JOIN dag_version v ON v.id = d.dag_version_id WHERE d.dag_id = $1`,
    values: [dagId],
  });
  return rows[0] ?? null;
}

/** Forms never change under their id, because plans are kept by it: a replaced version gets a new one. */
async function saveVersion(
  engine: Engine,
  tx: Queryable,
  { dag, file, now, options }: Saving,
  current: Current | null,
  hash: string,
): Promise<string> {
  if (current === null) await insertDag(tx, { dag, file, now, options });
  const replaces = current !== null && !current.has_runs && current.dag_version_id !== null;
  if (replaces) await tx.rows({ text: "DELETE FROM dag_version WHERE id = $1", values: [current.dag_version_id] });
  const last = current?.version_number ?? 0;
  const id = engine.ids.uuid();
  await tx.rows({
    text: `INSERT INTO dag_version (id, dag_id, version_number, bundle_name, form, form_hash, artefact_hash, source_code, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    values: [
      id,
      dag.dag_id,
      replaces ? last : last + 1,
      file.bundle_name,
      JSON.stringify(dag),
      hash,
      file.artefact_hash,
      file.source_code,
      at(now),
    ],
  });
  return id;
}

async function insertDag(tx: Queryable, { dag, file, options }: Saving): Promise<void> {
  await tx.rows({
    text: `INSERT INTO dag (dag_id, dag_display_name, is_paused, bundle_name, relative_fileloc, fileloc, timetable_description,
        timetable_periodic, max_active_runs, max_active_tasks, max_consecutive_failed_dag_runs)
      VALUES ($1, $1, $2, $3, $4, $5, '', false, 1, 1, 0)`,
    values: [
      dag.dag_id,
      dag.is_paused_upon_creation ?? options.dagsArePausedAtCreation,
      file.bundle_name,
      file.relative_fileloc,
      file.fileloc,
    ],
  });
}

async function writeDag(tx: Queryable, { dag, file, now }: Saving, current: Current | null, versionId: string | null) {
  const { summary, description, periodic } = describeTimetable(dag.timetable);
  const owners = [...new Set(dag.tasks.map(({ owner }) => owner))].sort();
  const rescheduled = current?.form == null || current.is_stale || scheduleOf(current.form) !== scheduleOf(dag);
  await tx.rows({
    name: "write_dag",
    text: `UPDATE dag SET dag_display_name = $2, description = $3, is_stale = false, bundle_name = $4, relative_fileloc = $5,
        fileloc = $6, owners = $7, timetable_summary = $8, timetable_description = $9, timetable_periodic = $10,
        max_active_runs = $11, max_active_tasks = $12, max_consecutive_failed_dag_runs = $13, last_parsed_time = $14,
        last_parse_duration = $15, dag_version_id = coalesce($16, dag_version_id),
        evaluate_at = CASE WHEN $17 THEN $14 ELSE evaluate_at END,
        allowed_run_types = $18,
        next_dagrun_run_after = CASE WHEN $17 THEN NULL ELSE next_dagrun_run_after END,
        skip_cause = CASE WHEN $17 AND last_tick_end IS NOT NULL THEN 'The DAG was not there, or had another schedule' ELSE skip_cause END
      WHERE dag_id = $1`,
    values: [
      dag.dag_id,
      dag.dag_display_name ?? dag.dag_id,
      dag.description,
      file.bundle_name,
      file.relative_fileloc,
      file.fileloc,
      owners,
      summary,
      description,
      periodic,
      dag.max_active_runs,
      dag.max_active_tasks,
      dag.max_consecutive_failed_dag_runs,
      at(now),
      file.parse_duration_seconds,
      versionId,
      rescheduled,
      dag.allowed_run_types,
    ],
  });
  if (versionId === null) return;
  await tx.rows({
    text: "DELETE FROM dag_tag WHERE dag_id = $1 AND name <> ALL($2::text[])",
    values: [dag.dag_id, dag.tags],
  });
  await tx.rows({
    text: "INSERT INTO dag_tag (dag_id, name) SELECT $1, * FROM unnest($2::text[]) ON CONFLICT DO NOTHING",
    values: [dag.dag_id, dag.tags],
  });
}

/** What decides when a DAG runs. */
function scheduleOf({ timetable, start_date, end_date, catchup, tasks }: SerializedDag): string {
  return canonicalJson({
    timetable,
    start_date,
    end_date,
    catchup,
    dates: tasks.map((task) => [task.start_date, task.end_date]),
  });
}
