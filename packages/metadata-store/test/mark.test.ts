/** Marking and deleting runs and task instances by section 18 of Airflow's rules, on real Postgres. */
import type { SerializedDag } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { at, dag, group } from "@updraft/testkit/dags";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Player } from "./player.ts";

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ parallelism: 8 });
  player = new Player(world);
});
afterEach(() => world.close());

async function start(form: SerializedDag): Promise<string> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
  return player.trigger("d");
}

async function outcome(run: string) {
  return [await player.runState(run), await player.states(run)];
}

describe("a task instance", () => {
  test("marked as success: what failed below it is cleared and its run queued again", async () => {
    const run = await start(dag("a > b"));
    await player.run("a", player.failure());
    expect(await outcome(run)).toEqual(["failed", { a: "failed", b: "upstream_failed" }]);
    await player.mark(run, { task_ids: ["a"] });
    expect(await outcome(run)).toEqual(["queued", { a: "success", b: null }]);
    player.hears(await world.store.startQueuedRuns());
    await player.run("b");
    expect(await outcome(run)).toEqual(["success", { a: "success", b: "success" }]);
  });

  test("marked while nothing below it failed leaves the run as it is", async () => {
    const run = await start(dag("a > b"));
    for (const id of ["a", "b"]) await player.run(id);
    await player.mark(run, { task_ids: ["b"], state: "failed" });
    expect(await outcome(run)).toEqual(["success", { a: "success", b: "failed" }]);
  });

  test("marked while it runs ends its process by the next heartbeat, and its successors go on", async () => {
    const run = await start(dag("a > b"));
    const claim = await player.claim("a");
    await player.mark(run, { task_ids: ["a"] });
    const beat = { ti_id: claim.ti_id, try_number: 1, hostname: "host", pid: 1 };
    expect(await world.store.heartbeat(beat)).toBe("not_running");
    expect(await world.store.finishTry(player.finishRequest(claim, player.failure()))).toMatchObject({
      kind: "rejected",
      state: "success",
    });
    await player.run("b");
    expect(await outcome(run)).toEqual(["success", { a: "success", b: "success" }]);
    await player.expectNoSlotsInUse();
  });

  test("marked as skipped skips what depends on it", async () => {
    const run = await start(dag("a > b"));
    await player.mark(run, { task_ids: ["a"], state: "skipped" });
    expect(await outcome(run)).toEqual(["success", { a: "skipped", b: "skipped" }]);
  });

  test("directions mark its neighbours, past and future the same task in other runs", async () => {
    const form = dag("a > b > c");
    await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
    const runs: string[] = [];
    for (const day of [1, 2, 3]) {
      const logical_date = at(`2026-03-0${day}T00:00:00Z`);
      const result = await world.store.triggerDagRun(triggerRequest("d", { logical_date }));
      if (result.kind === "created") runs.push(result.dag_run.run_id);
    }
    const [first = "", second = "", third = ""] = runs;
    await player.mark(second, { task_ids: ["b"], include_upstream: true, include_past: true });
    expect(await player.states(first)).toEqual({ a: "success", b: "success", c: "queued" });
    expect(await player.states(second)).toEqual({ a: "success", b: "success", c: "queued" });
    expect(await player.states(third)).toEqual({ a: "queued", b: null, c: null });
    await player.mark(second, { task_ids: ["b"], include_downstream: true, include_future: true, state: "failed" });
    expect(await player.states(first)).toEqual({ a: "success", b: "success", c: "queued" });
    expect(await outcome(third)).toEqual(["running", { a: "queued", b: "failed", c: "failed" }]);
  });

  test("of a group: all of its tasks", async () => {
    const groups = group(null, [{ group: group("g", [{ task_id: "a" }, { task_id: "b" }]) }, { task_id: "c" }]);
    const run = await start(dag("a > b > c", { task_group: groups }));
    const preview = await player.mark(run, { task_ids: ["g"], dry_run: true });
    expect(preview.kind === "marked" && preview.task_instances.map(({ task_id }) => task_id)).toEqual(["a", "b"]);
    expect(await player.states(run)).toEqual({ a: "queued", b: null, c: null });
    await player.mark(run, { task_ids: ["g"] });
    expect(await player.states(run)).toEqual({ a: "success", b: "success", c: "queued" });
  });

  test("that never ran starts and ends with its mark", async () => {
    const run = await start(dag("a > b"));
    await player.mark(run, { task_ids: ["b"] });
    const row = await world.store.getTaskInstance({ dag_id: "d", run_id: run, task_id: "b", map_index: -1 });
    expect([row?.start_date, row?.end_date]).toEqual([world.clock.now(), world.clock.now()]);
  });
});

describe("a run", () => {
  const WITH_TEARDOWN = dag(
    "s > w > v > t, s > t",
    {},
    { s: { is_setup: true }, t: { is_teardown: true, trigger_rule: "all_done_setup_success" } },
  );

  test.each(["success", "failed"] as const)(
    "marked as %s: what runs takes it, what waits is skipped",
    async (state) => {
      const run = await start(dag("a > b, c > d, e"));
      await player.claim("a");
      await player.run("e");
      await player.run("c", player.failure());
      await world.store.patchDagRun("d", run, { state });
      expect(await outcome(run)).toEqual([
        state,
        { a: state, b: "skipped", c: "failed", d: "upstream_failed", e: "success" },
      ]);
      await player.expectNoSlotsInUse();
    },
  );

  test("with a teardown: it still runs, and the run ends when it did", async () => {
    const run = await start(WITH_TEARDOWN);
    await player.run("s");
    await player.claim("w");
    player.hear(await world.store.patchDagRun("d", run, { state: "failed" }));
    expect(await outcome(run)).toEqual(["running", { s: "success", w: "failed", v: "skipped", t: "queued" }]);
    await player.run("t");
    expect(await player.runState(run)).not.toBe("running");
    await player.expectNoSlotsInUse();
  });

  test("marked as queued is cleared", async () => {
    const run = await start(dag("a > b"));
    await player.run("a", player.failure());
    await world.store.patchDagRun("d", run, { state: "queued" });
    expect(await outcome(run)).toEqual(["queued", { a: null, b: null }]);
    expect(await world.store.getDagRun("d", run)).toMatchObject({ clear_number: 1 });
  });
});

describe("deleting", () => {
  test("a running run is refused, a finished one is gone with its instances", async () => {
    const run = await start(dag("a"));
    expect(await world.store.deleteDagRun("d", run)).toBe("running");
    await player.run("a");
    await world.store.deleteDagRun("d", run);
    expect(await world.store.getDagRun("d", run)).toBeNull();
    expect(await world.sql("SELECT id FROM task_instance")).toEqual([]);
    await player.expectNoSlotsInUse();
  });

  test("a queued run that was cleared while a task ran gives back what it holds", async () => {
    const run = await start(dag("a, b"));
    await player.claim("a");
    await world.store.patchDagRun("d", run, { state: "failed" });
    await player.clear(run, null);
    await world.store.deleteDagRun("d", run);
    await player.expectNoSlotsInUse();
  });

  test("an instance gives back its slot, and its successors no longer wait for it", async () => {
    const run = await start(dag("a > c, b > c"));
    await player.claim("a");
    player.hear(await world.store.deleteTaskInstance({ dag_id: "d", run_id: run, task_id: "a", map_index: -1 }));
    await player.run("b");
    await player.run("c");
    expect(await outcome(run)).toEqual(["success", { b: "success", c: "success" }]);
    await player.expectNoSlotsInUse();
  });
});
