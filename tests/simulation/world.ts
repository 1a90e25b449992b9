/**
 * A seeded world: schedulers, api-servers and workers over one store, with a queue and people, in simulated time. For a
 * while everything goes wrong; then the world heals, and whatever was begun must come to its end.
 */
import type { SerializedDag } from "@updraft/dag-core";
import type { Announcement, ClaimedTry, ParsedFile } from "@updraft/metadata-store";
import type { Scheduling } from "@updraft/scheduler/loops";
import {
  createMemoryWorld,
  type EngineStore,
  type Observation,
  SeededRandom,
  type SeenRun,
  type StoreWorld,
  type StoreWorldOptions,
} from "@updraft/testkit/worlds";
import { type Api, startApi, startScheduler, startWorker } from "./actors.ts";
import type { Bug } from "./bugs.ts";
import { type Fault, Faults } from "./faults.ts";
import { Holds } from "./holds.ts";
import { Invariants, unfinishedOf } from "./invariants.ts";
import { Kernel } from "./kernel.ts";
import { act, calmDown, DAG_IDS, newForm, saveForm } from "./people.ts";
import { SimProcess } from "./process.ts";
import { SimQueue } from "./queue.ts";
import { judge } from "./reference.ts";
import type { Performance } from "./script.ts";
import { CallersClock, type StoreCall, type StorePlace, storeFor } from "./store-calls.ts";

const START = Date.parse("2026-03-01T12:00:00Z");
const LONGEST_CHAOS_MS = 60_000;
const CALM_MS = 30 * 60_000;
const LARGEST_SKEW_MS = 1500;

export interface WorldOptions {
  readonly seed: number;
  readonly bug?: Bug;
  /** A store of its own for this world; in memory unless given. */
  readonly createStore?: (options: StoreWorldOptions) => Promise<StoreWorld>;
  /** How many calls pass between two looks at a real database. */
  readonly lookEvery?: number;
}

export interface Verdict {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly faults: ReadonlyMap<Fault, number>;
  readonly calls: number;
  readonly runs: number;
  readonly tries: number;
  readonly simulatedMs: number;
}

export async function simulate({
  seed,
  bug,
  createStore = createMemoryWorld,
  lookEvery = 1,
}: WorldOptions): Promise<Verdict> {
  const random = new SeededRandom(seed);
  const parallelism = 2 + random.int(6);
  const pools = new Map([
    ["default_pool", 128],
    ["small", 2 + random.int(2)],
  ]);
  const stored = await createStore({ parallelism: parallelism + (bug?.extraParallelism ?? 0), now: START });
  for (const [name, slots] of pools) await stored.setPool(name, slots);
  const world = new World({ seed, random, stored, limits: { parallelism, pools }, lookEvery });
  try {
    const clock = new CallersClock();
    const store = await stored.open(clock);
    world.enter(bug?.store?.(store) ?? store, clock);
    return await world.live();
  } finally {
    await stored.close();
  }
}

interface WorldFacts {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly stored: StoreWorld;
  readonly limits: { readonly parallelism: number; readonly pools: ReadonlyMap<string, number> };
  readonly lookEvery: number;
}

export class World {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly kernel = new Kernel(START);
  readonly faults: Faults;
  readonly queue: SimQueue;
  readonly invariants: Invariants;
  readonly holds: Holds;
  /** What tries did that came to their end, by instance and try. */
  readonly performances = new Map<string, Performance>();
  /** As they were saved last. */
  readonly forms = new Map<string, SerializedDag>();
  /** Delivers what was sent twice; it outlives whoever sent it. */
  readonly network = new SimProcess(this.kernel, "network", 0);
  triggered = 0;
  readonly #stored: StoreWorld;
  readonly #lookEvery: number;
  readonly #violations: string[] = [];
  readonly #touched = new Set<string>();
  readonly #apis = new Set<Api>();
  readonly #schedulers = new Map<SimProcess, Scheduling>();
  readonly #processes = new Set<SimProcess>();
  #place: StorePlace | null = null;
  #unseen: StoreCall[] = [];
  #calls = 0;
  #pids = 0;
  #started = 0;

