/** Nobody waits for those who wait for something else: full pools, queued runs and limited tasks hide no other. */
import type { SerializedTask } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { dag, task } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Player } from "./player.ts";

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ parallelism: 64 });
  player = new Player(world);
  await world.sql("INSERT INTO slot_pool VALUES ('first', 20), ('second', 20)");
});
afterEach(() => world.close());

function tasks(count: number, overrides: Partial<SerializedTask>): SerializedTask[] {
  return Array.from({ length: count }, (_, n) => task({ task_id: `t${n}`, weight_rule: "absolute", ...overrides }));
}

async function save(dagId: string, own: readonly SerializedTask[], overrides = {}): Promise<void> {
  const facts = { dag_id: dagId, relative_fileloc: `${dagId}.ts`, tasks: own, is_paused_upon_creation: false };
  await world.store.saveParsedFile(parsedFile([dag("", { ...facts, max_active_tasks: 2000, ...overrides })]));
}

async function used(key: string): Promise<number> {
  return (await player.occupancy())[key] ?? 0;
}

test("a full pool of a thousand heavier tasks leaves another pool to a hundred lighter ones within a second (#45636)", async () => {
  await save("heavy", tasks(1000, { pool: "first", priority_weight: 2 }));
  await save("light", tasks(100, { pool: "second", priority_weight: 1 }));
  await player.trigger("heavy");
  const begun = performance.now();
  await player.trigger("light");
  while ((await used("pool:second")) < 20) player.hears(await world.store.enqueueScheduled());
  expect(performance.now() - begun).toBeLessThan(1000);
  expect([await used("pool:first"), await used("pool:second")]).toEqual([20, 20]);
});

test("the lighter pool goes on while the heavier tasks wait", async () => {
  await save("heavy", tasks(1000, { pool: "first", priority_weight: 2 }));
  await save("light", tasks(100, { pool: "second", priority_weight: 1 }));
  await world.store.setDagPaused("light", true);
  await player.trigger("heavy");
  await player.trigger("light");
  await world.store.setDagPaused("light", false);
  await startAll();
  expect([await used("pool:first"), await used("pool:second")]).toEqual([20, 20]);
});

test("a thousand queued runs of one DAG do not hide another's (#49508)", async () => {
  await save("many", tasks(1, {}), { max_active_runs: 1 });
  for (let n = 0; n < 1000; n += 1) await player.trigger("many");
  await save("other", tasks(1, { priority_weight: 1 }));
  await world.store.setDagPaused("other", true);
  await player.trigger("other");
  await world.store.setDagPaused("other", false);
  await startAll();
  expect(await used("runs:other")).toBe(1);
  expect(await used("task:other/t0")).toBe(1);
});

test("hundreds of tasks that wait for max_active_tis_per_dag do not hide a lighter one", async () => {
  await save("limited", tasks(1, { priority_weight: 9, max_active_tis_per_dag: 1 }), { max_active_runs: 300 });
  for (let n = 0; n < 150; n += 1) await player.trigger("limited");
  await save("other", tasks(1, { priority_weight: 1 }));
  await world.sql("UPDATE slot_pool SET slots = 1 WHERE pool = 'default_pool'");
  await player.trigger("other");
  await world.sql("UPDATE slot_pool SET slots = 10 WHERE pool = 'default_pool'");
  await startAll();
  expect([await used("task:limited/t0"), await used("task:other/t0")]).toEqual([1, 1]);
});

/** As the scheduler does: each step until it has no more. */
async function startAll(): Promise<void> {
  for (const step of ["startQueuedRuns", "enqueueScheduled"] as const) {
    for (let more = true; more; ) {
      const taken = await world.store[step]();
      player.hears(taken);
      more = taken.more;
    }
  }
}
