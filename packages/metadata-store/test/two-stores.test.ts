/**
 * The same calls on both stores leave the same state: random DAGs, random calls by workers, schedulers and people, and
 * everything compared after each of them. A failure names its seed and the calls that led to it.
 */
import { canonicalJson } from "@updraft/dag-core";
import {
  createMemoryWorld,
  createPostgresWorld,
  createTestDatabase,
  type EngineStore,
  parsedFile,
  randomDag,
  SeededRandom,
  type StoreDump,
  type StoreWorld,
  triggerRequest,
} from "@updraft/testkit";
import { expect, test } from "vitest";
import type { Announcement, ClaimedTry, QueuedTry, TryOutcome } from "../src/index.ts";

const SEEDS = Number(process.env.UPDRAFT_SEEDS ?? 12);
const FIRST = Number(process.env.UPDRAFT_FIRST_SEED ?? 1);
const STEPS = 80;
const DAGS = ["d0", "d1", "d2"] as const;
const LIMITS = { offer_after_seconds: 5, queued_timeout_seconds: 60 };

/** A call, made on a store whose ids only it knows. */
type Call = (store: EngineStore, ids: Ids) => Promise<Answer>;

interface Answer {
  readonly kind: string;
  readonly announcement?: Announcement | null;
}

/** Ids of one store by names that both share. */
class Ids {
  readonly #byName = new Map<string, string>();

  hear(announcement: Announcement | null | undefined): string[] {
    return (announcement?.queued ?? []).map((offer) => {
      this.#byName.set(instanceOf(offer), offer.ti_id);
      return `${instanceOf(offer)} try ${offer.try_number} offer ${offer.offer_number}`;
    });
  }

  of(name: string): string {
    return this.#byName.get(name) ?? "00000000-0000-7000-8000-ffffffffffff";
  }
}

function instanceOf({
  dag_id,
  run_id,
  task_id,
  map_index,
}: Pick<QueuedTry, "dag_id" | "run_id" | "task_id" | "map_index">) {
  return `${dag_id}/${run_id}/${task_id}/${map_index}`;
}

