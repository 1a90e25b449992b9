/** The rows of the in-memory store, and the questions that the Postgres store answers by counters: here by counting. */
import {
  type Candidate,
  type DagRunState,
  type DagRunType,
  effectiveLeaves,
  type InstanceFacts,
  type Instant,
  isActive,
  isExecuting,
  isFinished,
  type JsonValue,
  type Occupancy,
  priorityWeights,
  type RunInfo,
  relatedTasks,
  type SerializedDag,
  type SerializedTask,
  SKIP_DECISION_KEY,
  type TaskInstanceState,
  type TaskShape,
  taskShapes,
  type UpstreamCounts,
  upstreamIds,
} from "@updraft/dag-core";
import type { JobReport } from "@updraft/metadata-store";

export interface Version {
  readonly number: number;
  readonly form: SerializedDag;
  readonly artefactHash: string;
  readonly tasks: ReadonlyMap<string, SerializedTask>;
  readonly upstream: ReadonlyMap<string, readonly string[]>;
  readonly shapes: ReadonlyMap<string, TaskShape>;
  readonly leaves: readonly string[];
  readonly weights: ReadonlyMap<string, number>;
}

export interface MemoryDag {
  readonly dag_id: string;
  is_paused: boolean;
  is_stale: boolean;
  versions: Version[];
  evaluate_at: Instant | null;
  is_gated: boolean;
  skip_cause: string | null;
  /** What the timetable said last. */
  next: RunInfo | null;
  last_tick_start: Instant | null;
  last_tick_end: Instant | null;
}

export interface MemoryRun {
  readonly id: number;
  readonly dag: MemoryDag;
  readonly version: Version;
  readonly run_id: string;
  readonly run_type: DagRunType;
  readonly triggered_by: string;
  readonly triggering_user_name: string | null;
  readonly logical_date: Instant | null;
  readonly data_interval_start: Instant | null;
  readonly data_interval_end: Instant | null;
  readonly run_after: Instant;
  readonly conf: Readonly<Record<string, JsonValue>>;
  readonly instances: MemoryInstance[];
  note: string | null;
  state: DagRunState;
  queued_at: Instant | null;
  start_date: Instant | null;
  end_date: Instant | null;
  timeout_at: Instant | null;
  last_scheduling_decision: Instant | null;
  clear_number: number;
}

export interface MemoryInstance {
  readonly id: string;
  readonly run: MemoryRun;
  readonly task: SerializedTask;
  readonly map_index: number;
  readonly priority_weight: number;
  readonly history: { readonly try_number: number; readonly state: TaskInstanceState }[];
  readonly xcoms: Map<string, JsonValue>;
  /** How often each try was queued again. */
  readonly requeues: Map<number, number>;
  state: TaskInstanceState;
  cause: string | null;
  try_number: number;
  max_tries: number;
  offer_number: number;
  start_date: Instant | null;
  end_date: Instant | null;
  queued_when: Instant | null;
  next_retry_at: Instant | null;
  last_offer_at: Instant | null;
  last_heartbeat_at: Instant | null;
  hostname: string | null;
  pid: number | null;
}

export interface SkippedTick {
  readonly dag_id: string;
  readonly first_tick: Instant;
  readonly cause: string;
  last_tick: Instant;
  count: number;
}

export function versionOf(number: number, form: SerializedDag, artefactHash: string): Version {
  return {
    number,
    form,
    artefactHash,
    tasks: new Map(form.tasks.map((task) => [task.task_id, task])),
    upstream: upstreamIds(form),
    shapes: taskShapes(form),
    leaves: effectiveLeaves(form),
    weights: priorityWeights(form),
  };
}

export function newest(dag: MemoryDag): Version {
  const version = dag.versions.at(-1);
  if (version === undefined) throw new Error(`DAG ${dag.dag_id} has no version`);
  return version;
}

export class Tables {
  readonly dags = new Map<string, MemoryDag>();
  readonly runs: MemoryRun[] = [];
  readonly instances = new Map<string, MemoryInstance>();
  readonly pools = new Map<string, number>([["default_pool", 128]]);
  readonly jobs = new Map<string, JobReport & { latest_heartbeat: Instant }>();
  readonly skippedTicks: SkippedTick[] = [];
  readonly parallelism: number;

  constructor(parallelism: number) {
    this.parallelism = parallelism;
  }

  runNamed(dagId: string, runId: string): MemoryRun | undefined {
    return this.runs.find((run) => run.dag.dag_id === dagId && run.run_id === runId);
  }

  all(test: (instance: MemoryInstance) => boolean): MemoryInstance[] {
    return [...this.instances.values()].filter(test);
  }

  runningRuns(dag: MemoryDag): number {
    return this.runs.filter((run) => run.dag === dag && run.state === "running").length;
  }

