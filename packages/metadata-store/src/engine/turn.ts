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
  awaitsRetry,
  type DagRunState,
  decideInstance,
  evaluateGroup,
  failedGroups,
  type InstanceFacts,
  type Instant,
  isActive,
  isExecuting,
  isFinished,
  NO_RETRIES,
  noteFailure,
  type RunRetries,
  retryRun,
  type TaskInstanceState,
} from "@updraft/dag-core";
import { Tidings } from "../announcement.ts";
import { type DagPlan, taskOf } from "../dag-plan.ts";
import type { Transaction } from "../database.ts";
import type { Announcement } from "../store.ts";
import { countInChildren, readWatchers } from "./children.ts";
import { pauseAfterFailures } from "./consecutive-failures.ts";
import type { Engine } from "./context.ts";
import { dropMetDeadlines, moveQueuedDeadlines } from "./deadlines.ts";
import { evaluateFinished, findDeadlock, readMembers } from "./end-runs.ts";
import { enqueue } from "./enqueue.ts";
import { expandPlaceholders } from "./expand.ts";
import { gatherFacts } from "./facts.ts";
import { type EngineInstance, type Move, writeMoves } from "./instance.ts";
import { leaveLooks, NotedLooks } from "./noted-looks.ts";
import { add, changeOccupancy, PARALLELISM, poolKey, runKey, runsKeyOf, taskInRunKey, taskKey } from "./occupancy.ts";
import { reviseUnits } from "./revise-units.ts";
import { type EngineRun, isEnded, type LockedRun, runChange, withState, writeRuns } from "./runs.ts";
import { startFromTriggers } from "./start-from-trigger.ts";
import { crossDeferral } from "./waits.ts";

interface HeldRun {
  locked: LockedRun;
  /** Created by this transaction, so that no other one sees it yet. */
  readonly isNew: boolean;
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
  readonly #looks = new NotedLooks();
  /** By run: new rows that wait for a slot without having been read. */
  readonly #waiting = new Map<number, number>();

  constructor(engine: Engine, tx: Transaction, locked: readonly LockedRun[]) {
    this.#engine = engine;
    this.tx = tx;
    this.now = engine.clock.now();
    for (const one of locked) this.hold(one);
  }

  /** Adds a run whose lock the transaction has. */
  hold(locked: LockedRun): void {
    this.#runs.set(locked.run.id, { locked, isNew: false, run: locked.run, cause: null, dirty: false });
  }

  /** Adds a run that the transaction created. */
  holdNew(locked: LockedRun): void {
    this.#runs.set(locked.run.id, { locked, isNew: true, run: locked.run, cause: null, dirty: false });
  }

  runOf(id: number): EngineRun {
    return this.#held(id).run;
  }

  planOf(instance: EngineInstance) {
    return this.#held(instance.dag_run).locked.plan;
  }

  planOfRun(id: number): DagPlan {
    return this.#held(id).locked.plan;
  }

  taskOf(instance: EngineInstance) {
    return taskOf(this.planOf(instance), instance.task_id);
  }

  isTeardown(instance: EngineInstance): boolean {
    return this.planOf(instance).tasks.get(instance.task_id)?.is_teardown === true;
  }

