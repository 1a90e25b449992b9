/** Task groups and runs that run again as a whole, on real Postgres. */
import type { SerializedDag } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { dag, group } from "@updraft/testkit/dags";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Player } from "./player.ts";

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore();
  player = new Player(world);
});
afterEach(() => world.close());

async function start(form: SerializedDag): Promise<string> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
  return player.trigger(form.dag_id);
}

async function look(): Promise<string[]> {
  return player.hears(await world.store.lookAtRuns());
}

async function runCause(): Promise<string> {
  const [row] = await world.sql<{ cause: string }>("SELECT cause FROM dag_run");
  return row?.cause ?? "";
}

/** `a > b` in a group with two retries after 60 s, then `after` and a handler of failures. */
function grouped(retries = 2): SerializedDag {
  const members = [{ task_id: "a" }, { task_id: "b" }, { task_id: "c" }];
  return dag(
    "a > b > after, b > handle, c > after",
    { task_group: group(null, [{ group: group("g", members, { retries, retry_delay: 60 }) }, { task_id: "after" }]) },
    { handle: { trigger_rule: "one_failed" } },
  );
}

describe("a task group with retries", () => {
  test("runs again as a whole once its other tasks have ended, and nothing outside hears of the failure", async () => {
    const run = await start(grouped());
    await player.run("a");
    await player.run("b", player.failure());
    expect([await player.states(run), player.queued()]).toEqual([
      { a: "success", b: "failed", c: "queued", after: null, handle: null },
      ["c"],
    ]);
    await player.run("c");
    expect(await runCause()).toMatch(/^Task group g failed at b; retry 1 of 2 starts after /);
    expect([await look(), await player.runState(run)]).toEqual([[], "running"]);

    world.clock.advance(60_000);
    expect(await look()).toEqual(["a", "c"]);
    expect(await runCause()).toBe("Retry 1 of 2 of task group g");
    await player.run("c");
    await player.run("a");
    await player.run("b");
    await player.run("after");
    expect([await player.runState(run), await player.states(run)]).toEqual([
      "success",
      { a: "success", b: "success", c: "success", after: "success", handle: "skipped" },
    ]);
    await player.expectNoSlotsInUse();
  });

  test("fails as any other when its retries are used up", async () => {
    const run = await start(grouped(1));
    for (const lastTry of [false, true]) {
      await player.run("c");
      await player.run("a", player.failure());
      if (lastTry) continue;
      expect((await player.states(run)).after).toBe(null);
      world.clock.advance(60_000);
      await look();
    }
    expect(await player.states(run)).toMatchObject({
      b: "upstream_failed",
      after: "upstream_failed",
      handle: "queued",
    });
    await player.run("handle");
    expect(await player.runState(run)).toBe("failed");
  });

  test("waits for the retries of its tasks first", async () => {
    const form = grouped(1);
    const tasks = form.tasks.map((task) => ({ ...task, retries: 1, retry_delay: 0 }));
    const run = await start({ ...form, tasks });
    await player.run("c");
    await player.run("a", player.failure());
    expect((await player.states(run)).a).toBe("up_for_retry");
    player.hears(await world.store.startDueRetries());
    await player.run("a", player.failure());
    world.clock.advance(60_000);
    expect(await look()).toEqual(["a", "c"]);
    expect((await player.claim("a")).max_tries).toBe(3);
  });

  test("the inner group of two runs again first, then the outer one with all inner retries again", async () => {
    const inner = group("o.i", [{ task_id: "x" }], { retries: 1, retry_delay: 0 });
    const outer = group("o", [{ task_id: "w" }, { group: inner }], { retries: 1, retry_delay: 0 });
    const run = await start(dag("w > x", { task_group: group(null, [{ group: outer }]) }));
    await player.run("w");
    const heard: string[][] = [];
    for (let failure = 0; failure < 4; failure += 1) {
      await player.run("x", player.failure());
      heard.push(await look());
      if (player.queued().includes("w")) await player.run("w");
    }
    expect([heard, await player.runState(run)]).toEqual([[["x"], ["w"], ["x"], []], "failed"]);
  });

  test("says to whoever asks why that it waits for its retry, and why others wait for it", async () => {
    const run = await start(grouped());
    await player.run("c");
    await player.run("a", player.failure());
    const reasonsOf = async (task_id: string) =>
      (await world.store.blockingReasons({ dag_id: "d", run_id: run, task_id, map_index: -1 }))?.map(
        ({ reason }) => reason,
      );
    expect(await reasonsOf("a")).toEqual([
      expect.stringContaining("Task is in the 'failed' state"),
      expect.stringMatching(/^Task group g failed at a; retry 1 of 2 starts after /),
    ]);
    expect(await reasonsOf("after")).toContainEqual(expect.stringContaining("Task group g failed and runs again"));
  });

  test("a task that is marked as a success ends the wait of those outside", async () => {
    const run = await start(grouped());
    await player.run("a", player.failure());
    await player.mark(run, { task_ids: ["a"] });
    await player.run("b");
    await player.run("c");
    await look();
    expect(player.queued()).toEqual(["after"]);
  });

  test("clearing it by hand forgets the wait and its count", async () => {
    const run = await start(grouped(1));
    await player.run("c");
    await player.run("a", player.failure());
    await player.clear(run, ["a", "b"]);
    expect(await world.sql("SELECT retries FROM dag_run")).toEqual([{ retries: null }]);
    world.clock.advance(60_000);
    await look();
    await player.run("a");
    expect(player.queued()).toEqual(["b"]);
  });
});

describe("a DAG with retries", () => {
  test("runs again from what failed; what succeeded keeps its results", async () => {
    const run = await start(dag("a > b > c", { retries: 1, retry_delay: 30 }));
    await player.run("a", { kind: "success", xcoms: [{ key: "return_value", value: 7 }] });
    await player.run("b", player.failure());
    expect(await player.runState(run)).toBe("running");
    expect(await runCause()).toMatch(/^Failed; retry 1 of 1 starts after /);
    expect((await world.store.audit()).corrected).toEqual([]);
    world.clock.advance(30_000);
    expect(await look()).toEqual(["b"]);
    expect(await player.states(run)).toEqual({ a: "success", b: "queued", c: null });
    expect(await world.sql("SELECT value FROM xcom")).toEqual([{ value: 7 }]);
    await player.run("b", player.failure());
    expect([await player.runState(run), await player.states(run)]).toEqual([
      "failed",
      { a: "success", b: "failed", c: "upstream_failed" },
    ]);
  });

  test("runs what was skipped after a failure, and the setups and teardowns of what failed", async () => {
    const form = dag(
      "s > w > t, s > t, w > j",
      { retries: 1, retry_delay: 0 },
      {
        s: { is_setup: true },
        t: { is_teardown: true, trigger_rule: "all_done_setup_success" },
        j: { trigger_rule: "one_success" },
      },
    );
    const run = await start(form);
    await player.run("s");
    await player.run("w", player.failure());
    await player.run("t");
    expect(await look()).toEqual(["s"]);
    for (const id of ["s", "w", "t", "j"]) await player.run(id);
    expect(await player.runState(run)).toBe("success");
  });
});