  /** Runs that keep the timetable from making more. */
  activeRuns(dag: MemoryDag): number {
    const active = (run: MemoryRun) => run.state === "running" || run.state === "queued";
    return this.runs.filter((run) => run.dag === dag && active(run) && run.run_type !== "backfill").length;
  }

  /** A worker of this queue lives and has a free slot. */
  hasFreeWorker(queue: string, now: Instant, leaseMs: number): boolean {
    return [...this.jobs.values()].some(
      (job) =>
        job.job_type === "WorkerJob" &&
        job.state === "running" &&
        job.latest_heartbeat > now - leaseMs &&
        job.queues?.includes(queue) === true &&
        (job.running ?? 0) < (job.concurrency ?? 0),
    );
  }

  /** What every limit has in use. The keys are those of `occupancy` in Postgres. */
  occupancy(): Map<string, number> {
    const used = new Map<string, number>();
    const add = (key: string, by: number) => used.set(key, (used.get(key) ?? 0) + by);
    for (const { state, run, task } of this.instances.values()) {
      if (isActive(state)) add(`task:${run.dag.dag_id}/${task.task_id}`, 1);
      if (!isExecuting(state)) continue;
      add("parallelism", 1);
      add(`pool:${task.pool}`, task.pool_slots);
      add(`run:${run.id}`, 1);
    }
    for (const run of this.runs) if (run.state === "running") add(`runs:${run.dag.dag_id}`, 1);
    return used;
  }
}

export function unfinished(run: MemoryRun): MemoryInstance[] {
  return run.instances.filter(({ state }) => !isFinished(state));
}

/** Everything that decides about an instance, read from its run's rows. */
export function factsOf(instance: MemoryInstance): Omit<InstanceFacts, "past"> {
  const { run, task, map_index } = instance;
  const shape = run.version.shapes.get(task.task_id);
  if (shape === undefined) throw new Error(`task ${task.task_id} has no shape`);
  const related = relatedTasks(shape);
  return {
    task,
    shape,
    map_index,
    upstream: countUpstream(instance),
    related: run.instances.filter((one) => related.includes(one.task.task_id)).map(relatedOf),
    decisions: run.instances.filter(({ state }) => isFinished(state)).flatMap(decisionOf),
    held: null,
    is_paused: run.dag.is_paused,
  };
}

function relatedOf({ task, map_index, state }: MemoryInstance) {
  return { task_id: task.task_id, map_index, state };
}

function decisionOf({ task, map_index, xcoms }: MemoryInstance) {
  const value = xcoms.get(SKIP_DECISION_KEY);
  return value === undefined ? [] : [{ task_id: task.task_id, map_index, value }];
}

/** How the direct upstream tasks of an instance stand, counted anew. */
function countUpstream({ run, task }: MemoryInstance): UpstreamCounts {
  const ids = run.version.upstream.get(task.task_id) ?? [];
  const states = run.instances.filter((one) => ids.includes(one.task.task_id)).map(({ state }) => state);
  const count = (wanted: TaskInstanceState) => states.filter((state) => state === wanted).length;
  return {
    total: states.length,
    success: count("success"),
    failed: count("failed"),
    upstream_failed: count("upstream_failed"),
    skipped: count("skipped"),
    removed: count("removed"),
  };
}

export interface MemoryCandidate extends Candidate {
  readonly instance: MemoryInstance;
}

export function candidateOf(instance: MemoryInstance): MemoryCandidate {
  const { run, task } = instance;
  return {
    instance,
    pool: task.pool,
    pool_slots: task.pool_slots,
    run_key: `run:${run.id}`,
    max_active_tasks: run.version.form.max_active_tasks,
    task_key: `task:${run.dag.dag_id}/${task.task_id}`,
    task_in_run_key: `${run.id}/${task.task_id}`,
    max_active_tis_per_dag: task.max_active_tis_per_dag,
    max_active_tis_per_dagrun: task.max_active_tis_per_dagrun,
  };
}

/** What is in use of the limits, as admission asks for it. */
export function occupancyFor(tables: Tables): Occupancy {
  const used = tables.occupancy();
  const inRun = new Map<string, number>();
  for (const { state, run, task } of tables.instances.values()) {
    const key = `${run.id}/${task.task_id}`;
    if (isActive(state)) inRun.set(key, (inRun.get(key) ?? 0) + 1);
  }
  return {
    parallelism: { limit: tables.parallelism, used: used.get("parallelism") ?? 0 },
    pools: new Map([...tables.pools].map(([name, limit]) => [name, { limit, used: used.get(`pool:${name}`) ?? 0 }])),
    activeTasks: used,
    activeTis: used,
    activeTisInRun: inRun,
  };
}
