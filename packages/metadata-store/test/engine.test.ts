/** The way of a task through the store, on real Postgres. */
import type { SerializedDag } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Player } from "./player.ts";

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ parallelism: 8 });
  player = new Player(world);
});
afterEach(() => world.close());

async function start(form: SerializedDag, triggers = 1): Promise<string[]> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
  const runs: string[] = [];
  for (let n = 0; n < triggers; n += 1) runs.push(await player.trigger(form.dag_id));
  return runs;
}

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

test("what a task returns reaches the tasks bound to it", async () => {
  const bound = { arg_bindings: [{ name: "n", kind: "xcom" as const, task_id: "a" }] };
  await start(dag("a > b", {}, { b: bound }));
  await player.run("a", { kind: "success", xcoms: [{ key: "return_value", value: { deep: [1, "\u0000"] } }] });
  const claim = await player.claim("b");
  expect(claim.xcom_inputs).toEqual({ a: { deep: [1, "\u0000"] } });
});

test("a failure marks everything below as upstream_failed and ends the run", async () => {
  const [run = ""] = await start(dag("a > b > c, a > d"));
  await player.run("a", player.failure());
  expect(await player.states(run)).toEqual({
    a: "failed",
    b: "upstream_failed",
    c: "upstream_failed",
    d: "upstream_failed",
  });
  expect(await player.runState(run)).toBe("failed");
  await player.expectNoSlotsInUse();
});

test("a skip cascades, and a join with none_failed_min_one_success still runs", async () => {
  const [run = ""] = await start(
    dag("pick > left > join, pick > right > join", {}, { join: { trigger_rule: "none_failed_min_one_success" } }),
  );
  const pick = await player.claim("pick");
  player.hear(await world.store.skipDownstream({ ti_id: pick.ti_id, task_ids: ["right"] }));
  await player.finish(pick, { kind: "success", xcoms: [] });
  await player.run("left");
  await player.run("join");
  expect(await player.states(run)).toEqual({ pick: "success", left: "success", right: "skipped", join: "success" });
});

test("a retry waits for its delay, then is a new try; the old one stays in the history", async () => {
  const [run = ""] = await start(dag("a", {}, { a: { retries: 1, retry_delay: 60 } }));
  await player.run("a", player.failure());
  expect(await player.states(run)).toEqual({ a: "up_for_retry" });
  expect(player.hears(await world.store.startDueRetries())).toEqual([]);
  world.clock.advance(60_000);
  expect(player.hears(await world.store.startDueRetries())).toEqual(["a"]);
  const second = await player.claim("a");
  expect([second.try_number, second.max_tries, second.should_retry]).toEqual([2, 1, false]);
  await player.finish(second, player.failure());
  expect(await player.runState(run)).toBe("failed");
  const tries = await world.store.listTries({ dag_id: "d", run_id: run, task_id: "a", map_index: -1 });
  expect(tries.map(({ try_number, state }) => `${try_number} ${state}`)).toEqual(["1 up_for_retry", "2 failed"]);
});

test("a second claim by another process is refused; one by the same process is answered again", async () => {
  await start(dag("a"));
  const first = await player.claim("a");
  const again = await world.store.claimTry(player.claimRequest(first.ti_id, 1));
  const other = await world.store.claimTry({ ...player.claimRequest(first.ti_id, 1), pid: 99 });
  expect([again.kind, other]).toEqual(["claimed", { kind: "rejected", reason: "invalid_state", state: "running" }]);
});

test("reporting the same end twice is harmless, and another end is refused", async () => {
  await start(dag("a > b"));
  const claim = await player.claim("a");
  await player.finish(claim, { kind: "success", xcoms: [] });
  const request = player.finishRequest(claim, { kind: "success", xcoms: [] });
  expect(await world.store.finishTry(request)).toMatchObject({ kind: "repeated" });
  expect(await world.store.finishTry({ ...request, outcome: player.failure() })).toMatchObject({ kind: "rejected" });
});

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

