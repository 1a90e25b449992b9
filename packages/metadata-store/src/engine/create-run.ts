/** A new run with its task instances, started at once where the limits allow. */
import { type DagRunType, hasInstance, type Instant, type JsonValue, type SerializedTask } from "@updraft/dag-core";
import type { DagPlan } from "../dag-plan.ts";
import { at, type Queryable } from "../database.ts";
import type { Engine } from "./context.ts";
import { createDeadlines } from "./deadlines.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import { lockOccupancy, runningRunsKey } from "./occupancy.ts";
import { type EngineRun, runChange } from "./runs.ts";
import type { Turn } from "./turn.ts";

export interface NewRun {
  readonly dag_id: string;
  readonly run_id: string;
  readonly logical_date: Instant | null;
  readonly data_interval_start: Instant | null;
  readonly data_interval_end: Instant | null;
  readonly run_after: Instant;
  readonly run_type: DagRunType;
  readonly triggered_by: string;
  readonly triggering_user_name: string | null;
  readonly conf: Readonly<Record<string, JsonValue>>;
  readonly note: string | null;
  /** The backfill it belongs to, and its place in it. */
  readonly backfill?: { readonly id: number; readonly sort_ordinal: number };
}

/** What the row of the DAG, which the caller has locked, says. */
export interface DagFacts {
  readonly is_paused: boolean;
  readonly max_active_runs: number;
}

export interface RunToCreate {
  readonly plan: DagPlan;
  readonly dag: DagFacts;
  readonly run: NewRun;
}

/** Null where the run id or the logical date is taken. */
export async function createRun(
  engine: Engine,
  turn: Turn,
  plan: DagPlan,
  dag: DagFacts,
  run: NewRun,
): Promise<EngineRun | null> {
  const [created = null] = await createRuns(engine, turn, [{ plan, dag, run }]);
  return created;
}

/** As many runs as one transaction shall create, in the trips of a single one. The first ones get what room there is. */
export async function createRuns(
  engine: Engine,
  turn: Turn,
  wanted: readonly RunToCreate[],
): Promise<readonly (EngineRun | null)[]> {
  const created = await Promise.all(wanted.map(({ plan, dag, run }) => insertRun(turn.tx, plan, dag, run, turn.now)));
  const real = wanted.flatMap(({ plan, dag }, index) => {
    const run = created[index] ?? null;
    return run === null ? [] : [{ plan, dag, run }];
  });
  for (const { run, plan } of real) {
    turn.holdNew({ run, plan });
    turn.tidings.dag_runs.push(runChange(run));
  }
  const [instances] = await Promise.all([
    Promise.all(real.map(({ run, plan }) => insertInstances(engine, turn.tx, plan, run))),
    Promise.all(real.map(({ run, plan }) => createDeadlines(engine, turn.tx, plan, [run]))),
  ]);
  const started = await pickStartable(turn, real);
  for (const id of started) turn.setRunState(id, "running", "Started");
  if (started.size < real.length) turn.tidings.wake_scheduler = true;
  // Only roots can be decided now; the others follow from them.
  const roots = real.flatMap(({ run, plan }, index) =>
    started.has(run.id)
      ? (instances[index] ?? []).filter(
          ({ upstream_total, task_id }) => upstream_total === 0 || isAlways(plan, task_id),
        )
      : [],
  );
  if (roots.length > 0) await turn.move(await turn.decide(roots));
  return created;
}

/**
 * Runs that wait in the queue, however many there are; null in the place of one whose run id or logical date is taken.
 */
export async function createQueuedRuns(
  engine: Engine,
  turn: Turn,
  plan: DagPlan,
  dag: DagFacts,
  runs: readonly NewRun[],
): Promise<readonly (EngineRun | null)[]> {
  const created = await Promise.all(runs.map((run) => insertRun(turn.tx, plan, dag, run, turn.now)));
  const real = created.filter((run) => run !== null);
  await Promise.all(real.map((run) => insertInstances(engine, turn.tx, plan, run)));
  await createDeadlines(engine, turn.tx, plan, real);
  turn.tidings.dag_runs.push(...real.map(runChange));
  turn.tidings.wake_scheduler = true;
  return created;
}

/** Few runs have a key; the others pay nothing. */
export async function writePartitionKey(tx: Queryable, runId: number, partitionKey: string): Promise<void> {
  await tx.rows({
    name: "write_partition_key",
    text: "UPDATE dag_run SET partition_key = $2 WHERE id = $1",
    values: [runId, partitionKey],
  });
}

