/** Why a task instance does not run, from what Postgres holds. */
import type { SerializedDag } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Player } from "./player.ts";

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ parallelism: 4 });
  player = new Player(world);
});
afterEach(() => world.close());

async function start(form: SerializedDag, paused = false): Promise<string> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: paused }]));
  return player.trigger("d");
}

async function why(run: string, taskId: string): Promise<string[]> {
  const reasons = await world.store.blockingReasons({ dag_id: "d", run_id: run, task_id: taskId, map_index: -1 });
  return (reasons ?? []).map(({ name, reason }) => `${name}: ${reason}`);
}

test("upstream tasks that are open, with their states", async () => {
  const run = await start(dag("a > c, b > c"));
  await player.run("a");
  expect(await why(run, "c")).toEqual([
    "Trigger Rule: Trigger rule all_success: 1 of 2 upstream tasks have ended, and waits for b (queued).",
  ]);
});

test("a full pool, and who holds its slots", async () => {
  await world.store.savePool({ name: "db", slots: 1, description: null, include_deferred: false }, "create");
  const run = await start(dag("a, b", {}, { a: { pool: "db" }, b: { pool: "db" } }));
  expect(await why(run, "b")).toEqual([
    `Pool Slots Available: Pool 'db' has 0 of 1 slots free and 1 is needed, held by d.${run}.a (queued).`,
  ]);
});

test("limits of installation, run and task, each with its holders", async () => {
  const run = await start(dag("a, b", { max_active_tasks: 1 }, { b: { max_active_tis_per_dag: 1 } }));
  expect((await why(run, "b")).map((text) => text.replaceAll(run, "R"))).toEqual([
    "Max Active Tasks: 1 of at most 1 tasks of this run are queued or running (max_active_tasks), held by d.R.a (queued).",
  ]);
  const form = dag("a, b, c, e, f");
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
  const second = await player.trigger("d");
  expect((await why(second, "f")).join()).toContain("Parallelism: 4 of at most 4 tasks");
});

test("a run that waits for max_active_runs, and the run that holds the place", async () => {
  const first = await start(dag("a", { max_active_runs: 1 }));
  const second = await player.trigger("d");
  expect(await why(second, "a")).toEqual([
    `Max Active Runs: 1 of at most 1 runs of this DAG are running, held by ${first}.`,
  ]);
});

test("a paused DAG, a stale DAG, a run of later", async () => {
  const run = await start(dag("a"), true);
  expect(await why(run, "a")).toEqual(["Dag Paused: The DAG is paused; unpause it to let its tasks run."]);
  await world.store.removeFilesExcept("dags-folder", []);
  expect((await why(run, "a")).map((text) => text.split(":")[0])).toEqual(["Dag Paused", "Dag Stale"]);
});

test("no worker, all busy, offered to a free one", async () => {
  const run = await start(dag("a"));
  expect((await why(run, "a")).join()).toContain("No live worker listens to queue 'default'. It was offered once");
  await player.reportWorker(4);
  expect((await why(run, "a")).join()).toContain("All 1 workers of queue 'default' are busy");
  await player.reportWorker(0);
  expect((await why(run, "a")).join()).toContain("one of 1 free workers");
});

test("a retry that is not due, an end, and an instance that is not there", async () => {
  const run = await start(dag("a, b", {}, { a: { retries: 1, retry_delay: 60 } }));
  await player.run("a", player.failure());
  await player.run("b");
  expect((await why(run, "a")).join()).toContain("Not In Retry Period: The next try starts after");
  expect((await why(run, "b")).join()).toContain("Task is in the 'success' state.");
  const address = { dag_id: "d", run_id: run, task_id: "none", map_index: -1 };
  expect(await world.store.blockingReasons(address)).toBeNull();
});
