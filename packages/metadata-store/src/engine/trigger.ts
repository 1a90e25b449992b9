/** Runs that people and operators start. */
import { generateRunId, inferManualDataInterval, refusedRunType, validateRunId } from "@updraft/dag-core";
import type { Queryable } from "../database.ts";
import { RUN_COLUMNS } from "../reads/columns.ts";
import type { DagRunRow, TriggerRequest, TriggerResult } from "../store.ts";
import type { Engine } from "./context.ts";
import { createRun, type NewRun, writePartitionKey } from "./create-run.ts";
import { Turn } from "./turn.ts";

interface DagRow {
  readonly is_paused: boolean;
  readonly is_stale: boolean;
  readonly max_active_runs: number;
  readonly dag_version_id: string;
  readonly has_import_errors: boolean;
}

type Rejection = Extract<TriggerResult, { kind: "rejected" }>;

export async function triggerDagRun(engine: Engine, request: TriggerRequest): Promise<TriggerResult> {
  return engine.db.transaction(async (tx) => {
    const dag = await findDag(tx, request.dag_id);
    if (dag === null || dag.is_stale) return reject("dag_not_found", `Dag with dag_id: '${request.dag_id}' not found`);
    if (dag.has_import_errors) {
      return reject(
        "dag_has_import_errors",
        `Dag with dag_id: '${request.dag_id}' has import errors and cannot be triggered`,
      );
    }
    const plan = await engine.plans.loadOne(tx, dag.dag_version_id);
    const notAllowed = refusedRunType(plan.dag, request.run_type);
    if (notAllowed !== null) return reject("bad_request", notAllowed);
    const turn = new Turn(engine, tx, []);
    const run = newRun(engine, request, turn.now, plan.dag.timetable);
    if (typeof run === "string") return reject("bad_request", run);
    const created = await createRun(engine, turn, plan, dag, run);
    if (created === null) {
      return reject(
        "already_exists",
        `DagRun with dag_id: '${run.dag_id}' and run_id: '${run.run_id}' already exists, or another run has its logical date`,
      );
    }
    const { partition_key = null } = request;
    if (partition_key !== null) await writePartitionKey(tx, created.id, partition_key);
    const announcement = await turn.settle();
    return { kind: "created", dag_run: await readRun(tx, created.id, plan.version_number), announcement };
  });
}

/** A message when the request can't be followed. */
function newRun(
  engine: Engine,
  request: TriggerRequest,
  now: number,
  timetable: Parameters<typeof inferManualDataInterval>[0],
): NewRun | string {
  const { data_interval_start: start, data_interval_end: end, logical_date } = request;
  if ((start === null) !== (end === null))
    return "Either both data_interval_start and data_interval_end must be provided or both must be None";
  const run_after = request.run_after ?? now;
  // Airflow takes the time at which the run may start, except behind REST.
  const inferredFrom = request.triggered_by === "cli" || request.triggered_by === "operator" ? run_after : logical_date;
  const interval =
    logical_date === null || inferredFrom === null ? null : inferManualDataInterval(timetable, inferredFrom);
  const suffix = logical_date === null ? engine.ids.uuid().slice(-8) : null;
  const run_id = request.run_id ?? generateRunId(request.run_type, logical_date ?? run_after, suffix);
  const wrong = request.run_id === null ? null : validateRunId(run_id, request.run_type);
  if (wrong !== null) return wrong;
  const { dag_id, run_type, triggered_by, triggering_user_name, conf, note } = request;
  return {
    dag_id,
    run_id,
    logical_date,
    data_interval_start: start ?? interval?.start ?? null,
    data_interval_end: end ?? interval?.end ?? null,
    run_after,
    run_type,
    triggered_by,
    triggering_user_name,
    conf,
    note,
  };
}

/** The lock keeps the version from being replaced meanwhile, but no pause or due tick waits for it. */
async function findDag(tx: Queryable, dagId: string): Promise<DagRow | null> {
  const rows = await tx.rows<DagRow>({
    name: "dag_to_trigger",
    text: `SELECT is_paused, is_stale, max_active_runs, dag_version_id,
        EXISTS (SELECT FROM import_error e WHERE e.bundle_name = d.bundle_name AND e.filename = d.relative_fileloc) AS has_import_errors
      FROM dag d WHERE dag_id = $1 FOR KEY SHARE`,
    values: [dagId],
  });
  return rows[0] ?? null;
}

async function readRun(tx: Queryable, id: number, versionNumber: number): Promise<DagRunRow> {
  const [row] = await tx.rows<Omit<DagRunRow, "dag_version_number">>({
    name: "created_run",
    text: `SELECT ${RUN_COLUMNS} FROM dag_run r WHERE r.id = $1`,
    values: [id],
  });
  if (row === undefined) throw new Error(`run ${id} vanished while it was created`);
  return { ...row, dag_version_number: versionNumber };
}

function reject(reason: Rejection["reason"], message: string): Rejection {
  return { kind: "rejected", reason, message };
}
