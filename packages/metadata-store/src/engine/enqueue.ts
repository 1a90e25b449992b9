/**
 * From ready to queued: the one place where limits are enforced. Counters are locked in fixed order, dag-core picks
 * what fits, and what doesn't waits as `scheduled` with the limit that blocks it as its cause.
 */
import { type Admission, type Candidate, type Instant, type Limit, pickRunnable } from "@updraft/dag-core";
import type { Tidings } from "../announcement.ts";
import { type DagPlan, taskOf } from "../dag-plan.ts";
import { at, type Queryable, type Transaction } from "../database.ts";
import type { Engine } from "./context.ts";
import { changeOf, ENGINE_COLUMNS, type EngineInstance, keepTries } from "./instance.ts";
import {
  add,
  type Counter,
  changeOccupancy,
  lockOccupancy,
  PARALLELISM,
  poolKey,
  runKey,
  taskInRunKey,
  taskKey,
} from "./occupancy.ts";

/** What admission asks about a run. */
interface RunFacts {
  readonly plan: DagPlan;
  readonly run: { readonly is_paused: boolean; readonly run_after: Instant };
}

export interface EnqueueRequest {
  /** Without a state or due for a retry, beginning a new try; or `scheduled`, going on with theirs after a wait. */
  readonly ready: readonly EngineInstance[];
  /** Already `scheduled`, locked by the caller. */
  readonly waiting?: readonly EngineInstance[];
  /** By run: how many rows this transaction wrote as `scheduled` without reading them. */
  readonly unread?: ReadonlyMap<number, number>;
  /** What this transaction frees; written together with what is taken. */
  readonly occupancy: Map<string, number>;
  readonly runs: ReadonlyMap<number, RunFacts>;
  readonly tidings: Tidings;
  readonly now: Instant;
}

interface QueueCandidate extends Candidate {
  readonly instance: EngineInstance;
  /** Begins a new try. */
  readonly isNew: boolean;
  /** Became ready in this transition: its cause is to be told. */
  readonly isFresh: boolean;
}

const PAUSED = "The DAG is paused; unpause it to let its tasks run";

export async function enqueue(engine: Engine, tx: Transaction, request: EnqueueRequest): Promise<void> {
  const { occupancy, runs, ready, tidings, unread = new Map<number, number>() } = request;
  const freed = -(occupancy.get(PARALLELISM) ?? 0);
  const freeing = [...runs.keys()].filter((id) => freed > 0 && (occupancy.get(runKey(id)) ?? 0) < 0);
  const filling = [...new Set([...freeing, ...unread.keys()])];
  const candidates = [...ready, ...(request.waiting ?? [])];
  if (candidates.length === 0 && occupancy.size === 0 && unread.size === 0) return;
  const wanted = Math.max(freed, 0) + Math.min(sumOf(unread.values()), engine.parallelism);
  // Three questions in one trip: what may take the place of what ended, what is in use, and whether anybody else waits.
  const [waiting, locked, isAnyWaiting] = await Promise.all([
    request.waiting ?? waitingIn(tx, filling, wanted),
    lockOccupancy(tx, [...keysOf(candidates, runs), ...keysOfWaiting(filling, runs)]),
    freed > ready.length && isAnyScheduled(tx),
  ]);
  const counters = await lockMissing(tx, locked, keysOf(waiting, runs));
  const fresh = new Set(ready.map(({ id }) => id));
  const all = [
    ...ready.map((one) => candidate(one, true, runs)),
    ...waiting.filter(({ id }) => !fresh.has(id)).map((one) => candidate(one, false, runs)),
  ];
  const [paused, open] = partition(all, ({ instance }) => factsOf(runs, instance).run.is_paused);
  open.sort((left, right) => inOrder(left, right, runs));

  const admission = admit(engine, open, counters, occupancy);
  write(tx, admission, paused, request);
  if ((occupancy.get(PARALLELISM) ?? 0) < 0) tidings.wake_scheduler ||= isAnyWaiting;
  changeOccupancy(tx, occupancy);
}

