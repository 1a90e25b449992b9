/**
 * One transition and all that follows from it, inside one transaction.
 *
 *   moves of task instances ──► counters of their children ──► dag-core decides ──► further moves, level by level
 *                                                                   └──► ready ──► enqueued within the limits
 *   unfinished tasks of a run reach 0 ──► dag-core evaluates its leaves ──► the run ends
 *
 * The caller holds the locks of the runs concerned. Only children of what moved are read, so that the cost doesn't
 * depend on the size of the run or of the backlog. Limits are locked last and all at once.
 */
import {
  assertNever,
  type DagRunState,
  decideInstance,
  evaluateRun,
  type InstanceVerdict,
  type Instant,
  isActive,
  isExecuting,
  isFinished,
  type TaskInstanceState,
} from "@updraft/dag-core";
import { Tidings } from "../announcement.ts";
import { type DagPlan, taskOf } from "../dag-plan.ts";
import type { Transaction } from "../database.ts";
import type { Announcement } from "../store.ts";
import { countInChildren, readWatchers } from "./children.ts";
import type { Engine } from "./context.ts";
import { enqueue } from "./enqueue.ts";
import { gatherFacts } from "./facts.ts";
import { type EngineInstance, type Move, writeMoves } from "./instance.ts";
import { add, changeOccupancy, PARALLELISM, poolKey, runKey, runsKeyOf, taskKey } from "./occupancy.ts";
import { type EngineRun, isEnded, type LockedRun, runChange, withState, writeRuns } from "./runs.ts";
import { crossDeferral } from "./waits.ts";

interface HeldRun {
  locked: LockedRun;
  run: EngineRun;
  cause: string | null;
  dirty: boolean;
}

export class Turn {
  readonly tidings = new Tidings();
  readonly tx: Transaction;
  readonly now: Instant;
  readonly #engine: Engine;
  readonly #runs = new Map<number, HeldRun>();
  readonly #occupancy = new Map<string, number>();
  readonly #runningRuns = new Map<string, number>();
  readonly #ready = new Map<string, EngineInstance>();
  /** Pools in which a deferred try keeps its slots; of those that the current move concerns. */
  #deferredHoldSlots: ReadonlySet<string> = new Set();

  constructor(engine: Engine, tx: Transaction, locked: readonly LockedRun[]) {
    this.#engine = engine;
    this.tx = tx;
    this.now = engine.clock.now();
    for (const one of locked) this.hold(one);
  }

  /** Adds a run whose lock the transaction has. */
  hold(locked: LockedRun): void {
    this.#runs.set(locked.run.id, { locked, run: locked.run, cause: null, dirty: false });
  }

  runOf(id: number): EngineRun {
    return this.#held(id).run;
  }

  planOf(instance: EngineInstance) {
    return this.#held(instance.dag_run).locked.plan;
  }

  taskOf(instance: EngineInstance) {
    return taskOf(this.planOf(instance), instance.task_id);
  }

  /** Writes moves and everything that follows from them for the children. */
  async move(moves: readonly Move[]): Promise<void> {
    let level = moves;
    while (level.length > 0) {
      this.#deferredHoldSlots = await crossDeferral(this.tx, level);
      this.#write(level);
      const [children, watchers] = await Promise.all([
        countInChildren(this.tx, level, (instance) => this.planOf(instance).downstream),
        readWatchers(this.tx, level, (instance) => this.planOf(instance).watchers),
      ]);
      level = await this.decide([...new Map([...children, ...watchers].map((one) => [one.id, one])).values()]);
    }
  }

