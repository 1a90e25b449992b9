/** What the Postgres store has and the in-memory store hasn't; store-suite.test.ts holds the rest for both. */
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

test("what a task returns reaches the tasks bound to it", async () => {
  const bound = { arg_bindings: [{ name: "n", kind: "xcom" as const, task_id: "a" }] };
  await start(dag("a > b", {}, { b: bound }));
  await player.run("a", { kind: "success", xcoms: [{ key: "return_value", value: { deep: [1, "\u0000"] } }] });
  const claim = await player.claim("b");
  expect(claim.xcom_inputs).toEqual({ a: { deep: [1, "\u0000"] } });
});

test("max_active_tasks and max_active_tis_per_dag hold, with the limit named as the cause", async () => {
  const [run = ""] = await start(dag("a, b, c", { max_active_tasks: 2 }), 1);
  expect(player.queued()).toEqual(["a", "b"]);
  const reasons = await world.store.blockingReasons({ dag_id: "d", run_id: run, task_id: "c", map_index: -1 });
  expect(reasons?.map(({ reason }) => reason)).toEqual([expect.stringContaining("max_active_tasks")]);
  await player.run("a");
  expect(player.queued()).toEqual(["b", "c"]);
});

test("the audit puts wrong counters right and names them", async () => {
  await start(dag("a"));
  await world.sql("UPDATE occupancy SET used = 7 WHERE key = 'parallelism'");
  expect((await world.store.audit()).corrected).toEqual(["parallelism was 7, is 1"]);
  expect((await world.store.audit()).corrected).toEqual([]);
});
