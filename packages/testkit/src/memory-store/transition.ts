/**
 * One call of the in-memory store, and all that follows from it. Deliberately naive: after every change the runs it
 * touched are decided from scratch, in rounds, until nothing changes any more; limits are counted.
 */
import {
  countStates,
  type DagRunState,
  decideInstance,
  evaluateDeadlock,
  evaluateRun,
  type Instant,
  isExecuting,
  pickRunnable,
  runStateEffect,
  type TaskInstanceState,
} from "@updraft/dag-core";
import type { Announcement, QueuedTry } from "@updraft/metadata-store";
import { mayDecide, pastOf } from "./past.ts";
import {
  candidateOf,
  factsOf,
  type MemoryDag,
  type MemoryInstance,
  type MemoryRun,
  occupancyFor,
  type Tables,
  unfinished,
} from "./tables.ts";

export interface MemoryMove {
  readonly instance: MemoryInstance;
  readonly state: TaskInstanceState;
  readonly cause: string;
  /** Dates and numbers to write beside the state. */
  readonly patch?: Partial<Pick<MemoryInstance, "start_date" | "end_date" | "next_retry_at" | "max_tries">>;
}

export class Transition {
  readonly now: Instant;
  readonly #tables: Tables;
  readonly #runs = new Map<MemoryRun, number>();
  readonly #ready = new Set<MemoryInstance>();
  readonly #queued: QueuedTry[] = [];
  readonly #changes: Announcement["task_instances"][number][] = [];
  readonly #dags: MemoryDag[] = [];
  #wake = false;

  constructor(tables: Tables, now: Instant) {
    this.#tables = tables;
    this.now = now;
  }