  constructor({ seed, random, stored, limits, lookEvery }: WorldFacts) {
    this.seed = seed;
    this.random = random;
    this.#stored = stored;
    this.#lookEvery = lookEvery;
    this.faults = new Faults(random);
    this.queue = new SimQueue(this.kernel, random, this.faults);
    const violate = (invariant: string, detail: string) => this.violate(invariant, detail);
    this.invariants = new Invariants(limits, violate, (dagId) => this.forms.get(dagId)?.max_active_runs ?? 0);
    this.holds = new Holds(violate, ({ dag_id, run_id }) => this.#touched.has(`${dag_id}/${run_id}`));
  }

  enter(store: EngineStore, clock: CallersClock): void {
    this.#place = {
      ...{ store, clock, random: this.random, faults: this.faults },
      arrive: () => this.#bringClock(),
      leave: (call) => this.#look(call),
    };
  }

  violate(invariant: string, detail: string): void {
    const second = ((this.kernel.now - START) / 1000).toFixed(3);
    this.#violations.push(`${invariant}: ${detail} (at ${second} s)`);
  }

  storeFor(process: SimProcess): EngineStore {
    if (this.#place === null) throw new Error("the world has no store yet");
    return storeFor(this.#place, process);
  }

  anyApi(): Api | undefined {
    return this.random.pick([...this.#apis]);
  }

  wakeSchedulers(): void {
    for (const scheduling of this.#schedulers.values()) scheduling.wake();
  }

  nextPid(): number {
    this.#pids += 1;
    return this.#pids;
  }

  /** A run that people changed: it ends as they wanted, not as the reference says. */
  touch({ dag_id, run_id }: Pick<SeenRun, "dag_id" | "run_id">): void {
    this.#touched.add(`${dag_id}/${run_id}`);
  }

  successorsOf(claimed: ClaimedTry): readonly string[] {
    return this.#taskOf(claimed)?.downstream_task_ids ?? [];
  }

  isDecider(claimed: ClaimedTry): boolean {
    return this.#taskOf(claimed)?.can_skip_downstream ?? false;
  }

  async live(): Promise<Verdict> {
    const people = this.#process("people");
    const count = (most: number) => 1 + this.random.int(most);
    for (let n = count(2); n > 0; n -= 1) this.#startApi();
    for (let n = count(3); n > 0; n -= 1) this.#startScheduler();
    for (let n = count(3); n > 0; n -= 1) this.#startWorker(`worker-${n}`);
    let isCalm = false;
    void this.#inhabit(people)
      .then(() => calmDown(this, people))
      .then(() => {
        isCalm = true;
      });
    void this.#trouble();
    const isBroken = () => this.#violations.length > 0;
    await this.kernel.runUntil(START + LONGEST_CHAOS_MS, isBroken);
    this.faults.heal();
    for (let slice = 0; slice < CALM_MS / 5000 && !isBroken(); slice += 1) {
      await this.kernel.runUntil(this.kernel.now + 5000, isBroken);
      if (isCalm && slice > 3 && unfinishedOf(await this.#stored.observe()).length === 0) break;
    }
    const seen = await this.#stored.observe();
    if (!isBroken()) this.#judge(seen);
    return {
      seed: this.seed,
      violations: this.#violations,
      faults: this.faults.counts,
      calls: this.#calls,
      runs: seen.runs.length,
      tries: seen.instances.reduce((sum, { try_number }) => sum + try_number, 0),
      simulatedMs: this.kernel.now - START,
    };
  }

  async #inhabit(people: SimProcess): Promise<void> {
    for (const dagId of DAG_IDS) await saveForm(this, people, newForm(this.random, dagId));
    await act(this, people);
  }

  /** Processes die and are started again, stand still for longer than a lease, and the queue loses what it holds. */
  async #trouble(): Promise<void> {
    const world = this.#process("trouble");
    for (;;) {
      await world.wait(1000 + this.random.next() * 9000);
      if (this.faults.isHealed) return;
      const victim = this.random.pick(
        [...this.#processes].filter(({ name }) => name !== "people" && name !== "trouble"),
      );
      this.random.weighted<() => void>([
        [3, () => this.#kill(victim)],
        [2, () => this.#stop(victim)],
        [1, () => this.#emptyQueue()],
      ])();
    }
  }

  #kill(victim: SimProcess | undefined): void {
    this.faults.count("killed");
    victim?.kill();
  }

  #stop(victim: SimProcess | undefined): void {
    this.faults.count("stopped past its lease");
    victim?.stopFor(11_000 + this.random.next() * 9000);
  }

  #emptyQueue(): void {
    this.faults.count("emptied queue");
    this.queue.empty();
  }

  #process(name: string): SimProcess {
    const skew = name === "people" || name === "trouble" ? 0 : (2 * this.random.next() - 1) * LARGEST_SKEW_MS;
    const process = new SimProcess(this.kernel, name, Math.round(skew));
    this.#processes.add(process);
    return process;
  }

  /** Starts one, and another when it dies. */
  #keep(name: string, start: (process: SimProcess) => void): void {
    const process = this.#process(name);
    start(process);
    void process.death.then(() => {
      this.#processes.delete(process);
      this.kernel.after(200 + this.random.next() * 3000, () => this.#keep(name, start));
    });
  }

  #startApi(): void {
    this.#started += 1;
    this.#keep(`api-${this.#started}`, (process) => {
      const api = startApi(this, process);
      this.#apis.add(api);
      void process.death.then(() => this.#apis.delete(api));
    });
  }

  #startScheduler(): void {
    this.#started += 1;
    this.#keep(`scheduler-${this.#started}`, (process) => {
      this.#schedulers.set(process, startScheduler(this, process));
      void process.death.then(() => this.#schedulers.delete(process));
    });
  }

  #startWorker(name: string): void {
    const concurrency = 1 + this.random.int(4);
    this.#keep(name, (process) => startWorker(this, process, concurrency));
  }

