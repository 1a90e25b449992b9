/** A draining DAG makes no scheduled runs any more, and is paused when its last run has ended. */
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { at, dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Player } from "./player.ts";

const NOON = at("2026-03-01T12:00:00Z");
const PAGE = { limit: 100, offset: 0, order_by: [] };

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ now: NOON });
  player = new Player(world);
  const timetable = { type: "delta" as const, seconds: 5 };
  await world.store.saveParsedFile(parsedFile([dag("a", { is_paused_upon_creation: false, timetable })]));
  await due();
});
afterEach(() => world.close());

async function due(): Promise<void> {
  for (let more = true; more; ) {
    const step = await world.store.createDueRuns();
    player.hears(step);
    more = step.more;
  }
  await world.store.pauseDrained();
}

async function isPaused(): Promise<boolean | undefined> {
  return (await world.store.getDag("d"))?.row.is_paused;
}

async function runCount(): Promise<number> {
  return (await world.store.listDagRuns({ dag_id: "d" }, PAGE)).total_entries;
}

test("no tick becomes a run, runs by hand still do, and the DAG is paused when the last one ended", async () => {
  await world.store.setDagDraining("d", true);
  expect(await world.store.nextDueAt()).toBeNull();
  world.clock.advance(10_000);
  await due();
  expect(await runCount()).toBe(1);
  await player.trigger("d");
  await player.run("a");
  await due();
  expect(await isPaused()).toBe(false);
  await player.run("a");
  await due();
  expect(await isPaused()).toBe(true);
  await world.store.setDagPaused("d", false);
  await due();
  expect(await runCount()).toBe(3);
});

test("an idle DAG is paused at once, and draining may be taken back while runs are left", async () => {
  await world.store.setDagDraining("d", true);
  world.clock.advance(10_000);
  await world.store.setDagDraining("d", false);
  await due();
  expect(await runCount()).toBe(2);
  const { rows } = await world.store.skippedTicks("d", PAGE);
  expect(rows).toEqual([expect.objectContaining({ cause: "The DAG was draining", count: 1 })]);
  await player.run("a");
  await player.run("a");
  await world.store.setDagDraining("d", true);
  await due();
  expect(await isPaused()).toBe(true);
  expect(await world.store.setDagDraining("nobody", true)).toBeNull();
});