/** Those that may start at once. Whoever counts runs of the same DAG waits from here to the commit. */
async function pickStartable(
  turn: Turn,
  created: readonly { readonly dag: DagFacts; readonly run: EngineRun }[],
): Promise<ReadonlySet<number>> {
  const due = created.filter(({ dag, run }) => !dag.is_paused && run.run_after <= turn.now);
  const started = new Set<number>();
  if (due.length === 0) return started;
  const counters = await lockOccupancy(
    turn.tx,
    due.map(({ run }) => runningRunsKey(run.dag_id)),
  );
  const used = new Map([...counters].map(([key, counter]) => [key, counter.used]));
  for (const { dag, run } of due) {
    const key = runningRunsKey(run.dag_id);
    const running = used.get(key) ?? 0;
    if (running >= dag.max_active_runs) continue;
    used.set(key, running + 1);
    started.add(run.id);
  }
  return started;
}

function isAlways(plan: DagPlan, taskId: string): boolean {
  return plan.tasks.get(taskId)?.trigger_rule === "always";
}

async function insertRun(
  tx: Queryable,
  plan: DagPlan,
  dag: DagFacts,
  run: NewRun,
  now: Instant,
): Promise<EngineRun | null> {
  const unfinished = tasksIn(plan, run).length;
  const rows = await tx.rows<{ id: number }>({
    name: "insert_run",
    text: `INSERT INTO dag_run (dag_id, run_id, logical_date, data_interval_start, data_interval_end, run_after, run_type,
        triggered_by, triggering_user_name, state, cause, conf, note, queued_at, unfinished, dag_version_id,
        backfill_id, sort_ordinal, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', 'Created', $10, $11, $12, $13, $14, $15, $16, $12)
      ON CONFLICT DO NOTHING RETURNING id`,
    values: [
      run.dag_id,
      run.run_id,
      at(run.logical_date),
      at(run.data_interval_start),
      at(run.data_interval_end),
      at(run.run_after),
      run.run_type,
      run.triggered_by,
      run.triggering_user_name,
      JSON.stringify(run.conf),
      run.note,
      at(now),
      unfinished,
      plan.version_id,
      run.backfill?.id ?? null,
      run.backfill?.sort_ordinal ?? null,
    ],
  });
  const [row] = rows;
  if (row === undefined) return null;
  return {
    id: row.id,
    dag_id: run.dag_id,
    run_id: run.run_id,
    run_type: run.run_type,
    logical_date: run.logical_date,
    run_after: run.run_after,
    state: "queued",
    queued_at: now,
    start_date: null,
    end_date: null,
    timeout_at: null,
    clear_number: 0,
    unfinished,
    dag_version_id: plan.version_id,
    is_stuck: false,
    retries: null,
    backfill_id: run.backfill?.id ?? null,
    is_paused: dag.is_paused,
  };
}

/** The tasks of a version that have an instance in a run. */
export function tasksIn(plan: DagPlan, run: Pick<NewRun, "run_type" | "logical_date">): readonly SerializedTask[] {
  return plan.dag.tasks.filter((task) => hasInstance(task, run));
}

export async function insertInstances(
  engine: Engine,
  tx: Queryable,
  plan: DagPlan,
  run: EngineRun,
  tasks: readonly SerializedTask[] = tasksIn(plan, run),
): Promise<EngineInstance[]> {
  const present = new Set(tasksIn(plan, run).map(({ task_id }) => task_id));
  return tx.rows<EngineInstance>({
    name: "insert_instances",
    text: `INSERT INTO task_instance AS t (dag_run, dag_id, run_id, id, task_id, max_tries, pool, pool_slots, queue,
        priority_weight, operator, upstream_total)
      SELECT $1, $2, $3, * FROM unnest($4::uuid[], $5::text[], $6::integer[], $7::text[], $8::integer[], $9::text[],
        $10::integer[], $11::text[], $12::integer[])
      RETURNING ${ENGINE_COLUMNS}`,
    values: [
      run.id,
      run.dag_id,
      run.run_id,
      tasks.map(() => engine.ids.uuid()),
      tasks.map(({ task_id }) => task_id),
      tasks.map(({ retries }) => retries),
      tasks.map(({ pool }) => pool),
      tasks.map(({ pool_slots }) => pool_slots),
      tasks.map(({ queue }) => queue),
      tasks.map(({ task_id }) => plan.weights.get(task_id) ?? 1),
      tasks.map(({ operator_name }) => operator_name),
      tasks.map(({ task_id }) => plan.upstream.get(task_id)?.filter((id) => present.has(id)).length ?? 0),
    ],
  });
}
