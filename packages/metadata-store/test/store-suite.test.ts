/**
 * One suite, two stores: what the engine promises holds for the Postgres store and for the in-memory store alike, so
 * that what the simulation shows on the one is true of the other.
 */
import type { SerializedDag } from "@updraft/dag-core";
import {
  createMemoryWorld,
  createPostgresWorld,
  createTestDatabase,
  parsedFile,
  type StoreWorld,
} from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClaimedTry } from "../src/index.ts";
import { Player } from "./player.ts";

const WORLDS = [
  { name: "postgres", create: async () => createPostgresWorld(await createTestDatabase(), { parallelism: 8 }) },
  { name: "memory", create: () => createMemoryWorld({ parallelism: 8 }) },
];
const LIMITS = { offer_after_seconds: 5, queued_timeout_seconds: 600 };
const skip = ({ ti_id, try_number }: ClaimedTry, task_ids: readonly string[]) => ({ ti_id, try_number, task_ids });
const SUCCESS = { kind: "success", xcoms: [] } as const;

describe.each(WORLDS)("the $name store", ({ create }) => {
  let world: StoreWorld;
  let player: Player;

  beforeEach(async () => {
    world = await create();
    player = new Player(world);
  });
  afterEach(() => world.close());

  async function save(form: SerializedDag): Promise<void> {
    await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
    player.hears(await world.store.createDueRuns());
  }

  async function start(form: SerializedDag, triggers = 1): Promise<string[]> {
    await save(form);
    const runs: string[] = [];
    for (let n = 0; n < triggers; n += 1) runs.push(await player.trigger(form.dag_id));
    return runs;
  }

  async function tries(runId: string, taskId: string): Promise<readonly string[]> {
    const { instances } = await world.dump();
    const found = instances.find(({ name }) => name === `d/${runId}/${taskId}/-1`);
    return found === undefined ? [] : [...found.tries, `${found.try_number} ${found.state}`];
  }

  async function mark(runId: string, taskId: string, state: "success" | "failed" | "skipped"): Promise<void> {
    await player.mark(runId, { task_ids: [taskId], state });
  }

  describe("the way of a task", () => {
    test("a chain runs from trigger to success, each finish queueing the next", async () => {
      const [run = ""] = await start(dag("a > b > c"));
      expect(player.queued()).toEqual(["a"]);
      await player.run("a");
      expect(player.queued()).toEqual(["b"]);
      await player.run("b");
      await player.run("c");
      expect(await player.states(run)).toEqual({ a: "success", b: "success", c: "success" });
      expect(await player.runState(run)).toBe("success");
      await player.expectNoSlotsInUse();
    });

    test("a diamond joins once, when both branches are done", async () => {
      await start(dag("a > b > d, a > c > d"));
      await player.run("a");
      expect(player.queued()).toEqual(["b", "c"]);
      await player.finishTogether(["b", "c"]);
      expect(player.queued()).toEqual(["d"]);
    });

    test("a DAG without tasks is a success at once", async () => {
      const [run = ""] = await start(dag(""));
      expect(await player.runState(run)).toBe("success");
    });

    test("what a task returns reaches the tasks bound to it", async () => {
      const bound = { arg_bindings: [{ name: "n", kind: "xcom" as const, task_id: "a" }] };
      await start(dag("a > b", {}, { b: bound }));
      await player.run("a", { kind: "success", xcoms: [{ key: "return_value", value: { deep: [1] } }] });
      expect((await player.claim("b")).xcom_inputs).toEqual({ a: { deep: [1] } });
    });

    test("a failure marks everything below as upstream_failed and ends the run", async () => {
      const [run = ""] = await start(dag("a > b > c, a > d"));
      await player.run("a", player.failure());
      const below = { b: "upstream_failed", c: "upstream_failed", d: "upstream_failed" };
      expect(await player.states(run)).toEqual({ a: "failed", ...below });
      expect(await player.runState(run)).toBe("failed");
      await player.expectNoSlotsInUse();
    });

    test("a failure that an all_done leaf cleaned up after is a success of the run", async () => {
      const [run = ""] = await start(dag("a > b", {}, { b: { trigger_rule: "all_done" } }));
      await player.run("a", player.failure());
      await player.run("b");
      expect(await player.runState(run)).toBe("success");
    });

    test("a skip cascades, and a join with none_failed_min_one_success still runs", async () => {
      const join = { trigger_rule: "none_failed_min_one_success" as const };
      const [run = ""] = await start(dag("pick > left > join, pick > right > join", {}, { join }));
      const pick = await player.claim("pick");
      player.hear(await world.store.skipDownstream(skip(pick, ["right"])));
      await player.finish(pick, SUCCESS);
      await player.run("left");
      await player.run("join");
      expect(await player.states(run)).toEqual({ pick: "success", left: "success", right: "skipped", join: "success" });
    });

    test("a decider whose try was lost decides nothing any more", async () => {
      const [run = ""] = await start(dag("pick > left", {}, { pick: { retries: 1, retry_delay: 0 } }));
      const lost = await player.claim("pick");
      await world.advance(11_000);
      await world.store.rescueLost(10);
      player.hears(await world.store.startDueRetries());
      await player.run("pick");
      player.hear(await world.store.skipDownstream(skip(lost, ["left"])));
      expect(await player.states(run)).toEqual({ pick: "success", left: "queued" });
    });

    test("a task that skips itself skips what needs it", async () => {
      const [run = ""] = await start(dag("a > b"));
      await player.run("a", { kind: "skipped", reason: null });
      expect([await player.runState(run), await player.states(run)]).toEqual([
        "success",
        { a: "skipped", b: "skipped" },
      ]);
    });

    test("fail_fast ends the rest of the run with the first failure", async () => {
      const [run = ""] = await start(dag("a, b > c", { fail_fast: true }));
      const b = await player.claim("b");
      await player.run("a", player.failure());
      expect(await player.states(run)).toEqual({ a: "failed", b: "failed", c: "skipped" });
      expect(await world.store.finishTry(player.finishRequest(b, SUCCESS))).toMatchObject({ kind: "rejected" });
      await player.expectNoSlotsInUse();
    });
  });

  describe("claims and ends", () => {
    test("a second claim by another process is refused; one by the same process is answered again", async () => {
      await start(dag("a"));
      const first = await player.claim("a");
      const again = await world.store.claimTry(player.claimRequest(first.ti_id, 1));
      const other = await world.store.claimTry({ ...player.claimRequest(first.ti_id, 1), pid: 99 });
      expect([again.kind, other]).toEqual(["claimed", { kind: "rejected", reason: "invalid_state", state: "running" }]);
    });

    test("of two processes that claim a try at the same moment, one has it", async () => {
      const [run = ""] = await start(dag("a, b"));
      const { instances } = await world.dump();
      const offers = player.offers();
      expect([instances.length, offers.length]).toEqual([2, 2]);
      const other = offers.find(({ task_id }) => task_id === "b");
      const wanted = offers.find(({ task_id }) => task_id === "a");
      const claim = (id: string | undefined, pid: number) =>
        world.store.claimTry({ ...player.claimRequest(id ?? "", 1), pid });
      // The first keeps the store busy, so that the others arrive together.
      const [, ...both] = await Promise.all([claim(other?.ti_id, 7), claim(wanted?.ti_id, 8), claim(wanted?.ti_id, 9)]);
      expect(both.map(({ kind }) => kind).sort()).toEqual(["claimed", "rejected"]);
      expect(await player.states(run)).toEqual({ a: "running", b: "running" });
    });

    test("a claim of another try, and of nothing, is refused", async () => {
      await start(dag("a"));
      const first = await player.claim("a");
      const later = await world.store.claimTry(player.claimRequest(first.ti_id, 2));
      const nobody = await world.store.claimTry(player.claimRequest("00000000-0000-7000-8000-ffffffffffff", 1));
      expect([later, nobody]).toMatchObject([{ reason: "invalid_state" }, { reason: "not_found" }]);
    });

    test("reporting the same end twice is harmless, and another end is refused", async () => {
      const [run = ""] = await start(dag("a > b"));
      const claim = await player.claim("a");
      await player.finish(claim, SUCCESS);
      const request = player.finishRequest(claim, SUCCESS);
      expect(await world.store.finishTry(request)).toMatchObject({ kind: "repeated" });
      expect(await world.store.finishTry({ ...request, outcome: player.failure() })).toMatchObject({
        kind: "rejected",
      });
      expect(await player.states(run)).toEqual({ a: "success", b: "queued" });
    });

    test("the end of an earlier try is refused", async () => {
      await start(dag("a", {}, { a: { retries: 1, retry_delay: 0 } }));
      const first = await player.claim("a");
      await player.finish(first, player.failure());
      player.hears(await world.store.startDueRetries());
      await player.claim("a");
      const late = await world.store.finishTry(player.finishRequest(first, SUCCESS));
      expect(late).toMatchObject({ kind: "rejected", reason: "invalid_state", state: "running" });
    });

    test("an end without a claim is refused", async () => {
      await start(dag("a"));
      const claim = await player.claim("a");
      const end = { ...player.finishRequest(claim, SUCCESS), ti_id: "00000000-0000-7000-8000-ffffffffffff" };
      expect(await world.store.finishTry(end)).toMatchObject({ kind: "rejected", reason: "not_found" });
    });
  });

  describe("retries", () => {
    test("a retry waits for its delay, then is a new try; the old one stays in the history", async () => {
      const [run = ""] = await start(dag("a", {}, { a: { retries: 1, retry_delay: 60 } }));
      await player.run("a", player.failure());
      expect(await player.states(run)).toEqual({ a: "up_for_retry" });
      expect(player.hears(await world.store.startDueRetries())).toEqual([]);
      expect(await world.store.nextDueAt()).toBe(world.clock.now() + 60_000);
      await world.advance(60_000);
      expect(player.hears(await world.store.startDueRetries())).toEqual(["a"]);
      const second = await player.claim("a");
      expect([second.try_number, second.max_tries, second.should_retry]).toEqual([2, 1, false]);
      await player.finish(second, player.failure());
      expect(await player.runState(run)).toBe("failed");
      expect(await tries(run, "a")).toEqual(["1 up_for_retry", "2 failed"]);
    });

    test("a failure that must not be retried fails at once", async () => {
      const [run = ""] = await start(dag("a", {}, { a: { retries: 3 } }));
      await player.run("a", { kind: "failed", retry: false, reason: null, retry_delay_seconds: null });
      expect(await player.runState(run)).toBe("failed");
    });

    test("the task may name its own delay", async () => {
      await start(dag("a", {}, { a: { retries: 1, retry_delay: 60 } }));
      await player.run("a", { kind: "failed", retry: true, reason: null, retry_delay_seconds: 5 });
      expect(await world.store.nextDueAt()).toBe(world.clock.now() + 5000);
    });

    test("a retry of a paused DAG waits until it goes on", async () => {
      await start(dag("a", {}, { a: { retries: 1, retry_delay: 0 } }));
      await player.run("a", player.failure());
      await world.store.setDagPaused("d", true);
      expect(player.hears(await world.store.startDueRetries())).toEqual([]);
      await world.store.setDagPaused("d", false);
      expect(player.hears(await world.store.startDueRetries())).toEqual(["a"]);
    });
  });

  describe("limits", () => {
    test("installation parallelism holds over runs, and every freed slot is used", async () => {
      await start(dag("a, b, c, d, e, f"), 3);
      expect(player.queued()).toHaveLength(8);
      for (let finished = 0; finished < 18; finished += 1) {
        const next = player.queued()[0];
        if (next === undefined) throw new Error(`nothing queued after ${finished} tasks`);
        await player.run(next);
        player.hears(await world.store.enqueueScheduled());
        expect((await player.occupancy()).parallelism ?? 0).toBeLessThanOrEqual(8);
      }
      await player.expectNoSlotsInUse();
    });

    test("a pool holds by slots, and a smaller task passes one that doesn't fit", async () => {
      await world.setPool("small", 2);
      const heavy = { pool: "small", pool_slots: 2, priority_weight: 1 };
      const light = { pool: "small", priority_weight: 9 };
      await start(dag("big, one, two", {}, { big: heavy, one: light, two: { ...light, priority_weight: 5 } }));
      expect(player.queued()).toEqual(["one", "two"]);
      await player.run("one");
      expect(player.hears(await world.store.enqueueScheduled())).toEqual([]);
      await player.run("two");
      expect(player.queued()).toEqual(["big"]);
    });

    test("a task of a pool that doesn't exist never starts, until the pool does", async () => {
      const [run = ""] = await start(dag("a", {}, { a: { pool: "missing" } }));
      expect(await player.states(run)).toEqual({ a: "scheduled" });
      await world.setPool("missing", 1);
      expect(player.hears(await world.store.enqueueScheduled())).toEqual(["a"]);
    });

    test("max_active_tasks holds within a run", async () => {
      await start(dag("a, b, c", { max_active_tasks: 2 }, { a: { priority_weight: 3 }, b: { priority_weight: 2 } }));
      expect(player.queued()).toEqual(["a", "b"]);
      await player.run("a");
      expect(player.queued()).toEqual(["b", "c"]);
    });

    test("one instance of a limited task runs at a time over all runs", async () => {
      await start(dag("a", {}, { a: { max_active_tis_per_dag: 1 } }), 3);
      expect(player.queued()).toEqual(["a"]);
      await player.run("a");
      expect(player.hears(await world.store.enqueueScheduled())).toEqual(["a"]);
    });

    test("max_active_runs keeps later runs queued until an earlier one ends", async () => {
      const [first = "", second = ""] = await start(dag("a", { max_active_runs: 1 }), 2);
      expect([await player.runState(first), await player.runState(second)]).toEqual(["running", "queued"]);
      expect(player.hears(await world.store.startQueuedRuns())).toEqual([]);
      await player.run("a");
      expect(player.hears(await world.store.startQueuedRuns())).toEqual(["a"]);
      expect(await player.runState(second)).toBe("running");
    });

    test("a paused DAG queues nothing, and goes on when it is unpaused", async () => {
      const [run = ""] = await start(dag("a > b"));
      const claim = await player.claim("a");
      await world.store.setDagPaused("d", true);
      await player.finish(claim, SUCCESS);
      expect(await player.states(run)).toEqual({ a: "success", b: "scheduled" });
      expect(player.hears(await world.store.enqueueScheduled())).toEqual([]);
      await world.store.setDagPaused("d", false);
      expect(player.hears(await world.store.enqueueScheduled())).toEqual(["b"]);
    });

    test("a run triggered while its DAG is paused waits", async () => {
      await save(dag("a"));
      await world.store.setDagPaused("d", true);
      const run = await player.trigger("d");
      expect(player.hears(await world.store.startQueuedRuns())).toEqual([]);
      expect(await player.runState(run)).toBe("queued");
      await world.store.setDagPaused("d", false);
      expect(player.hears(await world.store.startQueuedRuns())).toEqual(["a"]);
    });
  });

  describe("liveness", () => {
    test("a try without a heartbeat for a lease ends as lost and is retried", async () => {
      const [run = ""] = await start(dag("a", {}, { a: { retries: 1, retry_delay: 0 } }));
      const claim = await player.claim("a");
      const beat = { ti_id: claim.ti_id, try_number: 1, hostname: "host", pid: 1 };
      await world.advance(9000);
      expect(await world.store.heartbeat(beat)).toBe("alive");
      await world.advance(9000);
      expect((await world.store.rescueLost(10)).announcement.task_instances).toEqual([]);
      await world.advance(1001);
      await world.store.rescueLost(10);
      expect(await player.states(run)).toEqual({ a: "up_for_retry" });
      expect(await world.store.heartbeat(beat)).toBe("not_running");
      expect(player.hears(await world.store.startDueRetries())).toEqual(["a"]);
    });

    test("a lost try without retries fails its run", async () => {
      const [run = ""] = await start(dag("a > b"));
      await player.claim("a");
      await world.advance(10_001);
      await world.store.rescueLost(10);
      expect(await player.states(run)).toEqual({ a: "failed", b: "upstream_failed" });
      expect(await player.runState(run)).toBe("failed");
    });

    test("a heartbeat of another process, or of nothing, is refused", async () => {
      await start(dag("a"));
      const { ti_id } = await player.claim("a");
      const beat = { ti_id, try_number: 1, hostname: "host", pid: 2 };
      const nothing = { ...beat, ti_id: "00000000-0000-7000-8000-ffffffffffff" };
      expect([await world.store.heartbeat(beat), await world.store.heartbeat(nothing)]).toEqual([
        "not_running",
        "not_found",
      ]);
    });

    test("a lost message is offered again only while a worker has a free slot", async () => {
      await start(dag("a"));
      await world.advance(6000);
      expect(player.hears(await world.store.offerAgain(LIMITS))).toEqual([]);
      await player.reportWorker(4);
      expect(player.hears(await world.store.offerAgain(LIMITS))).toEqual([]);
      await player.reportWorker(0);
      const { announcement } = await world.store.offerAgain(LIMITS);
      expect(announcement.queued.map(({ offer_number }) => offer_number)).toEqual([2]);
      expect(player.hears(await world.store.offerAgain(LIMITS))).toEqual([]);
    });

    test("a try that nobody takes for the queued timeout is queued again twice, then fails, but only while a worker could", async () => {
      const [run = ""] = await start(dag("a"));
      await world.advance(601_000);
      await world.store.offerAgain(LIMITS);
      expect(await player.states(run)).toEqual({ a: "queued" });
      for (const offer of [2, 3]) {
        await player.reportWorker(0);
        const { announcement } = await world.store.offerAgain(LIMITS);
        expect(announcement.queued.map(({ offer_number, try_number }) => [offer_number, try_number])).toEqual([
          [offer, 1],
        ]);
        expect(await player.states(run)).toEqual({ a: "queued" });
        await player.expectSlotsInUse(1);
        await world.advance(601_000);
      }
      await player.reportWorker(0);
      await world.store.offerAgain(LIMITS);
      expect(await player.runState(run)).toBe("failed");
      await player.expectNoSlotsInUse();
    });

    test("dagrun_timeout skips what is unfinished and fails the run", async () => {
      const [run = ""] = await start(dag("a > b", { dagrun_timeout: 5 }));
      await player.claim("a");
      expect(await world.store.nextDueAt()).toBe(world.clock.now() + 5000);
      await world.advance(5001);
      await world.store.timeOutRuns();
      expect([await player.runState(run), await player.states(run)]).toEqual([
        "failed",
        { a: "skipped", b: "skipped" },
      ]);
      await player.expectNoSlotsInUse();
    });

    test("a run in which nothing can ever happen again fails at once; the audit finds nothing to correct", async () => {
      const [run = ""] = await start(dag("a > b", {}, { b: { trigger_rule: "all_skipped" } }));
      await player.run("a", { kind: "removed", reason: null });
      expect(await player.runState(run)).toBe("failed");
      await world.advance(31_000);
      expect((await world.store.audit()).corrected).toEqual([]);
    });
  });

  describe("people", () => {
    test("clearing a finished task runs it and its successors again", async () => {
      const [run = ""] = await start(dag("a > b"));
      await player.run("a");
      await player.run("b", player.failure());
      expect(await player.clear(run, ["b"])).toEqual(["b"]);
      expect(await player.runState(run)).toBe("queued");
      expect(player.hears(await world.store.startQueuedRuns())).toEqual(["b"]);
      await player.run("b");
      expect(await player.runState(run)).toBe("success");
      expect(await tries(run, "b")).toEqual(["1 failed", "2 success"]);
    });

    test("clearing a failed task with what is downstream takes their states back", async () => {
      const [run = ""] = await start(dag("a > b > c"));
      await player.run("a", player.failure());
      await player.clear(run, ["a"], { include_downstream: true });
      player.hears(await world.store.startQueuedRuns());
      expect(await player.states(run)).toEqual({ a: "queued", b: null, c: null });
      for (const id of ["a", "b", "c"]) await player.run(id);
      expect(await player.runState(run)).toBe("success");
    });

    test("clearing only failed tasks leaves the others, and a dry run changes nothing", async () => {
      const [run = ""] = await start(dag("a, b"));
      await player.run("a");
      await player.run("b", player.failure());
      expect(await player.clear(run, null, { only_failed: true, dry_run: true })).toEqual(["b"]);
      expect(await player.runState(run)).toBe("failed");
      expect(await player.clear(run, null, { only_failed: true })).toEqual(["b"]);
      expect(await player.states(run)).toEqual({ a: "success", b: null });
    });

    test("clearing a queued task makes its message worthless", async () => {
      const [run = ""] = await start(dag("a"));
      const [offer] = (await world.store.offerAgain(LIMITS)).announcement.queued;
      expect(offer).toBeUndefined();
      await player.clear(run, ["a"]);
      expect(player.queued()).toEqual(["a", "a"]);
      await expect(player.claim("a")).rejects.toThrow("refused");
      expect((await player.claim("a")).try_number).toBe(2);
      expect(await tries(run, "a")).toEqual(["1 queued", "2 running"]);
    });

    test("clearing a running task restarts it when its process is gone", async () => {
      const [run = ""] = await start(dag("a"));
      const claim = await player.claim("a");
      await player.clear(run, ["a"]);
      expect(await player.states(run)).toEqual({ a: "restarting" });
      await player.finish(claim, player.failure());
      expect(player.hears(await world.store.startDueRetries())).toEqual(["a"]);
      await player.expectSlotsInUse(1);
    });

    test("marking a failed task as success lets what it blocked run", async () => {
      const [run = ""] = await start(dag("a > b"));
      await player.run("a", player.failure());
      await mark(run, "a", "success");
      player.hears(await world.store.startQueuedRuns());
      await player.run("b");
      expect([await player.runState(run), await player.states(run)]).toEqual([
        "success",
        { a: "success", b: "success" },
      ]);
    });

    test("marking a running task as success goes on at once, and its own end is answered as before", async () => {
      const [run = ""] = await start(dag("a > b"));
      const claim = await player.claim("a");
      await mark(run, "a", "success");
      expect(player.queued()).toEqual(["b"]);
      expect(await world.store.finishTry(player.finishRequest(claim, SUCCESS))).toMatchObject({ kind: "repeated" });
      expect(await player.states(run)).toEqual({ a: "success", b: "queued" });
    });

    test("marking a run as failed ends everything in it", async () => {
      const [run = ""] = await start(dag("a > b"));
      await player.claim("a");
      await world.store.patchDagRun("d", run, { state: "failed" });
      expect([await player.runState(run), await player.states(run)]).toEqual(["failed", { a: "failed", b: "skipped" }]);
      await player.expectNoSlotsInUse();
    });

    test("marking a run with a teardown lets the teardown run first", async () => {
      const ends = { is_teardown: true, trigger_rule: "all_done" as const };
      const [run = ""] = await start(dag("w > t", {}, { t: ends }));
      await player.claim("w");
      player.hear(await world.store.patchDagRun("d", run, { state: "failed" }));
      expect([await player.runState(run), await player.states(run)]).toEqual(["running", { w: "failed", t: "queued" }]);
      await player.run("t");
      expect(await player.runState(run)).toBe("failed");
    });

    test("marking a run as queued runs all of it again", async () => {
      const [run = ""] = await start(dag("a > b"));
      await player.run("a");
      await player.run("b");
      player.hear(await world.store.patchDagRun("d", run, { state: "queued" }));
      expect([await player.runState(run), await player.states(run)]).toEqual(["queued", { a: null, b: null }]);
      expect(player.hears(await world.store.startQueuedRuns())).toEqual(["a"]);
    });

    test("a run keeps the version it began with; the next one has the new one", async () => {
      const [first = ""] = await start(dag("a > b"));
      await save(dag("a > b > c"));
      const second = await player.trigger("d");
      expect([Object.keys(await player.states(first)), Object.keys(await player.states(second))]).toEqual([
        ["a", "b"],
        ["a", "b", "c"],
      ]);
    });

    test("a decider's choice holds when its target is cleared", async () => {
      const [run = ""] = await start(dag("pick > left, pick > right", {}, { pick: { can_skip_downstream: true } }));
      const pick = await player.claim("pick");
      player.hear(await world.store.skipDownstream(skip(pick, ["right"])));
      const choice = { key: "skipmixin_key", value: { followed: ["left"] } };
      await player.finish(pick, { kind: "success", xcoms: [choice] });
      await player.clear(run, ["right"]);
      expect(await player.states(run)).toEqual({ pick: "success", left: "queued", right: "skipped" });
    });
  });

  describe("what time brings", () => {
    const every5 = { timetable: { type: "delta" as const, seconds: 5 } };

    async function tick(seconds: number): Promise<void> {
      await world.advance(seconds * 1000);
      for (let more = true; more; ) {
        const step = await world.store.createDueRuns();
        player.hears(step);
        more = step.more;
      }
    }

    async function schedule(): Promise<{ readonly runs: string[]; readonly skipped: readonly string[] }> {
      const { runs, dags } = await world.dump();
      const time = (instant: number | null) => new Date(instant ?? 0).toISOString().slice(14, 19);
      return {
        runs: runs.map(({ logical_date, state }) => `${time(logical_date)} ${state}`),
        skipped: dags.flatMap((one) =>
          one.skipped.map((row) => row.replace(/\d{13}/g, (instant) => time(Number(instant)))),
        ),
      };
    }

    test("each tick becomes a run that starts at once", async () => {
      await save(dag("a", every5));
      await tick(5);
      await tick(5);
      expect((await schedule()).runs).toEqual(["00:00 running", "00:05 running", "00:10 running"]);
      expect(await world.store.nextDueAt()).toBe(world.clock.now() + 5000);
    });

    test("a tick waits for max_active_runs; a newer one makes it a skipped tick with that cause", async () => {
      await save(dag("a", { ...every5, max_active_runs: 1 }));
      await tick(5);
      await tick(5);
      await tick(5);
      await player.run("a");
      await tick(0);
      const cause = "max_active_runs: 1 of at most 1 runs were active";
      expect(await schedule()).toEqual({
        runs: ["00:00 success", "00:15 running"],
        skipped: [`00:05 00:10 2 ${cause}`],
      });
    });

    test("ticks of a pause are recorded when the DAG goes on", async () => {
      await save(dag("a", every5));
      await world.store.setDagPaused("d", true);
      await tick(10);
      await world.store.setDagPaused("d", false);
      await tick(0);
      expect(await schedule()).toEqual({
        runs: ["00:00 running", "00:10 running"],
        skipped: ["00:05 00:05 1 The DAG was paused"],
      });
    });
  });
});
