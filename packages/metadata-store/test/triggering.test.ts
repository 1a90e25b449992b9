/** What a run is when somebody asks for it: its type, its identity, its data interval, its version. */
import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { at, dag, iso } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DagRunRow, TriggerRequest } from "../src/index.ts";
import { Player } from "./player.ts";

const NOON = at("2026-03-01T12:00:00Z");
const PAGE = { limit: 100, offset: 0, order_by: ["run_after"] };
const DAILY = { type: "cron", expression: "0 0 * * *", timezone: "UTC", interval: 86_400 } as const;

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ now: NOON });
  player = new Player(world);
});
afterEach(() => world.close());

async function save(overrides: Parameters<typeof dag>[1] = {}, edges = "a"): Promise<void> {
  await world.store.saveParsedFile(parsedFile([dag(edges, { is_paused_upon_creation: false, ...overrides })]));
}

async function ask(overrides: Partial<TriggerRequest> = {}): Promise<DagRunRow | string> {
  const result = await world.store.triggerDagRun(triggerRequest("d", overrides));
  if (result.kind === "rejected") return result.reason;
  player.hear(result.announcement);
  return result.dag_run;
}

test("a run tells its type and who asked for it", async () => {
  await save({ timetable: { type: "delta", seconds: 5 } });
  await world.store.createDueRuns();
  await ask();
  await ask({ run_type: "operator_triggered", triggered_by: "operator" });
  await ask({ run_type: "asset_materialization" });
  const { rows } = await world.store.listDagRuns({ dag_id: "d" }, PAGE);
  expect(rows.map(({ run_type, triggered_by }) => `${run_type} by ${triggered_by}`).toSorted()).toEqual([
    "asset_materialization by rest_api",
    "manual by rest_api",
    "operator_triggered by operator",
    "scheduled by timetable",
  ]);
});

test("run ids and logical dates are unique in a DAG, and any number of runs have no date", async () => {
  await save();
  const first = { run_id: "first", logical_date: NOON };
  expect(await ask(first)).toMatchObject(first);
  expect(await ask({ run_id: "first" })).toBe("already_exists");
  expect(await ask({ run_id: "second", logical_date: NOON })).toBe("already_exists");
  for (const run_id of ["third", "fourth"]) expect(await ask({ run_id })).toMatchObject({ run_id, logical_date: null });
  await save({ dag_id: "other", relative_fileloc: "other.ts" });
  expect(await ask({ ...first, dag_id: "other" })).toMatchObject({ dag_id: "other", ...first });
});

test("a data interval is both or none, inferred from the logical date, and none without it", async () => {
  await save({ timetable: DAILY });
  const interval = { data_interval_start: NOON - 7000, data_interval_end: NOON - 5000 };
  expect(await ask({ data_interval_start: NOON })).toBe("bad_request");
  expect(await ask({ logical_date: NOON, ...interval })).toMatchObject(interval);
  const inferred = await ask({ logical_date: NOON + 3_600_000 });
  if (typeof inferred === "string") throw new Error(inferred);
  expect([iso(inferred.data_interval_start), iso(inferred.data_interval_end)]).toEqual([
    "2026-02-28T13:00:00Z",
    "2026-03-01T13:00:00Z",
  ]);
  const none = { logical_date: null, data_interval_start: null, data_interval_end: null };
  expect(await ask()).toMatchObject({ ...none, run_after: NOON });
  expect(await ask(interval)).toMatchObject(none);
});

test("a run is created as queued with the newest version, which it keeps", async () => {
  await save();
  await world.store.setDagPaused("d", true);
  expect(await ask({ run_id: "first" })).toMatchObject({ state: "queued", start_date: null, dag_version_number: 1 });
  await save({}, "a > b");
  expect(await ask({ run_id: "second" })).toMatchObject({ state: "queued", dag_version_number: 2 });
  expect(Object.keys(await player.states("first"))).toEqual(["a"]);
});

test("conf reaches the task as it was sent", async () => {
  await save();
  await ask({ conf: { rows: { deep: [1] } } });
  expect((await player.claim("a")).dag_run.conf).toEqual({ rows: { deep: [1] } });
});

test("case 17: a run without logical date hands its tasks neither date nor interval", async () => {
  await save({ timetable: DAILY });
  await ask();
  expect((await player.claim("a")).dag_run).toMatchObject({
    logical_date: null,
    data_interval_start: null,
    data_interval_end: null,
  });
});

/** Two runs of one light task and one heavy task over two values, of which nothing fits into the pool. */
async function fillQueue(): Promise<void> {
  const expand = { kind: "product", inputs: [{ name: "x", source: { kind: "literal", value: [1, 2] } }] } as const;
  const form = dag("light, m", { is_paused_upon_creation: false }, { m: { expand, priority_weight: 9 } });
  await world.store.saveParsedFile(parsedFile([form]));
  await setSlots(0);
  await world.store.setDagPaused("d", true);
  await ask({ run_id: "later", logical_date: NOON, run_after: NOON });
  await ask({ run_id: "earlier", logical_date: NOON - 1000, run_after: NOON - 1000 });
  await world.store.setDagPaused("d", false);
  expect(player.hears(await world.store.startQueuedRuns())).toEqual([]);
}

async function setSlots(slots: number): Promise<void> {
  await world.sql("UPDATE slot_pool SET slots = $1 WHERE pool = 'default_pool'", [slots]);
}

/** Claims everything that is offered, in the order in which one slot after another is given. */
async function starts(count: number): Promise<string[]> {
  const names: string[] = [];
  for (let slots = 1; slots <= count; slots += 1) {
    await setSlots(slots);
    for (const name of player.hears(await world.store.enqueueScheduled()))
      names.push(`${(await player.claim(name)).dag_run.run_id} ${name}`);
  }
  return names;
}

test("slots go to the weightiest tasks, then to the earliest run, then to the lowest index", async () => {
  await fillQueue();
  expect(await starts(6)).toEqual([
    "earlier m[0]",
    "earlier m[1]",
    "later m[0]",
    "later m[1]",
    "earlier light",
    "later light",
  ]);
});

test("the slot that a task frees goes to its own run first, though a weightier task of another waits", async () => {
  await fillQueue();
  await setSlots(2);
  expect(player.hears(await world.store.enqueueScheduled())).toEqual(["m[0]", "m[1]"]);
  await player.run("m[0]");
  expect(player.queued()).toEqual(["light", "m[1]"]);
  expect((await player.claim("light")).dag_run.run_id).toBe("earlier");
});
