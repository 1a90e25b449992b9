/**
 * Sixteen connections that trigger, claim, finish, clear, mark, pause and schedule at once, over four instances of the
 * store: no limit is ever exceeded, no wake-up is lost, and the audit finds nothing to correct.
 */

import { createLogger, systemClock, systemIds } from "@updraft/service-kit";
import { createTestDatabase, parsedFile, randomDag, SeededRandom, triggerRequest } from "@updraft/testkit";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MetadataStore, openMetadataStore, type QueuedTry } from "../src/index.ts";

const PARALLELISM = 8;
const SMALL_POOL = 3;
const DAGS = ["d0", "d1", "d2", "d3"] as const;
const ACTORS = 16;
const STEPS = 90;
const ONLY = {
  ...{ include_upstream: false, include_downstream: false, include_past: false, include_future: false, dry_run: false },
};
const SUCCESS = { kind: "success", xcoms: [] } as const;

let databaseUrl: string;
let client: pg.Pool;
const stores: MetadataStore[] = [];

beforeAll(async () => {
  databaseUrl = await createTestDatabase();
  client = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  await client.query("INSERT INTO slot_pool VALUES ('small', $1)", [SMALL_POOL]);
  const ports = {
    logger: createLogger("test", "silent"),
    clock: systemClock,
    ids: systemIds,
    parallelism: PARALLELISM,
  };
  for (let n = 0; n < 4; n += 1) stores.push(await openMetadataStore({ databaseUrl, ...ports }));
});
afterAll(async () => {
  await client.end();
  await Promise.all(stores.map((store) => store.close()));
});

function formOf(random: SeededRandom, dagId: string) {
  const options = { pools: ["default_pool", "small"] as const, mostTasks: 6, retryDelays: [0] as const };
  const form = randomDag(random, dagId, options);
  // Time is real here: what waits for a backoff would only be waited for.
  const tasks = form.tasks.map((task) => ({ ...task, retry_exponential_backoff: 0 }));
  return { ...form, tasks, dagrun_timeout: null };
}

interface Held {
  readonly ti_id: string;
  readonly try_number: number;
}

/** One person, worker or scheduler at a time, in turn. */
class Actor {
  readonly #random: SeededRandom;
  readonly #store: MetadataStore;
  readonly #offers: QueuedTry[];
  readonly #pid: number;
  #held: Held[] = [];

  constructor(seed: number, store: MetadataStore, offers: QueuedTry[]) {
    this.#random = new SeededRandom(seed);
    this.#store = store;
    this.#offers = offers;
    this.#pid = seed;
  }

  async act(): Promise<void> {
    await this.#random.weighted<() => Promise<void>>([
      [3, () => this.#trigger()],
      [10, () => this.#claim()],
      [10, () => this.#finish()],
      [3, () => this.schedule()],
      [1, () => this.#clear()],
      [1, () => this.#mark()],
      [0.5, () => this.#pause()],
      [0.5, () => this.#edit()],
    ])();
  }

  async schedule(): Promise<void> {
    for (const step of ["startQueuedRuns", "lookAtRuns", "startDueRetries", "enqueueScheduled"] as const)
      this.#hear((await this.#store[step]()).announcement);
  }

  async rest(): Promise<void> {
    await this.#claim();
    while (this.#held.length > 0) await this.#finish();
  }

  #hear({ queued }: { readonly queued: readonly QueuedTry[] }): void {
    this.#offers.push(...queued);
  }

  async #trigger(): Promise<void> {
    const result = await this.#store.triggerDagRun(triggerRequest(this.#random.pick(DAGS)));
    if (result.kind === "created") this.#hear(result.announcement);
  }

  async #claim(): Promise<void> {
    const offer = this.#offers.splice(this.#random.int(this.#offers.length), 1)[0];
    if (offer === undefined) return;
    const { ti_id, try_number } = offer;
    const who = { hostname: "host", unixname: "me", pid: this.#pid };
    const result = await this.#store.claimTry({ ti_id, try_number, ...who });
    if (result.kind === "claimed") this.#held.push({ ti_id, try_number });
  }

  async #finish(): Promise<void> {
    const held = this.#held.pop();
    if (held === undefined) return this.#claim();
    const failed = { kind: "failed", retry: true, reason: null, retry_delay_seconds: null } as const;
    const outcome = this.#random.chance(0.2) ? failed : SUCCESS;
    const result = await this.#store.finishTry({ ...held, outcome, end_date: systemClock.now() });
    if (result.kind === "finished") this.#hear(result.announcement);
  }

  async #clear(): Promise<void> {
    const run = await this.#someRun();
    if (run === undefined) return;
    const result = await this.#store.clearTaskInstances({
      ...{ ...run, task_ids: null, start_date: null, end_date: null, note: null, dry_run: false, only_new: false },
      ...{ only_failed: this.#random.chance(0.5), only_running: false, reset_dag_runs: true, keep_task_state: false },
      ...{ include_upstream: false, include_downstream: false, include_past: false, include_future: false },
      ...{ prevent_running_task: false, run_on_latest_version: false },
    });
    if (result.kind === "cleared") this.#hear(result.announcement);
  }

  async #mark(): Promise<void> {
    const run = await this.#someRun();
    if (run === undefined) return;
    const state = this.#random.pick(["success", "failed", "skipped"] as const);
    if (this.#random.chance(0.5)) {
      const result = await this.#store.markTaskInstances({ ...run, ...ONLY, task_ids: ["t0", "t2"], state });
      if (result.kind === "marked") this.#hear(result.announcement);
      return;
    }
    const patch = { state: state === "skipped" ? ("queued" as const) : state };
    const announcement = await this.#store.patchDagRun(run.dag_id, run.run_id, patch);
    if (announcement !== null) this.#hear(announcement);
  }

