/** Runs that people and operators start. */
import { generateRunId, inferManualDataInterval, refusedRunType, validateRunId } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import type { DagPlan } from "../dag-plan.ts";
import type { Queryable } from "../database.ts";
import { RUN_COLUMNS } from "../reads/columns.ts";
import type { Announcement, DagRunRow, TriggerRequest, TriggerResult } from "../store.ts";
import type { Engine } from "./context.ts";
import { createRuns, type NewRun, type RunToCreate, writePartitionKey } from "./create-run.ts";
import type { EngineRun } from "./runs.ts";
import { Turn } from "./turn.ts";

interface DagRow {
  readonly dag_id: string;
  readonly is_paused: boolean;
  readonly is_stale: boolean;
  readonly max_active_runs: number;
  readonly dag_version_id: string;
  readonly has_import_errors: boolean;
}

type Rejection = Extract<TriggerResult, { kind: "rejected" }>;

/** What a request comes to: a run to create, or a refusal. */
type Checked = RunToCreate | Rejection;

export async function triggerDagRun(engine: Engine, request: TriggerRequest): Promise<TriggerResult> {
  const [result] = await triggerDagRuns(engine, [request]);
  if (result === undefined) throw new Error(`a trigger of DAG ${request.dag_id} was not answered`);
  return result;
}

/** Requests that came together, in one transaction; each is answered by itself. */
export async function triggerDagRuns(engine: Engine, requests: readonly TriggerRequest[]): Promise<TriggerResult[]> {
  return engine.db.transaction(async (tx) => {
    const dags = await findDags(
      tx,
      requests.map(({ dag_id }) => dag_id),
    );
    const plans = await engine.plans.load(
      tx,
      [...dags.values()].map(({ dag_version_id }) => dag_version_id),
    );
    const turn = new Turn(engine, tx, []);
    const checked = requests.map((request) => check(engine, request, { dags, plans, now: turn.now }));
    const wanted = checked.filter((one): one is RunToCreate => !isRejection(one));
    if (wanted.length === 0) return checked.filter(isRejection);
    const runs = await createRuns(engine, turn, wanted);
    const created = new Map(wanted.map((one, index) => [one, runs[index] ?? null]));
    const runOf = (one: Checked) => (isRejection(one) ? null : (created.get(one) ?? null));
    await Promise.all(
      checked.map((one, index) => {
        const run = runOf(one);
        const key = requests[index]?.partition_key ?? null;
        return run === null || key === null ? null : writePartitionKey(tx, run.id, key);
      }),
    );
    // What was announced is announced once, by the first run.
    let untold: Announcement | null = await turn.settle();
    const rows = await readRuns(tx, runs);
    return checked.map((one): TriggerResult => {
      if (isRejection(one)) return one;
      const run = runOf(one);
      const row = run === null ? undefined : rows.get(nameOf(run));
      if (row === undefined) return alreadyExists(one.run);
      const announcement = untold ?? NOTHING;
      untold = null;
      return { kind: "created", dag_run: { ...row, dag_version_number: one.plan.version_number }, announcement };
    });
  });
}

function check(
  engine: Engine,
  request: TriggerRequest,
  known: {
    readonly dags: ReadonlyMap<string, DagRow>;
    readonly plans: ReadonlyMap<string, DagPlan>;
    readonly now: number;
  },
): Checked {
  const dag = known.dags.get(request.dag_id);
  const plan = dag === undefined ? undefined : known.plans.get(dag.dag_version_id);
  if (dag === undefined || plan === undefined || dag.is_stale)
    return reject("dag_not_found", `Dag with dag_id: '${request.dag_id}' not found`);
  if (dag.has_import_errors) {
    return reject(
      "dag_has_import_errors",
      `Dag with dag_id: '${request.dag_id}' has import errors and cannot be triggered`,
    );
  }
  const notAllowed = refusedRunType(plan.dag, request.run_type);
  if (notAllowed !== null) return reject("bad_request", notAllowed);
  const run = newRun(engine, request, known.now, plan.dag.timetable);
  return typeof run === "string" ? reject("bad_request", run) : { plan, dag, run };
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
    // Without a logical date there is no interval, whatever the request says.
    data_interval_start: logical_date === null ? null : (start ?? interval?.start ?? null),
    data_interval_end: logical_date === null ? null : (end ?? interval?.end ?? null),
    run_after,
    run_type,
    triggered_by,
    triggering_user_name,
    conf,
    note,
  };
}

/** The locks keep the versions from being replaced meanwhile, but no pause or due tick waits for them. */
async function findDags(tx: Queryable, dagIds: readonly string[]): Promise<ReadonlyMap<string, DagRow>> {
  const rows = await tx.rows<DagRow>({
    name: "dags_to_trigger",
    text: `SELECT dag_id, is_paused, is_stale, max_active_runs, dag_version_id,
        EXISTS (SELECT FROM import_error e WHERE e.bundle_name = d.bundle_name AND e.filename = d.relative_fileloc) AS has_import_errors
      FROM dag d WHERE dag_id = ANY($1::text[]) ORDER BY dag_id FOR KEY SHARE`,
    values: [[...new Set(dagIds)]],
  });
  return new Map(rows.map((row) => [row.dag_id, row]));
}

async function readRuns(
  tx: Queryable,
  created: readonly (EngineRun | null)[],
): Promise<ReadonlyMap<string, Omit<DagRunRow, "dag_version_number">>> {
  const ids = created.flatMap((run) => (run === null ? [] : [run.id]));
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<Omit<DagRunRow, "dag_version_number">>({
    name: "created_runs",
    text: `SELECT ${RUN_COLUMNS} FROM dag_run r WHERE r.id = ANY($1::bigint[])`,
    values: [ids],
  });
  return new Map(rows.map((row) => [nameOf(row), row]));
}

const nameOf = ({ dag_id, run_id }: { readonly dag_id: string; readonly run_id: string }) =>
  JSON.stringify([dag_id, run_id]);

function alreadyExists({ dag_id, run_id }: NewRun): Rejection {
  return reject(
    "already_exists",
    `DagRun with dag_id: '${dag_id}' and run_id: '${run_id}' already exists, or another run has its logical date`,
  );
}

function isRejection(one: Checked): one is Rejection {
  return "kind" in one;
}

function reject(reason: Rejection["reason"], message: string): Rejection {
  return { kind: "rejected", reason, message };
}