class Search {
  readonly #random: SeededRandom;
  readonly #offers: { readonly name: string; readonly tryNumber: number }[] = [];
  readonly #claims: { readonly name: string; readonly tryNumber: number; readonly pid: number }[] = [];
  readonly #runs: { readonly dag_id: string; readonly run_id: string }[] = [];
  #triggered = 0;
  dump: StoreDump | null = null;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  remember(announcement: Announcement | null | undefined): void {
    for (const offer of announcement?.queued ?? [])
      this.#offers.push({ name: instanceOf(offer), tryNumber: offer.try_number });
    for (const run of this.dump?.runs ?? []) {
      const [dag_id = "", run_id = ""] = run.name.split("/");
      if (!this.#runs.some((one) => one.dag_id === dag_id && one.run_id === run_id))
        this.#runs.push({ dag_id, run_id });
    }
  }

  next(now: number): readonly [string, Call] {
    return this.#random.weighted<() => readonly [string, Call]>([
      [3, () => this.#trigger(now)],
      [12, () => this.#claim()],
      [12, () => this.#finish(now)],
      [2, () => this.#heartbeat()],
      [8, () => this.#schedule()],
      [2, () => this.#clear()],
      [1, () => this.#mark()],
      [1, () => this.#patch()],
      [1, () => this.#pause()],
      [1, () => this.#skip()],
      [1, () => this.#report()],
      [1, () => this.save(this.#random.pick(DAGS))],
    ])();
  }

  save(dagId: string): readonly [string, Call] {
    const form = randomDag(this.#random, dagId, {
      pools: ["default_pool", "small", "missing"],
      mostTasks: 6,
      retryDelays: [0, 5, 30],
    });
    const schedule = this.#random.chance(0.4) ? ({ type: "delta", seconds: 7 } as const) : form.timetable;
    const file = parsedFile([{ ...form, timetable: schedule, catchup: this.#random.chance(0.3) }]);
    return [`save ${dagId}`, async (store) => ({ kind: "saved", announcement: await store.saveParsedFile(file) })];
  }

  #trigger(now: number): readonly [string, Call] {
    this.#triggered += 1;
    const run_id = `r${this.#triggered}`;
    const logical_date = this.#random.chance(0.3) ? null : now + this.#triggered;
    const run_after = this.#random.chance(0.2) ? now + 5000 : null;
    const request = triggerRequest(this.#random.pick(DAGS), { run_id, logical_date, run_after });
    return [`trigger ${request.dag_id} ${run_id}`, (store) => store.triggerDagRun(request)];
  }

  #claim(): readonly [string, Call] {
    const offer = this.#random.chance(0.9) ? this.#offers.pop() : this.#random.pick(this.#offers);
    if (offer === undefined) return this.#schedule();
    const pid = 1 + this.#random.int(2);
    this.#claims.push({ ...offer, pid });
    const who = { hostname: "host", unixname: "me", pid };
    return [
      `claim ${offer.name} try ${offer.tryNumber} by ${pid}`,
      async (store, ids) => {
        const result = await store.claimTry({ ti_id: ids.of(offer.name), try_number: offer.tryNumber, ...who });
        return result.kind === "claimed"
          ? { ...result, kind: `claimed ${canonicalJson(seenIn(result.try))}` }
          : told(result);
      },
    ];
  }

  #finish(now: number): readonly [string, Call] {
    const claim = this.#random.chance(0.9) ? this.#claims.pop() : this.#random.pick(this.#claims);
    if (claim === undefined) return this.#claim();
    const outcome = this.#outcome();
    const { name, tryNumber: try_number } = claim;
    return [
      `finish ${name} try ${try_number} ${outcome.kind}`,
      async (store, ids) => told(await store.finishTry({ ti_id: ids.of(name), try_number, outcome, end_date: now })),
    ];
  }

  #outcome(): TryOutcome {
    const decision = { key: "skipmixin_key", value: { skipped: [`t${this.#random.int(6)}`] } };
    const xcoms = this.#random.chance(0.3) ? [decision] : [{ key: "return_value", value: 1 }];
    const failed = { kind: "failed", reason: null, retry_delay_seconds: null } as const;
    return this.#random.weighted<TryOutcome>([
      [10, { kind: "success", xcoms }],
      [4, { ...failed, retry: true }],
      [1, { ...failed, retry: false }],
      [1, { kind: "skipped", reason: null }],
      [1, { kind: "removed", reason: null }],
    ]);
  }

  #heartbeat(): readonly [string, Call] {
    const claim = this.#random.pick(this.#claims);
    if (claim === undefined) return this.#claim();
    const { name, tryNumber: try_number, pid } = claim;
    const beat = { try_number, hostname: "host", pid };
    return [`beat ${name}`, async (store, ids) => ({ kind: await store.heartbeat({ ti_id: ids.of(name), ...beat }) })];
  }

  #schedule(): readonly [string, Call] {
    const step = this.#random.pick([
      "createDueRuns",
      "startQueuedRuns",
      "startDueRetries",
      "enqueueScheduled",
      "timeOutRuns",
      "rescueLost",
      "offerAgain",
      "audit",
      "resumeDue",
    ] as const);
    return [step, (store) => takeStep(store, step)];
  }

  #clear(): readonly [string, Call] {
    const run = this.#random.pick(this.#runs);
    if (run === undefined) return this.#schedule();
    const flip = (probability: number) => this.#random.chance(probability);
    const task_ids = flip(0.3) ? null : this.#random.some(["t0", "t1", "t2", "t3"]);
    const request = {
      ...run,
      task_ids,
      ...{ start_date: null, end_date: null, note: null, dry_run: flip(0.1), only_new: false },
      ...{ only_failed: flip(0.2), only_running: flip(0.1), reset_dag_runs: flip(0.8) },
      ...{ include_upstream: flip(0.2), include_downstream: flip(0.4), include_past: false, include_future: flip(0.2) },
      ...{ prevent_running_task: flip(0.2), keep_task_state: false, run_on_latest_version: false },
    };
    return [`clear ${JSON.stringify(request)}`, async (store) => told(await store.clearTaskInstances(request))];
  }

  #mark(): readonly [string, Call] {
    const run = this.#random.pick(this.#runs);
    if (run === undefined) return this.#schedule();
    const state = this.#random.pick(["success", "failed", "skipped"] as const);
    const flip = (probability: number) => this.#random.chance(probability);
    const request = {
      ...{ ...run, state, task_ids: this.#random.some(["t0", "t1", "t2"]), include_past: false, include_future: false },
      ...{ include_upstream: flip(0.1), include_downstream: flip(0.1), dry_run: false },
    };
    return [`mark ${JSON.stringify(request)}`, async (store) => told(await store.markTaskInstances(request))];
  }

  #patch(): readonly [string, Call] {
    const run = this.#random.pick(this.#runs);
    if (run === undefined) return this.#schedule();
    const state = this.#random.pick(["success", "failed", "queued"] as const);
    return [
      `patch ${run.dag_id} ${run.run_id} ${state}`,
      async (store) => ({ kind: "patched", announcement: await store.patchDagRun(run.dag_id, run.run_id, { state }) }),
    ];
  }

  #pause(): readonly [string, Call] {
    const [dagId, paused] = [this.#random.pick(DAGS), this.#random.chance(0.4)];
    return [
      `pause ${dagId} ${paused}`,
      async (store) => ({ kind: "paused", announcement: await store.setDagPaused(dagId, paused) }),
    ];
  }

  #skip(): readonly [string, Call] {
    const claim = this.#random.pick(this.#claims);
    if (claim === undefined) return this.#schedule();
    const task_ids = this.#random.some(["t1", "t2", "t3"]);
    return [
      `skip below ${claim.name} ${task_ids}`,
      async (store, ids) => ({
        kind: "skipped",
        announcement: await store.skipDownstream({ ti_id: ids.of(claim.name), try_number: claim.tryNumber, task_ids }),
      }),
    ];
  }

  #report(): readonly [string, Call] {
    const running = this.#random.int(3);
    const report = { name: "w", job_type: "WorkerJob", state: "running", hostname: "host", unixname: "me" } as const;
    return [
      `worker with ${running} of 2`,
      async (store) => {
        await store.reportJob({ ...report, queues: ["default"], concurrency: 2, running });
        return { kind: "reported" };
      },
    ];
  }
}

async function takeStep(
  store: EngineStore,
  step: Exclude<keyof EngineStore, "saveParsedFile"> & string,
): Promise<Answer> {
  switch (step) {
    case "rescueLost":
      return { kind: step, announcement: (await store.rescueLost(10)).announcement };
    case "offerAgain":
      return { kind: step, announcement: (await store.offerAgain(LIMITS)).announcement };
    case "audit": {
      const { announcement, corrected } = await store.audit();
      return { kind: `${step} ${corrected.join("; ")}`, announcement };
    }
    case "createDueRuns":
      return untilDone(step, () => store.createDueRuns());
    case "startQueuedRuns":
    case "startDueRetries":
    case "enqueueScheduled":
    case "timeOutRuns":
    case "resumeDue":
      return { kind: step, announcement: (await store[step]()).announcement };
    default:
      throw new Error(`${step} is no step`);
  }
}

/** How many DAGs a step of due runs takes is each store's own affair. */
async function untilDone(kind: string, step: EngineStore["createDueRuns"]): Promise<Answer> {
  const first = await step();
  const queued = [...first.announcement.queued];
  for (let { more } = first; more; ) {
    const next = await step();
    queued.push(...next.announcement.queued);
    more = next.more;
  }
  return { kind, announcement: { ...first.announcement, queued } };
}

/** What a claim answers, without ids. */
function seenIn({ ti_id: _id, artefact_hash: _hash, dag_run, ...rest }: ClaimedTry) {
  return { ...rest, dag_run: { run_id: dag_run.run_id, state: dag_run.state } };
}

function told(result: {
  readonly kind: string;
  readonly reason?: string;
  readonly announcement?: Announcement;
}): Answer {
  return { kind: `${result.kind} ${result.reason ?? ""}`, announcement: result.announcement ?? null };
}

async function step(
  world: StoreWorld,
  ids: Ids,
  call: Call,
): Promise<{ queued: string[]; kind: string; answer: Answer }> {
  const answer = await call(world.store, ids);
  return { kind: answer.kind, queued: ids.hear(answer.announcement).sort(), answer };
}

async function lookAtRuns({ store }: StoreWorld, ids: Ids): Promise<Announcement> {
  const { announcement } = await store.lookAtRuns();
  ids.hear(announcement);
  return announcement;
}

const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST + index);