function admit(
  { parallelism }: Engine,
  candidates: readonly QueueCandidate[],
  counters: ReadonlyMap<string, Counter>,
  occupancy: Map<string, number>,
): Admission<QueueCandidate> {
  const used = (key: string) => (counters.get(key)?.used ?? 0) + (occupancy.get(key) ?? 0);
  const pools = new Map<string, Limit>();
  for (const { pool } of candidates) {
    const slots = counters.get(poolKey(pool))?.slots ?? null;
    if (slots !== null) pools.set(pool, { limit: slots, used: used(poolKey(pool)) });
  }
  const admission = pickRunnable(candidates, {
    parallelism: { limit: parallelism, used: used(PARALLELISM) },
    pools,
    activeTasks: new Map(candidates.map(({ run_key }) => [run_key, used(run_key)])),
    activeTis: new Map(candidates.map(({ task_key }) => [task_key, used(task_key)])),
    activeTisInRun: new Map(candidates.map(({ task_in_run_key }) => [task_in_run_key, used(task_in_run_key)])),
  });
  for (const { instance, run_key, task_key, task_in_run_key, max_active_tis_per_dagrun } of admission.picked) {
    if (max_active_tis_per_dagrun !== null) add(occupancy, task_in_run_key, 1);
    add(occupancy, PARALLELISM, 1);
    add(occupancy, poolKey(instance.pool), instance.pool_slots);
    add(occupancy, run_key, 1);
    add(occupancy, task_key, 1);
  }
  return admission;
}

function write(
  tx: Transaction,
  { picked, passedOver }: Admission<QueueCandidate>,
  paused: readonly QueueCandidate[],
  { runs, tidings, now }: EnqueueRequest,
): void {
  const blocked = [...passedOver, ...paused.map((one) => ({ candidate: one, cause: PAUSED }))];
  const held = blocked.filter(({ candidate: { isFresh } }) => isFresh);
  const rows = [
    ...picked.map((one) => ({ ...one, state: "queued" as const, cause: "Sent to the queue" })),
    ...held.map(({ candidate: one, cause }) => ({ ...one, state: "scheduled" as const, cause })),
  ];
  if (rows.length === 0) return;
  keepTries(
    tx,
    rows.filter(({ instance, isNew }) => isNew && instance.try_number > 0).map(({ instance }) => instance.id),
  );
  // Every row is held by its run's lock or by its own.
  tx.send({
    name: "enqueue",
    text: `UPDATE task_instance t
      SET state = m.state, cause = m.cause, try_number = t.try_number + m.begins,
          scheduled_when = CASE WHEN m.begins = 1 THEN $6 ELSE t.scheduled_when END,
          queued_when = CASE WHEN m.state = 'queued' THEN $6 ELSE NULL END,
          last_offer_at = CASE WHEN m.state = 'queued' THEN $6 ELSE NULL END,
          offer_number = t.offer_number + (m.state = 'queued')::integer,
          start_date = CASE WHEN m.begins = 1 THEN NULL ELSE t.start_date END,
          end_date = CASE WHEN m.begins = 1 THEN NULL ELSE t.end_date END,
          next_method = CASE WHEN m.begins = 1 THEN NULL ELSE t.next_method END,
          next_kwargs = CASE WHEN m.begins = 1 THEN NULL ELSE t.next_kwargs END,
          reschedule_date = CASE WHEN m.begins = 1 THEN NULL ELSE t.reschedule_date END,
          next_retry_at = NULL, last_heartbeat_at = NULL, hostname = NULL, unixname = NULL, pid = NULL
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[]) AS m (id, before, state, cause, begins)
      WHERE t.id = m.id AND t.state IS NOT DISTINCT FROM m.before
      RETURNING t.id`,
    expects: rows.length,
    values: [
      rows.map(({ instance }) => instance.id),
      rows.map(({ instance }) => instance.state),
      rows.map(({ state }) => state),
      rows.map(({ cause }) => cause),
      rows.map(({ isNew }) => Number(isNew)),
      at(now),
    ],
  });
  for (const { instance, state, isNew } of rows) tell(instance, state, isNew, runs, tidings);
}

