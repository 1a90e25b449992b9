/**
 * What a task costs in statements and in trips to Postgres. Times differ from machine to machine; these don't, and they
 * must not depend on how many tasks the run or the backlog holds.
 */
import type { SerializedDag } from "@updraft/dag-core";
import { type CountedStore, createCountedStore, parsedFile } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Player } from "./player.ts";

let world: CountedStore;
let player: Player;

beforeEach(async () => {
  world = await createCountedStore();
  player = new Player(world);
});
afterEach(() => world.close());

/** The first run of a DAG makes counters and reads the plan; the second is like every later one. */
async function secondRun(form: SerializedDag): Promise<void> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
  await player.trigger(form.dag_id);
  for (let next = player.queued()[0]; next !== undefined; next = player.queued()[0]) await player.run(next);
  await player.trigger(form.dag_id);
}

const SUCCESS = { kind: "success", xcoms: [{ key: "return_value", value: 1 }] } as const;

async function countFinish(taskId: string) {
  const claim = await player.claim(taskId);
  return world.count(() => player.finish(claim, SUCCESS));
}

test("a claim is one statement", async () => {
  await secondRun(dag("a > b"));
  expect(await world.count(() => player.claim("a"))).toEqual({ statements: 1, trips: 1 });
});

test("a finish that queues its successor is nine statements in four trips", async () => {
  await secondRun(dag("a > b > c"));
  expect(await countFinish("a")).toEqual({ statements: 9, trips: 4 });
});

test("the finish that ends a run asks for its leaves and whether anybody waits", async () => {
  await secondRun(dag("a"));
  expect(await countFinish("a")).toEqual({ statements: 10, trips: 4 });
});

test("a finish costs the same beside two hundred waiting tasks and with two hundred successors", async () => {
  const many = Array.from({ length: 200 }, (_, n) => `w${n}`);
  const wide = many.map((id) => `a > ${id}`).join(", ");
  await world.store.saveParsedFile(
    parsedFile([
      { ...dag(many.join(", "), { max_active_tasks: 1 }), dag_id: "waiting", is_paused_upon_creation: false },
    ]),
  );
  await player.trigger("waiting");
  await secondRun(dag(wide));
  expect(await countFinish("a")).toEqual({ statements: 9, trips: 4 });
});

test("an event of an asset starts its consumer at the same cost beside a hundred older events", async () => {
  const asset = { kind: "asset" as const, name: "a", uri: "a", group: "asset", extra: {} };
  const timetable = { type: "asset" as const, condition: asset, batch: false };
  const consumer = dag("c", { dag_id: "c", timetable, max_active_runs: 1000 });
  const files = [
    { ...dag("p", { dag_id: "p" }, { p: { outlets: [asset] } }), relative_fileloc: "p.ts" },
    { ...consumer, relative_fileloc: "c.ts" },
  ];
  for (const form of files) await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
  const produce = async () => {
    await player.trigger("p");
    const claim = await player.claim("p");
    return { finish: await world.count(() => player.finish(claim, SUCCESS)), start: await countTurn() };
  };
  const countTurn = () => world.count(async () => player.hears(await world.store.createAssetRuns()));
  await produce();
  const first = await produce();
  const [row] = await world.sql<{ id: number }>("SELECT id FROM asset");
  await world.store.setDagPaused("c", true);
  for (let events = 0; events < 100; events += 1)
    await world.store.createAssetEvent({ asset_id: row?.id ?? 0, extra: {}, partition_key: null });
  await world.store.setDagPaused("c", false);
  expect(await produce()).toEqual(first);
  expect(first.finish.statements).toBeLessThanOrEqual(11);
  expect(first.start.statements).toBeLessThanOrEqual(12);
});

test("fifty triggers that come together are a first one and a batch of few trips", async () => {
  await secondRun(dag("a > b"));
  for (let next = player.queued()[0]; next !== undefined; next = player.queued()[0]) await player.run(next);
  const { trips } = await world.count(() => Promise.all(Array.from({ length: 50 }, () => player.trigger("d"))));
  expect(trips).toBeLessThanOrEqual(24);
});