  /** Lets instances without a state run, or tells how they end. */
  async decide(instances: readonly EngineInstance[]): Promise<Move[]> {
    const open = instances.filter(
      ({ dag_run, state }) => state === null && this.#runs.get(dag_run)?.run.state === "running",
    );
    if (open.length === 0) return [];
    const facts = await gatherFacts(
      this.tx,
      open.map((instance) => ({
        instance,
        plan: this.planOf(instance),
        is_paused: this.runOf(instance.dag_run).is_paused,
      })),
    );
    const verdicts = facts.map(decideInstance);
    return open.flatMap((instance, index) => this.#follow(instance, verdicts[index]) ?? []);
  }

  /**
   * Instances that may be enqueued though they were not decided here: those whose retry is due, and `scheduled` ones
   * that go on after a wait.
   */
  makeReady(instances: readonly EngineInstance[]): void {
    for (const instance of instances) this.#ready.set(instance.id, instance);
  }

  setRunState(id: number, to: DagRunState, cause: string): void {
    const held = this.#held(id);
    if (held.run.state === to) return;
    const running = Number(to === "running") - Number(held.run.state === "running");
    add(this.#runningRuns, runsKeyOf(held.run), running);
    if (running < 0 || to === "queued") this.tidings.wake_scheduler = true;
    held.run = withState({ run: held.run, plan: held.locked.plan }, to, this.now);
    if (held.run.timeout_at !== null) this.tidings.wake_scheduler = true;
    held.cause = cause;
    held.dirty = true;
    this.tidings.dag_runs.push(runChange(held.run));
  }

  /** Other columns of a run, such as `clear_number`. */
  patchRun(id: number, patch: Partial<EngineRun>): void {
    const held = this.#held(id);
    held.run = { ...held.run, ...patch };
    held.dirty = true;
  }

  /** The run goes on by another version of its DAG; the caller writes that and what it means for the instances. */
  setPlan(id: number, plan: DagPlan): void {
    const held = this.#held(id);
    held.locked = { run: held.locked.run, plan };
    held.run = { ...held.run, dag_version_id: plan.version_id };
    held.dirty = true;
  }

  /** Enqueues what is ready, ends the runs that are done, writes the counters. The last step of a transaction. */
  async settle(): Promise<Announcement> {
    await this.#endRuns();
    changeOccupancy(this.tx, this.#runningRuns);
    for (const { run } of this.#runs.values()) if (isEnded(run.state)) this.#occupancy.delete(runKey(run.id));
    const ready = [...this.#ready.values()].filter(({ dag_run }) => this.runOf(dag_run).state === "running");
    await enqueue(this.#engine, this.tx, {
      ready,
      occupancy: this.#occupancy,
      runs: new Map([...this.#runs].map(([id, { locked, run }]) => [id, { run, plan: locked.plan }])),
      tidings: this.tidings,
      now: this.now,
    });
    const writes = [...this.#runs.values()].filter(({ dirty }) => dirty);
    writeRuns(this.tx, writes, this.now);
    return this.tidings;
  }

  async #endRuns(): Promise<void> {
    for (const { run, locked, dirty } of this.#runs.values()) {
      if (!dirty || run.state !== "running" || run.unfinished > 0) continue;
      const states = await this.tx.rows<{ state: TaskInstanceState }>({
        name: "leaf_states",
        text: "SELECT state FROM task_instance WHERE dag_run = $1 AND task_id = ANY($2::text[])",
        values: [run.id, locked.plan.leaves],
      });
      const evaluation = evaluateRun({
        unfinished: run.unfinished,
        leafStates: states.map(({ state }) => state),
        startDate: run.start_date,
        dagrunTimeout: null,
        now: this.now,
      });
      this.setRunState(run.id, evaluation.state, evaluation.cause);
    }
  }

  #write(moves: readonly Move[]): void {
    writeMoves(this.tx, moves, this.tidings);
    for (const { instance, state, next_retry_at } of moves) {
      this.#count(instance, state);
      this.#ready.delete(instance.id);
      if (next_retry_at !== undefined && next_retry_at !== null) this.tidings.wake_scheduler = true;
    }
  }

  #count(instance: EngineInstance, to: TaskInstanceState): void {
    const { dag_run, dag_id, task_id, pool, pool_slots, state: from } = instance;
    const held = this.#held(dag_run);
    const unfinished = Number(!isFinished(to)) - Number(!isFinished(from));
    held.run = { ...held.run, unfinished: held.run.unfinished + unfinished };
    held.dirty = true;
    const executing = Number(isExecuting(to)) - Number(isExecuting(from));
    add(this.#occupancy, PARALLELISM, executing);
    const holds = (state: TaskInstanceState) =>
      isExecuting(state) || (state === "deferred" && this.#deferredHoldSlots.has(pool));
    add(this.#occupancy, poolKey(pool), (Number(holds(to)) - Number(holds(from))) * pool_slots);
    add(this.#occupancy, runKey(dag_run), executing);
    add(this.#occupancy, taskKey(dag_id, task_id), Number(isActive(to)) - Number(isActive(from)));
  }

  /** What a verdict leads to: the end of the instance, a place among what is enqueued last, or nothing. */
  #follow(instance: EngineInstance, verdict: InstanceVerdict | undefined): Move | null {
    this.#ready.delete(instance.id);
    if (verdict === undefined) return null;
    switch (verdict.kind) {
      case "wait":
        return null;
      case "run":
        this.#ready.set(instance.id, instance);
        return null;
      case "expand":
        throw new Error(`task ${instance.task_id} of DAG ${instance.dag_id} is mapped, which nothing expands yet`);
      case "set": {
        const { state, cause } = verdict;
        return { instance, state, cause, start_date: this.now, end_date: this.now };
      }
      default:
        return assertNever(verdict);
    }
  }

  #held(id: number): HeldRun {
    const held = this.#runs.get(id);
    if (held === undefined) throw new Error(`run ${id} was changed without its lock`);
    return held;
  }
}