  /** This call decides about the run: what is under way in it now tells later what came free. */
  touch(run: MemoryRun): void {
    if (!this.#runs.has(run)) this.#runs.set(run, executing(run));
  }

  touchDag(dag: MemoryDag): void {
    this.#dags.push(dag);
  }

  wakeScheduler(): void {
    this.#wake = true;
  }

  /** Moves instances, then decides everything in their runs that has no state. */
  move(moves: readonly MemoryMove[]): void {
    for (const move of moves) this.#write(move);
    this.decideAll();
  }

  decideAll(): void {
    for (;;) {
      const open = [...this.#runs.keys()]
        .filter((run) => mayDecide(run, this.now))
        .flatMap(({ instances }) => instances.filter(({ state }) => state === null));
      const ends = open.flatMap((instance) => this.#endOf(instance) ?? []);
      if (ends.length === 0) return;
      for (const end of ends) this.#write(end);
    }
  }

  /** A new try may begin although the instance has a state: its retry is due. */
  makeReady(instances: readonly MemoryInstance[]): void {
    for (const instance of instances) this.#ready.add(instance);
  }

  setRunState(run: MemoryRun, to: DagRunState): void {
    if (run.state === to) return;
    this.touch(run);
    if (run.state === "running" || to === "queued") this.#wake = true;
    Object.assign(run, runStateEffect(run.state, to, run.start_date, this.now));
    run.state = to;
    const timeout = run.version.form.dagrun_timeout;
    run.timeout_at = to === "running" && timeout !== null ? (run.start_date ?? this.now) + timeout * 1000 : null;
  }

  settle(): Announcement {
    for (const run of this.#runs.keys()) this.#endRun(run);
    const freed = [...this.#runs].filter(([run, before]) => executing(run) < before);
    const room = [...this.#runs].reduce((sum, [run, before]) => sum + before - executing(run), 0);
    const waiting = freed
      .flatMap(([run]) => run.instances.filter(({ state }) => state === "scheduled"))
      .sort((left, right) => right.priority_weight - left.priority_weight || left.run.id - right.run.id)
      .slice(0, Math.max(room, 0));
    const ready = [...this.#ready].filter(({ run }) => run.state === "running");
    this.enqueue(ready, waiting);
    for (const run of this.#runs.keys()) run.last_scheduling_decision = this.now;
    return this.announcement();
  }

  /** What fits is queued, what doesn't waits as scheduled. */
  enqueue(ready: readonly MemoryInstance[], waiting: readonly MemoryInstance[]): void {
    const isNew = new Set(ready);
    const open = [...ready, ...waiting].filter(({ run }) => !run.dag.is_paused).sort(inOrder);
    const { picked, passedOver } = pickRunnable(open.map(candidateOf), occupancyFor(this.#tables));
    for (const { instance } of picked) this.#queue(instance, isNew.has(instance));
    for (const { candidate, cause } of passedOver) this.#hold(candidate.instance, isNew.has(candidate.instance), cause);
    for (const instance of [...isNew].filter(({ run }) => run.dag.is_paused)) this.#hold(instance, true, "Paused");
  }

  announcement(): Announcement {
    return {
      queued: this.#queued,
      task_instances: this.#changes,
      dag_runs: [],
      dags: this.#dags.map(({ dag_id }) => ({ dag_id })),
      import_errors: [],
      wake_scheduler: this.#wake || this.#tables.all(({ state }) => state === "scheduled").length > 0,
    };
  }

  #endOf(instance: MemoryInstance): MemoryMove | null {
    const verdict = decideInstance({ ...factsOf(instance), past: pastOf(this.#tables, instance) });
    const patch = { start_date: this.now, end_date: this.now };
    if (verdict.kind === "set") return { instance, state: verdict.state, cause: verdict.cause, patch };
    if (verdict.kind === "run") this.#ready.add(instance);
    return null;
  }

  #write({ instance, state, cause, patch }: MemoryMove): void {
    this.touch(instance.run);
    Object.assign(instance, { next_retry_at: null, ...patch, state, cause });
    this.#ready.delete(instance);
    if (state === "up_for_retry") this.#wake = true;
    this.#tell(instance);
  }

  #endRun(run: MemoryRun): void {
    if (run.state !== "running") return;
    const evaluation = evaluateRun({
      unfinished: unfinished(run).length,
      leafStates: countStates(
        run.instances.filter(({ task }) => run.version.leaves.includes(task.task_id)).map(({ state }) => state),
      ),
      startDate: run.start_date,
      dagrunTimeout: null,
      now: this.now,
    });
    this.setRunState(run, evaluation.state);
    const isReady = [...this.#ready].some((instance) => instance.run === run);
    if (evaluation.state === "running" && !isReady && this.isDeadlocked(run)) this.setRunState(run, "failed");
  }

  /** A pause ends some day, so what waits for nothing else is not deadlocked. */
  isDeadlocked(run: MemoryRun): boolean {
    const waiting = unfinished(run).map((instance) => {
      const facts = { ...factsOf(instance), past: pastOf(this.#tables, instance), is_paused: false };
      return { state: instance.state, verdict: decideInstance(facts).kind, task: instance.task };
    });
    return mayDecide(run, this.now) && evaluateDeadlock(waiting) !== null;
  }

  #queue(instance: MemoryInstance, isNew: boolean): void {
    if (isNew) this.#begin(instance);
    instance.state = "queued";
    instance.cause = "Sent to the queue";
    instance.queued_when = this.now;
    instance.last_offer_at = this.now;
    instance.offer_number += 1;
    this.#tell(instance);
    this.#queued.push(offerOf(instance));
  }

  #hold(instance: MemoryInstance, isNew: boolean, cause: string): void {
    if (!isNew) return;
    this.#begin(instance);
    instance.state = "scheduled";
    instance.cause = cause;
    instance.queued_when = null;
    instance.last_offer_at = null;
    this.#tell(instance);
  }

  #begin(instance: MemoryInstance): void {
    keepTry(instance);
    instance.try_number += 1;
    Object.assign(instance, { start_date: null, end_date: null, next_retry_at: null });
    Object.assign(instance, { last_heartbeat_at: null, hostname: null, pid: null });
  }

  #tell({ run, task, map_index, try_number, state }: MemoryInstance): void {
    const names = { dag_id: run.dag.dag_id, run_id: run.run_id, task_id: task.task_id };
    this.#changes.push({ ...names, map_index, try_number, state });
  }
}

export function offerOf({
  id,
  run,
  task,
  map_index,
  try_number,
  offer_number,
  priority_weight,
}: MemoryInstance): QueuedTry {
  const { queue, isolation, task_id } = task;
  const names = { ti_id: id, dag_id: run.dag.dag_id, run_id: run.run_id, task_id, map_index };
  const { artefactHash: artefact_hash } = run.version;
  return { ...names, try_number, offer_number, queue, priority_weight, artefact_hash, isolation };
}

/** Keeps the try that a new one is about to follow, and removes what it pushed. */
export function keepTry(instance: MemoryInstance): void {
  instance.xcoms.clear();
  const { try_number, state, history } = instance;
  if (try_number === 0 || history.some((one) => one.try_number === try_number)) return;
  history.push({ try_number, state });
}

function executing(run: MemoryRun): number {
  return run.instances.filter(({ state }) => isExecuting(state)).length;
}

function inOrder(left: MemoryInstance, right: MemoryInstance): number {
  return (
    right.priority_weight - left.priority_weight ||
    left.run.run_after - right.run.run_after ||
    left.run.id - right.run.id ||
    left.map_index - right.map_index
  );
}