test.each(seeds)("seed %i: both stores answer alike and hold the same", { timeout: 120_000 }, async (seed) => {
  const random = new SeededRandom(seed);
  const options = { parallelism: 2 + random.int(5) };
  const memory = await createMemoryWorld(options);
  const postgres = await createPostgresWorld(await createTestDatabase(), options);
  const search = new Search(random);
  const [memoryIds, postgresIds] = [new Ids(), new Ids()];
  const calls: string[] = [];
  try {
    for (const world of [memory, postgres]) await world.setPool("small", 2);
    for (let count = 0; count < STEPS; count += 1) {
      const dagId = DAGS[count];
      const [name, call] = dagId === undefined ? search.next(memory.clock.now()) : search.save(dagId);
      calls.push(name);
      // As the scheduler does when it is time: the one store waits for it, the other decides whenever it looks.
      search.remember(await lookAtRuns(memory, memoryIds));
      await lookAtRuns(postgres, postgresIds);
      const expected = await step(memory, memoryIds, call);
      const found = await step(postgres, postgresIds, call);
      const where = `seed ${seed}, after ${calls.length} calls:\n${calls.slice(-12).join("\n")}`;
      expect({ kind: found.kind, queued: found.queued }, where).toEqual({
        kind: expected.kind,
        queued: expected.queued,
      });
      search.dump = await memory.dump();
      expect(await postgres.dump(), where).toEqual(search.dump);
      search.remember(expected.answer.announcement);
      const ms = random.chance(0.3) ? random.int(12_000) : random.int(50);
      await memory.advance(ms);
      await postgres.advance(ms);
    }
  } finally {
    await memory.close();
    await postgres.close();
  }
});
