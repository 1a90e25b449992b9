/** Pools as people change them, and what that does to tasks that wait. */
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

async function start(form: SerializedDag): Promise<string> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
  return player.trigger("d");
}

function save(slots: number, mode: "create" | "update" = "create", include_deferred = false) {
  return world.store.savePool({ name: "db", slots, description: "the database", include_deferred }, mode);
}

async function pool() {
  return (await world.store.listPools()).find(({ name }) => name === "db");
}

const IN_POOL = { a: { pool: "db" }, b: { pool: "db", pool_slots: 2 }, c: { pool: "db" } };

test("slots count by state, and by what each task takes", async () => {
  await save(3);
  await start(dag("a, b, c", {}, IN_POOL));
  await player.claim("a");
  expect(await pool()).toEqual({
    ...{ name: "db", slots: 3, description: "the database", include_deferred: false },
    ...{ occupied: 3, queued: 2, scheduled: 1, deferred: 0 },
  });
});

test("more slots let what waits run; fewer stop nothing that runs", async () => {
  await save(1);
  await start(dag("a, b, c", {}, IN_POOL));
  expect(player.queued()).toEqual(["a"]);
  expect(await save(4, "update")).toMatchObject({ wake_scheduler: true });
  player.hears(await world.store.enqueueScheduled());
  expect(player.queued()).toEqual(["a", "b", "c"]);
  await save(1, "update");
  for (const id of ["a", "b", "c"]) await player.run(id);
  await player.expectNoSlotsInUse();
});

test("a task of a pool that is not there waits until somebody makes it", async () => {
  const run = await start(dag("a", {}, IN_POOL));
  expect(player.queued()).toEqual([]);
  expect(await player.states(run)).toEqual({ a: "scheduled" });
  await save(1);
  expect(player.hears(await world.store.enqueueScheduled())).toEqual(["a"]);
});

test("a task that asks for more slots than there are never starts", async () => {
  await save(1);
  const run = await start(dag("b", {}, IN_POOL));
  expect(player.hears(await world.store.enqueueScheduled())).toEqual([]);
  expect(await player.states(run)).toEqual({ b: "scheduled" });
});

test("-1 is without limit", async () => {
  await save(-1);
  await start(dag("a, b, c", {}, IN_POOL));
  expect(player.queued()).toEqual(["a", "b", "c"]);
});

test("when deferred tasks begin to count, those that are deferred do at once", async () => {
  await save(2);
  await start(dag("a", {}, IN_POOL));
  const claim = await player.claim("a");
  await player.finish(claim, {
    kind: "deferred",
    classpath: "some.Trigger",
    kwargs: {},
    next_method: "go_on",
    next_kwargs: {},
    timeout_seconds: null,
    queue: null,
  });
  expect(await pool()).toMatchObject({ occupied: 0, deferred: 1 });
  await save(2, "update", true);
  expect(await pool()).toMatchObject({ occupied: 1, deferred: 1 });
  expect((await world.store.audit()).corrected).toEqual([]);
});

test("the default pool can't be deleted; a pool is made once", async () => {
  expect(await world.store.deletePool("default_pool")).toBe("default");
  expect([await save(1), await save(2)].map((one) => one === null)).toEqual([false, true]);
  expect([await world.store.deletePool("db"), await world.store.deletePool("db")]).toEqual(["deleted", "not_found"]);
});
