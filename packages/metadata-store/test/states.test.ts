/** Every way from state to state, as the database sees it, and the states that nothing leads out of. */
import {
  type SerializedDag,
  type SerializedTask,
  TASK_INSTANCE_STATES,
  type TaskInstanceState,
} from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TryOutcome } from "../src/index.ts";
import { Player } from "./player.ts";

const LIMITS = { offer_after_seconds: 5, queued_timeout_seconds: 600 };
const SUCCESS: TryOutcome = { kind: "success", xcoms: [] };
const GONE_FOR_GOOD: TryOutcome = { kind: "failed", retry: false, reason: null, retry_delay_seconds: null };

/** Notes each change of state, whoever makes it. */
const NOTE_CHANGES = `
  CREATE TABLE seen_change (n bigserial, task_id text, after text, try_number integer);
  CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO seen_change (task_id, after, try_number) VALUES (NEW.task_id, coalesce(NEW.state, 'none'), NEW.try_number);
    RETURN NEW; END $$;
  CREATE TRIGGER note_change AFTER UPDATE ON task_instance FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION note_change();`;

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ parallelism: 8 });
  player = new Player(world);
  await world.sql(NOTE_CHANGES);
});
afterEach(() => world.close());

async function save(form: SerializedDag): Promise<void> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
  await world.store.createDueRuns();
}

async function start(edges: string, tasks: Record<string, Partial<SerializedTask>> = {}): Promise<string> {
  await save(dag(edges, {}, tasks));
  return player.trigger("d");
}

/** The states of task `a`, and the try in which it had them where that is not the first. */
async function way(): Promise<string> {
  const rows = await world.sql<{ after: string; try_number: number }>(
    "SELECT after, try_number FROM seen_change WHERE task_id = 'a' ORDER BY n",
  );
  return rows.map(({ after, try_number }) => (try_number > 1 ? `${after}/${try_number}` : after)).join(" ");
}

async function wake(ms = 0): Promise<void> {
  world.clock.advance(ms);
  for (const step of [
    await world.store.startQueuedRuns(),
    await world.store.startDueRetries(),
    await world.store.resumeDue(),
    await world.store.enqueueScheduled(),
  ])
    player.hears(step);
}

/** Queued for too long, and for too long again each time it is queued anew. */
async function nobodyTakesIt(): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    world.clock.advance(601_000);
    await player.reportWorker(0);
    await world.store.offerAgain(LIMITS);
  }
}

const next = { next_method: "execute_complete", next_kwargs: {} };
const deferred: TryOutcome = {
  ...{ kind: "deferred", classpath: "some.Trigger", kwargs: {}, queue: null, timeout_seconds: 5 },
  ...next,
};
const awaiting: TryOutcome = { kind: "awaiting_input", timeout_seconds: 5, ...next };
const retried = { a: { retries: 1, retry_delay: 1 } };

type Play = () => Promise<unknown>;

const WAYS: readonly [string, string, Play][] = [
  ["a free slot", "queued running success", async () => start("a").then(() => player.run("a"))],
  [
    "a slot that becomes free",
    "scheduled queued",
    async () => {
      await start("a", { a: { pool: "small" } });
      await world.sql("INSERT INTO slot_pool (pool, slots) VALUES ('small', 1)");
      await wake();
    },
  ],
  ["a failure before it", "upstream_failed", async () => start("b > a").then(() => player.run("b", player.failure()))],
  [
    "a skip before it",
    "skipped",
    async () => start("b > a").then(() => player.run("b", { kind: "skipped", reason: null })),
  ],
  ["nothing to do", "success", async () => start("a", { a: { is_empty: true } })],
  ["its failure", "queued running failed", async () => start("a").then(() => player.run("a", GONE_FOR_GOOD))],
  [
    "its own skip",
    "queued running skipped",
    async () => start("a").then(() => player.run("a", { kind: "skipped", reason: null })),
  ],
  [
    "its absence from the code",
    "queued running removed",
    async () => start("a").then(() => player.run("a", { kind: "removed", reason: null })),
  ],
  [
    "a retry",
    "queued running up_for_retry queued/2",
    async () => {
      await start("a", retried);
      await player.run("a", player.failure());
      await wake(999);
      expect(player.queued()).toEqual([]);
      await wake(1);
    },
  ],
  [
    "a reschedule",
    "queued running up_for_reschedule scheduled queued running success",
    async () => {
      await start("a");
      await player.run("a", { kind: "up_for_reschedule", reschedule_date: world.clock.now() + 1000 });
      await wake(1000);
      await player.run("a");
    },
  ],
  [
    "a trigger, in time or not",
    "queued running deferred scheduled queued running success",
    async () => {
      await start("a");
      await player.run("a", deferred);
      await wake(5000);
      await player.run("a");
    },
  ],
  [
    "a question that is answered, or not in time",
    "queued running awaiting_input scheduled queued running success",
    async () => {
      await start("a");
      await player.run("a", awaiting);
      await wake(5000);
      await player.run("a");
    },
  ],
  [
    "a clear while it runs",
    "queued running restarting up_for_retry queued/2",
    async () => {
      const run = await start("a");
      const claim = await player.claim("a");
      await player.clear(run, ["a"]);
      await player.finish(claim, GONE_FOR_GOOD);
      await wake();
    },
  ],
  [
    "a process that is gone, with a try left",
    "queued running up_for_retry",
    async () => {
      await start("a", retried);
      await player.claim("a");
      await world.sql("UPDATE task_instance SET last_heartbeat_at = clock_timestamp() - interval '11 seconds'");
      await world.store.rescueLost(10);
    },
  ],
  [
    "a queue in which nobody takes it, with a try left",
    "queued scheduled queued scheduled queued up_for_retry",
    async () => {
      await start("a", retried);
      await nobodyTakesIt();
    },
  ],
  [
    "a queue in which nobody takes it",
    "queued scheduled queued scheduled queued failed",
    async () => {
      await start("a");
      await nobodyTakesIt();
    },
  ],
  [
    "a clear before it starts",
    "scheduled none scheduled/2",
    async () => {
      const run = await start("a", { a: { pool: "missing" } });
      await player.clear(run, ["a"]);
    },
  ],
  [
    "a clear after its end",
    "queued running success none queued/2",
    async () => {
      const run = await start("a");
      await player.run("a");
      await player.clear(run, ["a"]);
      await wake();
    },
  ],
  [
    "a mark, whatever it is",
    "queued running failed success skipped",
    async () => {
      const run = await start("a");
      await player.claim("a");
      for (const state of ["failed", "success", "skipped"] as const) await player.mark(run, { task_ids: ["a"], state });
    },
  ],
];

