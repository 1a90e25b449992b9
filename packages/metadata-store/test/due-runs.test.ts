/** What timetables bring: every tick is a run or a recorded skipped tick. */

import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { at, dag, iso } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Player } from "./player.ts";

const NOON = at("2026-03-01T12:00:00Z");
const PAGE = { limit: 100, offset: 0, order_by: [] };

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ now: NOON + 1 });
  player = new Player(world);
});
afterEach(() => world.close());

async function save(overrides: Parameters<typeof dag>[1]): Promise<void> {
  const form = dag("a", { is_paused_upon_creation: false, timetable: { type: "delta", seconds: 5 }, ...overrides });
  await world.store.saveParsedFile(parsedFile([form]));
  await tick(0);
}

/** Moves the clock on and lets the scheduler do everything that is due. */
async function tick(seconds: number): Promise<string[]> {
  world.clock.advance(seconds * 1000);
  const queued: string[] = [];
  for (let more = true; more; ) {
    const step = await world.store.createDueRuns();
    queued.push(...player.hears(step));
    more = step.more;
  }
  return queued;
}

async function runs(): Promise<string[]> {
  const { rows } = await world.store.listDagRuns({ dag_id: "d" }, { ...PAGE, order_by: ["logical_date"] });
  return rows.map(({ logical_date, state }) => `${iso(logical_date).slice(11)} ${state}`);
}

async function skipped(): Promise<string[]> {
  const { rows } = await world.store.skippedTicks("d", PAGE);
  return rows.map(
    ({ first_tick, last_tick, count, cause }) =>
      `${iso(first_tick).slice(11)}..${iso(last_tick).slice(11)} ${count} ${cause}`,
  );
}

test("each tick becomes a run that starts at once", async () => {
  await save({});
  expect(await tick(5)).toEqual(["a"]);
  expect(await tick(5)).toEqual(["a"]);
  expect(await runs()).toEqual(["12:00:00Z running", "12:00:05Z running", "12:00:10Z running"]);
  expect(await world.store.nextDueAt()).toBe(NOON + 15_000);
});

test("ticks that nobody looked at are recorded, and only the newest becomes a run", async () => {
  await save({});
  await tick(5);
  await tick(20);
  expect(await runs()).toEqual(["12:00:00Z running", "12:00:05Z running", "12:00:25Z running"]);
  expect(await skipped()).toEqual([expect.stringMatching(/^12:00:10Z\.\.12:00:20Z 3 No scheduler/)]);
});

test("with catchup every tick becomes a run", async () => {
  await save({ catchup: true, start_date: NOON - 10_000 });
  expect(await runs()).toEqual(["11:59:50Z running", "11:59:55Z running", "12:00:00Z running"]);
});

test("a tick waits for max_active_runs; a newer one makes it a skipped tick with that cause", async () => {
  await save({ max_active_runs: 1 });
  expect(await tick(5)).toEqual([]);
  expect(await skipped()).toEqual([]);
  await tick(5);
  expect(await skipped()).toEqual([expect.stringMatching(/^12:00:05Z\.\.12:00:05Z 1 max_active_runs: 1 of at most 1/)]);
  await tick(5);
  await player.run("a");
  expect(await tick(0)).toEqual(["a"]);
  expect(await runs()).toEqual(["12:00:00Z success", "12:00:15Z running"]);
  expect(await skipped()).toEqual([expect.stringMatching(/^12:00:05Z\.\.12:00:10Z 2 max_active_runs/)]);
});

test("ticks of a pause are recorded when the DAG goes on", async () => {
  await save({});
  await tick(5);
  await world.store.setDagPaused("d", true);
  expect(await tick(10)).toEqual([]);
  await world.store.setDagPaused("d", false);
  expect(await tick(0)).toEqual(["a"]);
  expect(await runs()).toEqual(["12:00:00Z running", "12:00:05Z running", "12:00:15Z running"]);
  expect(await skipped()).toEqual(["12:00:10Z..12:00:10Z 1 The DAG was paused"]);
});

