/** What must hold after every call of the store, whatever went wrong. */
import { isActive, isExecuting, isFinished, type TaskInstanceState, taskShapes, upstreamIds } from "@updraft/dag-core";
import type { ClaimResult, FinishRequest, FinishResult } from "@updraft/metadata-store";
import type { Observation, SeenInstance, SeenRun } from "@updraft/testkit/worlds";
import { isLegal } from "./legal-moves.ts";
import { type RuleEnd, referenceRule } from "./reference-rules.ts";
import type { StoreCall } from "./store-calls.ts";

export type Violate = (invariant: string, detail: string) => void;

export interface Limits {
  readonly parallelism: number;
  readonly pools: ReadonlyMap<string, number>;
}

interface Before {
  readonly state: TaskInstanceState;
  readonly tryNumber: number;
}

export class Invariants {
  runs: readonly SeenRun[] = [];
  readonly #limits: Limits;
  readonly #violate: Violate;
  readonly #newestMaxActiveRuns: (dagId: string) => number;
  #before = new Map<string, Before>();
  #active = new Map<string, number>();
  readonly #runningRuns = new Map<string, number>();
  #paused: ReadonlySet<string> = new Set();
  readonly #ended = new Map<string, string>();
  readonly #claimedBy = new Map<string, string>();
  readonly #newestClaim = new Map<string, number>();

  constructor(limits: Limits, violate: Violate, newestMaxActiveRuns: (dagId: string) => number) {
    this.#limits = limits;
    this.#violate = violate;
    this.#newestMaxActiveRuns = newestMaxActiveRuns;
  }

  /** Looks at everything after a call. `calls` are those since the last look. */
  look(seen: Observation, calls: readonly StoreCall[]): void {
    this.runs = seen.runs;
    const runs = new Map(seen.runs.map((run) => [run.id, run]));
    for (const call of calls) this.#lookAtEnds(call, seen);
    this.#lookAtMoves(seen, calls, runs);
    this.#lookAtLimits(seen, runs);
    this.#lookAtRuns(seen, runs);
    this.#paused = seen.paused;
  }

  #lookAtMoves({ instances }: Observation, calls: readonly StoreCall[], runs: ReadonlyMap<number, SeenRun>): void {
    const byRun = Map.groupBy(instances, ({ run }) => run);
    for (const one of instances) {
      const before = this.#before.get(one.id) ?? { state: null, tryNumber: 0 };
      if (before.state === one.state && before.tryNumber === one.try_number) continue;
      const where = () => `${nameOf(one, runs)}: ${before.state} to ${one.state} by ${calls.map(({ name }) => name)}`;
      if (!calls.some(({ name }) => isLegal(name, before.state, one.state) || before.state === one.state))
        this.#violate("every transition is legal", where());
      const begun = one.try_number - before.tryNumber;
      if (begun < 0 || begun > 1 || (begun === 1 && !begins(one.state)))
        this.#violate("a try begins when it is scheduled", `${where()}, try ${before.tryNumber} to ${one.try_number}`);
      const rule = before.state === null && begins(one.state) ? ruleOf(one, byRun.get(one.run) ?? [], runs) : "run";
      if (rule !== "run") this.#violate("a task begins when its rule allows", `${where()}, its rule says ${rule}`);
      if (one.state === "queued" && before.state !== "queued" && this.#paused.has(one.dag_id))
        this.#violate("a paused DAG queues nothing", where());
      this.#before.set(one.id, { state: one.state, tryNumber: one.try_number });
    }
  }