  /** Writes moves and everything that follows from them for the children. */
  async move(moves: readonly Move[]): Promise<void> {
    let level = moves;
    while (level.length > 0) {
      this.#deferredHoldSlots = await crossDeferral(this.tx, level);
      this.#write(level);
      const [children, watchers] = await Promise.all([
        countInChildren(this.tx, level, (instance) => this.planOf(instance)),
        readWatchers(this.tx, level, (instance) => this.planOf(instance).watchers),
      ]);
      const concerned = [...new Map([...children, ...watchers].map((one) => [one.id, one])).values()];
      level = await this.decide(await reviseUnits(this.#engine, this, level, concerned));
    }
  }

  /** Writes moves that the same transaction takes back: they are counted, but nothing is decided by them. */
  async record(moves: readonly Move[]): Promise<void> {
    this.#deferredHoldSlots = await crossDeferral(this.tx, moves);
    this.#write(moves);
    await countInChildren(this.tx, moves, (instance) => this.planOf(instance));
  }

  /** Lets instances without a state run, or tells how they end. */
  async decide(instances: readonly EngineInstance[]): Promise<Move[]> {
    const open = instances.filter(({ dag_run, state }) => state === null && this.#mayDecideIn(dag_run));
    if (open.length === 0) return [];
    const facts = await gatherFacts(
      this.tx,
      open.map((instance) => ({
        instance,
        plan: this.planOf(instance),
        is_paused: this.runOf(instance.dag_run).is_paused,
        retries: this.runOf(instance.dag_run).retries,
      })),
    );
    const placeholders: EngineInstance[] = [];
    const ends = open.flatMap((instance, index) => this.#follow(instance, facts[index], placeholders) ?? []);
    if (placeholders.length === 0) return ends;
    const expansion = await expandPlaceholders(this.#engine, this, placeholders);
    this.makeReady(expansion.ready);
    return [...ends, ...expansion.ends, ...(await this.decide(expansion.open))];
  }

  /** New rows of a run that were written without being read; `waiting` of them wait for a slot. */
  grow(run: number, rows: number, { waiting }: { readonly waiting: number }): void {
    this.patchRun(run, { unfinished: this.runOf(run).unfinished + rows });
    if (waiting > 0) this.#waiting.set(run, (this.#waiting.get(run) ?? 0) + waiting);
  }

  /** A run whose logical date is still to come runs, but nothing in it does. */
  #mayDecideIn(id: number): boolean {
    const { run } = this.#held(id);
    if (run.state !== "running") return false;
    if (run.logical_date === null || run.logical_date <= this.now) return true;
    this.#looks.later(id, run.logical_date);
    return false;
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
    if (to === "success") dropMetDeadlines(this.tx, held.locked.plan, held.run);
    held.cause = cause;
    held.dirty = true;
    this.tidings.dag_runs.push(runChange(held.run));
  }

  /** Why a run that stays in its state is where it is. */
  noteRun(id: number, cause: string): void {
    const held = this.#held(id);
    held.cause = cause;
    held.dirty = true;
  }

  /** Other columns of a run, such as `clear_number`. */
  patchRun(id: number, patch: Partial<EngineRun>): void {
    const held = this.#held(id);
    held.run = { ...held.run, ...patch };
    if (patch.queued_at !== undefined) moveQueuedDeadlines(this.tx, held.locked.plan, held.run);
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
    await this.#retryGroups();
    await this.#endRuns();
    changeOccupancy(this.tx, this.#runningRuns);
    for (const { run, locked } of this.#runs.values()) {
      if (isEnded(run.state)) for (const key of countersOf(run.id, locked.plan)) this.#occupancy.delete(key);
    }
    const open = [...this.#ready.values()].filter(({ dag_run }) => this.runOf(dag_run).state === "running");
    const ready = await startFromTriggers(this, open);
    await enqueue(this.#engine, this.tx, {
      ready,
      unread: this.#waiting,
      occupancy: this.#occupancy,
      runs: new Map([...this.#runs].map(([id, { locked, run }]) => [id, { run, plan: locked.plan }])),
      tidings: this.tidings,
      now: this.now,
    });
    const dirty = [...this.#runs.values()].filter((held) => held.dirty);
    const writes = dirty.map(({ run, cause, locked }) => ({ run, cause, counters: countersOf(run.id, locked.plan) }));
    writeRuns(this.tx, writes, this.now);
    this.#leaveLooks();
    return this.tidings;
  }

  async #endRuns(): Promise<void> {
    for (const held of this.#runs.values()) {
      const { run, dirty } = held;
      if (!dirty || run.state !== "running" || awaitsRetry(run.retries)) continue;
      if (run.unfinished > 0) await this.#endIfDeadlocked(held);
      else await this.#end(held);
    }
  }

  async #end({ run, locked: { plan } }: HeldRun): Promise<void> {
    const { state, cause } = await evaluateFinished(this.tx, { run, plan }, this.now);
    const retry = state === "failed" ? retryRun(plan.dag, run.retries, this.now) : null;
    if (retry !== null) return this.#awaitRetry(run.id, retry);
    this.setRunState(run.id, state, cause);
    const most = plan.dag.max_consecutive_failed_dag_runs;
    if (state === "failed" && most > 0) await pauseAfterFailures(this, run, most);
  }

  /** Asked only of runs with an instance that waits for nothing; so nobody else pays for it. */
  async #endIfDeadlocked({ run, locked: { plan } }: HeldRun): Promise<void> {
    const isReady = [...this.#ready.values()].some(({ dag_run }) => dag_run === run.id);
    if (!run.is_stuck || isReady) return;
    const deadlock = await findDeadlock(this.tx, { run, plan });
    if (deadlock !== null) this.setRunState(run.id, deadlock.state, deadlock.cause);
  }

  #awaitRetry(id: number, retry: { retries: RunRetries; due_at: Instant; cause: string }): void {
    this.patchRun(id, { retries: retry.retries });
    this.noteRun(id, retry.cause);
    this.#looks.later(id, retry.due_at);
  }

  /** A task group that failed runs again once its other tasks have ended; asked only of those that failed. */
  async #retryGroups(): Promise<void> {
    for (const { run, locked } of this.#runs.values()) {
      if (run.state !== "running") continue;
      for (const group of failedGroups(locked.plan.retryingGroups, run.retries)) {
        const members = await readMembers(this.tx, run.id, group);
        const verdict = evaluateGroup(group, this.runOf(run.id).retries ?? NO_RETRIES, { members, now: this.now });
        if (verdict.kind === "waiting") this.#awaitRetry(run.id, verdict);
        if (verdict.kind !== "well") continue;
        this.patchRun(run.id, { retries: verdict.retries });
        this.#looks.later(run.id, this.now);
      }
    }
  }

  #leaveLooks(): void {
    const looks = this.#looks.list(this.now);
    if (looks.length === 0) return;
    leaveLooks(this.tx, looks);
    this.tidings.wake_scheduler = true;
  }

  #write(moves: readonly Move[]): void {
    writeMoves(this.tx, moves, this.tidings);
    for (const { instance, state, next_retry_at } of moves) {
      this.#count(instance, state);
      this.#ready.delete(instance.id);
      this.#tellNextRun(instance, state);
      if (state === "failed") this.#noteFailure(instance);
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
    const active = Number(isActive(to)) - Number(isActive(from));
    add(this.#occupancy, taskKey(dag_id, task_id), active);
    // A task that the newest version has no more is counted by the audit.
    if ((this.planOf(instance).tasks.get(task_id)?.max_active_tis_per_dagrun ?? null) !== null)
      add(this.#occupancy, taskInRunKey(dag_run, task_id), active);
  }

  #noteFailure({ dag_run, task_id }: EngineInstance): void {
    const { run, locked } = this.#held(dag_run);
    if (locked.plan.retryingGroups.length === 0 || run.state !== "running") return;
    this.patchRun(dag_run, { retries: noteFailure(locked.plan.retryingGroups, run.retries, task_id) });
  }

  /** An instance that ended well may have held back those of the runs after it. */
  #tellNextRun({ dag_run, task_id }: EngineInstance, state: TaskInstanceState): void {
    if (state !== "success" && state !== "skipped") return;
    const { run, locked } = this.#held(dag_run);
    const waiting = locked.plan.waitingInNextRun.get(task_id);
    if (waiting === undefined || run.logical_date === null) return;
    this.#looks.atNext(dag_run, waiting);
  }

  /** What the verdict leads to: the end of the instance, a place among what is expanded or enqueued last, or nothing. */
  #follow(instance: EngineInstance, facts: InstanceFacts | undefined, placeholders: EngineInstance[]): Move | null {
    if (facts === undefined) return null;
    const verdict = decideInstance(facts);
    this.#ready.delete(instance.id);
    switch (verdict.kind) {
      case "wait":
        this.#wait(instance, verdict.isStuck, facts);
        return null;
      case "run":
        this.#ready.set(instance.id, instance);
        return null;
      case "expand":
        placeholders.push(instance);
        return null;
      case "set": {
        const { state, cause } = verdict;
        return { instance, state, cause, start_date: this.now, end_date: this.now };
      }
      default:
        return assertNever(verdict);
    }
  }

  #wait({ dag_run, task_id }: EngineInstance, isStuck: boolean, { past }: InstanceFacts): void {
    const { run, isNew } = this.#held(dag_run);
    if (isStuck && !run.is_stuck) this.patchRun(dag_run, { is_stuck: true });
    if (isNew && past.kind === "blocked") this.#looks.atOwn(dag_run, task_id);
  }

  #held(id: number): HeldRun {
    const held = this.#runs.get(id);
    if (held === undefined) throw new Error(`run ${id} was changed without its lock`);
    return held;
  }
}

/** The counters that are a run's own. */
function countersOf(run: number, { dag }: DagPlan): string[] {
  const limited = dag.tasks.filter(({ max_active_tis_per_dagrun }) => max_active_tis_per_dagrun !== null);
  return [runKey(run), ...limited.map(({ task_id }) => taskInRunKey(run, task_id))];
}