function tell(
  instance: EngineInstance,
  state: "queued" | "scheduled",
  isNew: boolean,
  runs: ReadonlyMap<number, RunFacts>,
  tidings: Tidings,
): void {
  const try_number = instance.try_number + Number(isNew);
  tidings.task_instances.push(changeOf(instance, state, try_number));
  if (state === "scheduled") return;
  const { plan } = factsOf(runs, instance);
  const { id: ti_id, dag_id, run_id, task_id, map_index, queue, priority_weight } = instance;
  tidings.queued.push({
    ti_id,
    dag_id,
    run_id,
    task_id,
    map_index,
    try_number,
    offer_number: instance.offer_number + 1,
    queue,
    priority_weight,
    artefact_hash: plan.artefact_hash,
    isolation: taskOf(plan, task_id).isolation,
  });
}

function candidate(instance: EngineInstance, isFresh: boolean, runs: ReadonlyMap<number, RunFacts>): QueueCandidate {
  const { plan } = factsOf(runs, instance);
  const task = taskOf(plan, instance.task_id);
  return {
    instance,
    isNew: instance.state !== "scheduled",
    isFresh,
    pool: instance.pool,
    pool_slots: instance.pool_slots,
    run_key: runKey(instance.dag_run),
    max_active_tasks: plan.dag.max_active_tasks,
    task_key: taskKey(instance.dag_id, instance.task_id),
    task_in_run_key: taskInRunKey(instance.dag_run, instance.task_id),
    max_active_tis_per_dag: task.max_active_tis_per_dag,
    max_active_tis_per_dagrun: task.max_active_tis_per_dagrun,
  };
}

function factsOf(runs: ReadonlyMap<number, RunFacts>, { dag_run }: EngineInstance): RunFacts {
  const facts = runs.get(dag_run);
  if (facts === undefined) throw new Error(`run ${dag_run} is not known to the turn`);
  return facts;
}

/** The counters by which limits are held for these instances. */
function keysOf(instances: readonly EngineInstance[], runs: ReadonlyMap<number, RunFacts>): string[] {
  return instances.flatMap((instance) => {
    const { pool, dag_run, dag_id, task_id } = instance;
    const task = taskOf(factsOf(runs, instance).plan, task_id);
    const limited = [
      ...(task.max_active_tis_per_dag === null ? [] : [taskKey(dag_id, task_id)]),
      ...(task.max_active_tis_per_dagrun === null ? [] : [taskInRunKey(dag_run, task_id)]),
    ];
    return [PARALLELISM, poolKey(pool), runKey(dag_run), ...limited];
  });
}

/** The counters of what may wait in these runs, before it is known. */
function keysOfWaiting(runIds: readonly number[], runs: ReadonlyMap<number, RunFacts>): string[] {
  return runIds.flatMap((id) => [PARALLELISM, runKey(id), ...(runs.get(id)?.plan.pools ?? []).map(poolKey)]);
}

/** A row may name another pool than its task does now. */
async function lockMissing(
  tx: Queryable,
  locked: ReadonlyMap<string, Counter>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Counter>> {
  const missing = keys.filter((key) => !locked.has(key));
  return missing.length === 0 ? locked : new Map([...locked, ...(await lockOccupancy(tx, missing))]);
}

function inOrder(left: QueueCandidate, right: QueueCandidate, runs: ReadonlyMap<number, RunFacts>): number {
  return (
    right.instance.priority_weight - left.instance.priority_weight ||
    factsOf(runs, left.instance).run.run_after - factsOf(runs, right.instance).run.run_after ||
    left.instance.dag_run - right.instance.dag_run ||
    left.instance.map_index - right.instance.map_index
  );
}

/** Tasks of the same runs that wait for the slots being freed, and new ones; others are the scheduler's. */
async function waitingIn(tx: Queryable, runIds: readonly number[], most: number): Promise<EngineInstance[]> {
  if (runIds.length === 0) return [];
  return tx.rows<EngineInstance>({
    name: "waiting_in_runs",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.state = 'scheduled' AND t.dag_run = ANY($1::bigint[])
      ORDER BY t.priority_weight DESC, t.dag_run, t.map_index LIMIT $2 FOR UPDATE SKIP LOCKED`,
    values: [runIds, most],
  });
}

async function isAnyScheduled(tx: Queryable): Promise<boolean> {
  const [row] = await tx.rows<{ found: boolean }>({
    name: "any_scheduled",
    text: "SELECT EXISTS (SELECT FROM task_instance WHERE state = 'scheduled') AS found",
  });
  return row?.found ?? false;
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const one of numbers) sum += one;
  return sum;
}