  /** A try ends once, by whoever claimed it. */
  #lookAtEnds({ name, args, result, caller }: StoreCall, { instances }: Observation): void {
    if (name === "claimTry") {
      const claim = result as ClaimResult;
      const { hostname, pid } = args[0] as { hostname: string; pid: number };
      if (claim.kind === "claimed") {
        const { ti_id, try_number } = claim.try;
        this.#claimedBy.set(`${ti_id}/${try_number}`, `${hostname} ${pid}`);
        this.#newestClaim.set(ti_id, Math.max(try_number, this.#newestClaim.get(ti_id) ?? 0));
      }
    }
    if (name !== "finishTry") return;
    const { ti_id, try_number } = args[0] as FinishRequest;
    const end = result as FinishResult;
    if (end.kind !== "finished") return;
    const key = `${ti_id}/${try_number}`;
    const begun = Math.max(this.#newestClaim.get(ti_id) ?? 0, this.#before.get(ti_id)?.tryNumber ?? 0);
    if (begun > try_number)
      this.#violate("an end of a try ends no later one", `${key} by ${caller.name}, while try ${begun} had begun`);
    if (this.#ended.has(key))
      this.#violate("no try ends twice", `${key} by ${caller.name} after ${this.#ended.get(key)}`);
    if (!this.#claimedBy.has(key)) this.#violate("only a claimed try ends", key);
    this.#ended.set(key, caller.name);
    const now = instances.find(({ id }) => id === ti_id);
    const isStored = now?.try_number === try_number ? now.state === end.state || now.state !== "running" : true;
    if (!isStored) this.#violate("an accepted end is stored", `${key} is ${now?.state}, was answered ${end.state}`);
  }

  #lookAtLimits({ instances }: Observation, runs: ReadonlyMap<number, SeenRun>): void {
    const executing = instances.filter(({ state }) => isExecuting(state));
    if (executing.length > this.#limits.parallelism)
      this.#violate("parallelism holds", `${executing.length} of ${this.#limits.parallelism}`);
    for (const [pool, own] of Map.groupBy(executing, (one) => one.pool)) {
      const used = own.reduce((sum, { pool_slots }) => sum + pool_slots, 0);
      const slots = this.#limits.pools.get(pool) ?? 0;
      if (used > slots) this.#violate("pools hold", `${pool}: ${used} of ${slots}`);
    }
    for (const [id, own] of Map.groupBy(executing, ({ run }) => run)) {
      const most = runs.get(id)?.form.max_active_tasks ?? 0;
      if (own.length > most)
        this.#violate("max_active_tasks holds", `run ${runs.get(id)?.run_id}: ${own.length} of ${most}`);
    }
    this.#lookAtTaskLimits(instances, runs);
  }

  /** Versions may differ in their limits: what grows must be within that of a run that has it. */
  #lookAtTaskLimits(instances: readonly SeenInstance[], runs: ReadonlyMap<number, SeenRun>): void {
    const active = new Map<string, number>();
    const largest = new Map<string, number>();
    for (const { state, dag_id, task_id, run } of instances) {
      if (!isActive(state)) continue;
      const key = `${dag_id}/${task_id}`;
      const limit = runs.get(run)?.form.tasks.find((task) => task.task_id === task_id)?.max_active_tis_per_dag;
      active.set(key, (active.get(key) ?? 0) + 1);
      largest.set(key, Math.max(largest.get(key) ?? 0, limit ?? Infinity));
    }
    for (const [key, count] of active) {
      if (count > (this.#active.get(key) ?? 0) && count > (largest.get(key) ?? Infinity))
        this.#violate("max_active_tis_per_dag holds", `${key}: ${count} of ${largest.get(key)}`);
    }
    this.#active = active;
  }

  #lookAtRuns({ runs, instances }: Observation, byId: ReadonlyMap<number, SeenRun>): void {
    for (const [dagId, own] of Map.groupBy(runs, ({ dag_id }) => dag_id)) {
      const running = own.filter(({ state }) => state === "running").length;
      const limit = this.#newestMaxActiveRuns(dagId);
      if (running > (this.#runningRuns.get(dagId) ?? 0) && running > limit)
        this.#violate("max_active_runs holds", `${dagId}: ${running} of ${limit}`);
      this.#runningRuns.set(dagId, running);
    }
    for (const { run, state, ...one } of instances) {
      if (isExecuting(state) && byId.get(run)?.state !== "running")
        this.#violate("tries run in running runs", `${one.dag_id}/${byId.get(run)?.run_id}/${one.task_id} is ${state}`);
    }
  }
}

export function unfinishedOf({ instances, runs }: Observation): string[] {
  const byId = new Map(runs.map((run) => [run.id, run]));
  return [
    ...runs
      .filter(({ state }) => state === "queued" || state === "running")
      .map((run) => `run ${run.dag_id}/${run.run_id} ${run.state}`),
    ...instances.filter(({ state }) => !isFinished(state)).map((one) => `${nameOf(one, byId)} ${one.state}`),
  ];
}

function begins(state: TaskInstanceState): boolean {
  return state === "scheduled" || state === "queued";
}

/** What its rule says now. */
function ruleOf(one: SeenInstance, instances: readonly SeenInstance[], runs: ReadonlyMap<number, SeenRun>): RuleEnd {
  const form = runs.get(one.run)?.form;
  const task = form?.tasks.find(({ task_id }) => task_id === one.task_id);
  if (form === undefined || task === undefined) return "run";
  const upstream = upstreamIds(form).get(one.task_id) ?? [];
  const setups = taskShapes(form).get(one.task_id)?.directSetups ?? [];
  const statesOf = (ids: readonly string[]) =>
    instances.filter(({ task_id }) => ids.includes(task_id)).map(({ state }) => state);
  return referenceRule(task.trigger_rule, statesOf(upstream).filter(isFinished), upstream.length, statesOf(setups));
}

function nameOf({ dag_id, run, task_id, map_index }: SeenInstance, runs: ReadonlyMap<number, SeenRun>): string {
  return `${dag_id}/${runs.get(run)?.run_id}/${task_id}${map_index === -1 ? "" : `/${map_index}`}`;
}