  async #bringClock(): Promise<void> {
    const behind = Math.floor(this.kernel.now) - this.#stored.clock.now();
    if (behind > 0) await this.#stored.advance(behind);
  }

  async #look(call: StoreCall): Promise<void> {
    this.#calls += 1;
    if (call.name === "saveParsedFile") {
      const [{ dags }] = call.args as [ParsedFile];
      for (const form of dags) this.forms.set(form.dag_id, form);
    }
    this.#unseen.push(call);
    if (!changes(call) && this.#unseen.length < this.#lookEvery) return;
    const calls = this.#unseen;
    this.#unseen = [];
    this.invariants.look(await this.#stored.observe(), calls);
  }

  #judge(seen: Observation): void {
    const open = unfinishedOf(seen);
    if (open.length > 0)
      this.violate("every run ends", `${open.length} are unfinished: ${open.slice(0, 5).join(", ")}`);
    for (const run of seen.runs) {
      const { fail_fast, dagrun_timeout } = run.form;
      if (this.#touched.has(`${run.dag_id}/${run.run_id}`) || fail_fast || dagrun_timeout !== null) continue;
      const own = seen.instances.filter((one) => one.run === run.id);
      for (const wrong of judge(run, own, this.performances))
        this.violate("runs end as the reference says", `${run.dag_id}/${run.run_id}: ${wrong}`);
    }
  }

  #taskOf({ dag_id, run_id, task_id }: ClaimedTry) {
    const run = this.invariants.runs.find((one) => one.dag_id === dag_id && one.run_id === run_id);
    return run?.form.tasks.find((task) => task.task_id === task_id);
  }
}

/** Steps of a scheduler tell what they changed; whatever else may change something is looked at each time. */
function changes({ name, result }: StoreCall): boolean {
  if (name === "heartbeat" || name === "reportJob" || name === "nextDueAt") return false;
  const { announcement } = (result ?? {}) as { readonly announcement?: Announcement };
  return announcement === undefined || announcement.task_instances.length + announcement.dag_runs.length > 0;
}