  async #pause(): Promise<void> {
    await this.#store.setDagPaused(this.#random.pick(DAGS), this.#random.chance(0.3));
  }

  async #edit(): Promise<void> {
    await this.#store.saveParsedFile(parsedFile([formOf(this.#random, this.#random.pick(DAGS))]));
  }

  async #someRun(): Promise<{ readonly dag_id: string; readonly run_id: string } | undefined> {
    const { rows } = await client.query("SELECT dag_id, run_id FROM dag_run ORDER BY random() LIMIT 1");
    return rows[0];
  }
}

/** Committed states of one moment, counted by nobody but this test. */
async function overfull(): Promise<string[]> {
  const { rows } = await client.query<{ what: string }>(
    `WITH executing AS (SELECT * FROM task_instance WHERE state IN ('queued', 'running'))
     SELECT 'parallelism ' || count(*) AS what FROM executing HAVING count(*) > ${PARALLELISM}
     UNION ALL SELECT 'small ' || sum(pool_slots) FROM executing WHERE pool = 'small' HAVING sum(pool_slots) > ${SMALL_POOL}
     UNION ALL SELECT 'run ' || r.run_id || ' ' || count(*) FROM executing e JOIN dag_run r ON r.id = e.dag_run
       JOIN dag_version v ON v.id = r.dag_version_id GROUP BY r.id, r.run_id, v.form::jsonb
       HAVING count(*) > (v.form::jsonb->>'max_active_tasks')::integer`,
  );
  return rows.map(({ what }) => what);
}

test("16 connections never exceed a limit and never lose a wake-up", { timeout: 180_000 }, async () => {
  const seed = Number(process.env.UPDRAFT_FIRST_SEED ?? 1);
  const random = new SeededRandom(seed);
  const [first] = stores;
  if (first === undefined) throw new Error("no store was opened");
  for (const dagId of DAGS) await first.saveParsedFile(parsedFile([formOf(random, dagId)]));
  const offers: QueuedTry[] = [];
  const actors = Array.from(
    { length: ACTORS },
    (_, n) => new Actor(seed * 1000 + n, stores[n % stores.length] ?? first, offers),
  );
  const exceeded: string[] = [];
  const acting = Promise.all(
    actors.map(async (actor) => {
      for (let step = 0; step < STEPS; step += 1) await actor.act();
    }),
  );
  let isOver = false;
  const watching = (async () => {
    while (!isOver) exceeded.push(...(await overfull()));
  })();
  await acting.finally(async () => {
    isOver = true;
    await watching;
  });
  for (const dagId of DAGS) await first.setDagPaused(dagId, false);
  // Nothing is offered twice here: a try that is queued without an offer would stay for ever.
  for (let round = 0; round < 400 && (await openRuns()) > 0; round += 1) {
    await Promise.all(actors.map((actor) => actor.rest()));
    await actors[0]?.schedule();
  }
  expect(exceeded).toEqual([]);
  expect((await first.audit()).corrected).toEqual([]);
  expect(await openRuns()).toBe(0);
});

async function openRuns(): Promise<number> {
  const { rows } = await client.query(
    "SELECT count(*)::integer AS open FROM dag_run WHERE state IN ('queued', 'running')",
  );
  return rows[0].open;
}