test("@once runs once, @continuous again as soon as its run ended", async () => {
  await save({ timetable: { type: "once" } });
  expect(await runs()).toHaveLength(1);
  expect(await tick(60)).toEqual([]);
  await world.store.saveParsedFile(
    parsedFile(
      [
        dag("a", {
          dag_id: "c",
          is_paused_upon_creation: false,
          timetable: { type: "continuous" },
          max_active_runs: 1,
        }),
      ],
      {
        relative_fileloc: "c.ts",
      },
    ),
  );
  await player.run("a");
  expect(await tick(1)).toEqual(["a"]);
  expect(await tick(1)).toEqual([]);
  await player.run("a");
  expect(await tick(1)).toEqual(["a"]);
});

test("a delta counted from the last run keeps its beat, and an event runs though it is past when it is looked at", async () => {
  await save({ timetable: { type: "delta_trigger", step: { months: 0, seconds: 5 } } });
  await tick(5.003);
  await tick(5);
  expect(await runs()).toEqual(["12:00:00.001Z running", "12:00:05.001Z running", "12:00:10.001Z running"]);
  await save({ timetable: { type: "events", dates: [NOON + 20_000, NOON + 30_000], restrict_to_events: false } });
  await tick(9.998);
  await tick(20);
  expect((await runs()).slice(3)).toEqual(["12:00:20Z running", "12:00:30Z running"]);
  expect(await world.store.nextDueAt()).toBeNull();
});

test("data intervals run when they are over; missed ones are recorded by their start", async () => {
  await save({ timetable: { type: "cron_data_interval", expression: "* * * * *", timezone: "UTC" } });
  await tick(60);
  await tick(180);
  expect(await runs()).toEqual(["11:59:00Z running", "12:00:00Z running", "12:03:00Z running"]);
  expect(await skipped()).toEqual([expect.stringMatching(/^12:01:00Z\.\.12:02:00Z 2 No scheduler/)]);
});

test("the schedule starts with the earliest start of DAG and tasks, and ends with the last of its tasks", async () => {
  const form = dag(
    "a, b",
    {
      is_paused_upon_creation: false,
      timetable: { type: "delta", seconds: 5 },
      catchup: true,
      start_date: NOON - 10_000,
    },
    { a: { start_date: NOON - 20_000, end_date: NOON - 15_000 }, b: { end_date: NOON - 5000 } },
  );
  await world.store.saveParsedFile(parsedFile([form]));
  await tick(60);
  expect((await runs()).map((run) => run.slice(0, 8))).toEqual(["11:59:40", "11:59:45", "11:59:50", "11:59:55"]);
});

test("the schedule goes on where one task has no end, and the DAG's own end counts before those of tasks", async () => {
  const form = (dag_id: string, end_date: number | null) =>
    dag(
      "a, b",
      { dag_id, is_paused_upon_creation: false, timetable: { type: "delta", seconds: 5 }, catchup: true, end_date },
      { a: { start_date: NOON - 10_000, end_date: NOON - 10_000 } },
    );
  await world.store.saveParsedFile(parsedFile([form("d", null), form("ends", NOON - 5000)]));
  await tick(0);
  expect((await runs()).map((run) => run.slice(0, 8))).toEqual(["11:59:50", "11:59:55", "12:00:00"]);
  const { rows } = await world.store.listDagRuns({ dag_id: "ends" }, { ...PAGE, order_by: ["logical_date"] });
  expect(rows.map(({ logical_date }) => iso(logical_date).slice(11, 19))).toEqual(["11:59:50", "11:59:55"]);
});

test("catch-up without a start date begins with the tick of now", async () => {
  await save({ catchup: true });
  await tick(5);
  expect(await runs()).toEqual(["12:00:00Z running", "12:00:05Z running"]);
});