describe("a task instance gets its states", () => {
  test.each(WAYS)("by %s: %s", async (_, states, play) => {
    await play();
    expect(await way()).toBe(states);
  });
});

describe("in state", () => {
  const outsiders: Partial<Record<string, string>> = {
    queued: "claimed, rejected, not_running",
    running: "rejected, finished, alive",
    restarting: "rejected, finished, not_running",
    success: "rejected, repeated, not_running",
  };
  const states: readonly TaskInstanceState[] = [null, ...TASK_INSTANCE_STATES];

  test.each(states)("%s a claim, an end and a heartbeat are taken where they belong, else refused", async (state) => {
    await start("a");
    const { ti_id } = await player.claim("a");
    const put = () => world.sql("UPDATE task_instance SET state = $1", [state]);
    await put();
    const claim = await world.store.claimTry({ ...player.claimRequest(ti_id, 1), pid: 99 });
    await put();
    const beat = await world.store.heartbeat({
      ti_id,
      try_number: 1,
      hostname: "host",
      pid: claim.kind === "claimed" ? 99 : 1,
    });
    const now = world.clock.now();
    const end = await world.store.finishTry({ ti_id, try_number: 1, outcome: SUCCESS, end_date: now });
    const expected = outsiders[state ?? "none"] ?? "rejected, rejected, not_running";
    expect(`${claim.kind}, ${end.kind}, ${beat}`).toBe(expected);
  });
});

test("of reports that arrive together the first of the current try counts, and the others are answered as later ones", async () => {
  const run = await start("a");
  const { ti_id } = await player.claim("a");
  await world.sql("UPDATE task_instance SET try_number = 2, max_tries = 2");
  const end_date = world.clock.now();
  const report = (try_number: number, outcome: TryOutcome) =>
    world.store.finishTry({ ti_id, try_number, outcome, end_date });
  const results = await Promise.all([
    report(1, player.failure()),
    report(2, SUCCESS),
    report(2, player.failure()),
    report(2, SUCCESS),
  ]);
  expect(results.map(({ kind }) => kind)).toEqual(["rejected", "finished", "rejected", "repeated"]);
  expect(await player.runState(run)).toBe("success");
});

test("a try is counted when it is scheduled: 0 before, 1 with it, and none for a wait", async () => {
  const run = await start("a > b");
  const tryOf = async (task_id: string) =>
    (await world.store.getTaskInstance({ dag_id: "d", run_id: run, task_id, map_index: -1 }))?.try_number;
  expect([await tryOf("a"), await tryOf("b")]).toEqual([1, 0]);
  await player.run("a", { kind: "up_for_reschedule", reschedule_date: world.clock.now() });
  await wake();
  await player.run("a", deferred);
  await wake(5000);
  expect(await tryOf("a")).toBe(1);
  await player.run("a");
  expect([await tryOf("a"), await tryOf("b")]).toEqual([1, 1]);
});