test("max_active_tasks and max_active_tis_per_dag hold, with the limit named as the cause", async () => {
  const [run = ""] = await start(dag("a, b, c", { max_active_tasks: 2 }), 1);
  expect(player.queued()).toEqual(["a", "b"]);
  const reasons = await world.store.blockingReasons({ dag_id: "d", run_id: run, task_id: "c", map_index: -1 });
  expect(reasons?.map(({ reason }) => reason)).toEqual([expect.stringContaining("max_active_tasks")]);
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
  await player.finish(claim, { kind: "success", xcoms: [] });
  expect(await player.states(run)).toEqual({ a: "success", b: "scheduled" });
  expect(player.hears(await world.store.enqueueScheduled())).toEqual([]);
  await world.store.setDagPaused("d", false);
  expect(player.hears(await world.store.enqueueScheduled())).toEqual(["b"]);
});

test("a try without a heartbeat for a lease ends as lost and is retried", async () => {
  const [run = ""] = await start(dag("a", {}, { a: { retries: 1, retry_delay: 0 } }));
  const claim = await player.claim("a");
  expect((await world.store.rescueLost(10)).announcement.task_instances).toEqual([]);
  await world.sql("UPDATE task_instance SET last_heartbeat_at = now() - interval '11 seconds'");
  await world.store.rescueLost(10);
  expect(await player.states(run)).toEqual({ a: "up_for_retry" });
  const beat = { ti_id: claim.ti_id, try_number: 1, hostname: "host", pid: 1 };
  expect(await world.store.heartbeat(beat)).toBe("not_running");
  expect(player.hears(await world.store.startDueRetries())).toEqual(["a"]);
});

test("dagrun_timeout skips what is unfinished and fails the run", async () => {
  const [run = ""] = await start(dag("a > b", { dagrun_timeout: 5 }));
  await player.claim("a");
  world.clock.advance(5001);
  await world.store.timeOutRuns();
  expect([await player.runState(run), await player.states(run)]).toEqual(["failed", { a: "skipped", b: "skipped" }]);
  await player.expectNoSlotsInUse();
});

test("clearing a finished task runs it and its successors again", async () => {
  const [run = ""] = await start(dag("a > b"));
  await player.run("a");
  await player.run("b", player.failure());
  const cleared = await player.clear(run, ["b"]);
  expect(cleared).toEqual(["b"]);
  expect(await player.runState(run)).toBe("queued");
  expect(player.hears(await world.store.startQueuedRuns())).toEqual(["b"]);
  await player.run("b");
  expect(await player.runState(run)).toBe("success");
  const tries = await world.store.listTries({ dag_id: "d", run_id: run, task_id: "b", map_index: -1 });
  expect(tries.map(({ try_number, state }) => `${try_number} ${state}`)).toEqual(["1 failed", "2 success"]);
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
  const marked = await world.store.markTaskInstances({
    dag_id: "d",
    run_id: run,
    task_ids: ["a"],
    map_index: -1,
    state: "success",
  });
  player.hear(marked);
  player.hears(await world.store.startQueuedRuns());
  await player.run("b");
  expect([await player.runState(run), await player.states(run)]).toEqual(["success", { a: "success", b: "success" }]);
});

test("marking a run as failed ends everything in it", async () => {
  const [run = ""] = await start(dag("a > b"));
  await player.claim("a");
  await world.store.patchDagRun("d", run, { state: "failed" });
  expect([await player.runState(run), await player.states(run)]).toEqual(["failed", { a: "failed", b: "skipped" }]);
  await player.expectNoSlotsInUse();
});

test("a lost message is offered again only while a worker has a free slot", async () => {
  await start(dag("a"));
  world.clock.advance(60_000);
  const limits = { offer_after_seconds: 5, queued_timeout_seconds: 600 };
  expect(player.hears(await world.store.offerAgain(limits))).toEqual([]);
  await player.reportWorker(0);
  const { announcement } = await world.store.offerAgain(limits);
  expect(announcement.queued.map(({ offer_number }) => offer_number)).toEqual([2]);
});

test("the audit puts wrong counters right and names them", async () => {
  await start(dag("a"));
  await world.sql("UPDATE occupancy SET used = 7 WHERE key = 'parallelism'");
  expect((await world.store.audit()).corrected).toEqual(["parallelism was 7, is 1"]);
  expect((await world.store.audit()).corrected).toEqual([]);
});
