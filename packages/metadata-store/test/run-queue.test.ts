/** Which runs are created and started, and that nobody's backlog hides somebody else's work. */
import type { SerializedDag } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { at, dag, iso } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Player } from "./player.ts";

const NOON = at("2026-03-01T12:00:00Z");
const PAGE = { limit: 1000, offset: 0, order_by: ["run_after"] };

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ now: NOON + 1 });
  player = new Player(world);
});
afterEach(() => world.close());

async function save(id: string, overrides: Partial<SerializedDag> = {}): Promise<void> {
  const form = dag("a", { dag_id: id, relative_fileloc: `${id}.ts`, is_paused_upon_creation: false, ...overrides });
  await world.store.saveParsedFile(parsedFile([form]));
}

async function due(): Promise<void> {
  for (let more = true; more; ) more = (await world.store.createDueRuns()).more;
}

async function states(id: string): Promise<string[]> {
  const { rows } = await world.store.listDagRuns({ dag_id: id }, PAGE);
  return rows.map(({ run_after, state }) => `${iso(run_after).slice(11, 19)} ${state}`);
}

test("a thousand queued runs of one DAG hide neither another's nor a backfill", async () => {
  await save("busy", { max_active_runs: 1 });
  await save("other", { timetable: { type: "cron", expression: "0 0 * * *", timezone: "UTC" } });
  await world.store.setDagPaused("busy", true);
  await world.store.setDagPaused("other", true);
  await Promise.all(Array.from({ length: 1000 }, () => player.trigger("busy")));
  world.clock.advance(1000);
  await player.trigger("other");
  await world.store.createBackfill({
    dag_id: "other",
    from_date: NOON - 86_400_000,
    to_date: NOON,
    run_backwards: false,
    reprocess_behavior: "none",
    max_active_runs: 10,
    dag_run_conf: null,
    run_on_latest_version: null,
    triggering_user_name: null,
  });
  await world.store.setDagPaused("busy", false);
  await world.store.setDagPaused("other", false);
  const step = await world.store.startQueuedRuns();
  const started = step.announcement.dag_runs.filter(({ state }) => state === "running");
  expect(started.map(({ dag_id, run_type }) => `${dag_id} ${run_type}`).sort()).toEqual([
    "busy manual",
    "other backfill",
    "other manual",
  ]);
});

test("DAGs with fewer running runs start theirs first, and each its oldest", async () => {
  for (const id of ["one", "two"]) await save(id, { max_active_runs: 40 });
  for (let n = 0; n < 30; n += 1) await player.trigger("one");
  for (const id of ["one", "two"]) await world.store.setDagPaused(id, true);
  for (const id of ["one", "two"]) await world.store.triggerDagRun(triggerRequest(id, { run_after: NOON }));
  for (const id of ["one", "two"]) await world.store.setDagPaused(id, false);
  const { announcement } = await world.store.startQueuedRuns();
  const started = announcement.dag_runs.filter(({ state }) => state === "running");
  expect(started.map(({ dag_id }) => dag_id)).toEqual(["two", "one"]);
});

test("a DAG that is gone from its file starts nothing", async () => {
  await save("d");
  await world.store.setDagPaused("d", true);
  await player.trigger("d");
  await world.store.setDagPaused("d", false);
  await world.store.removeFilesExcept("dags-folder", []);
  expect(player.hears(await world.store.startQueuedRuns())).toEqual([]);
});

test("a run whose time has not come waits for it, and wakes the scheduler exactly then", async () => {
  await save("d");
  await due();
  await world.store.triggerDagRun(triggerRequest("d", { run_after: NOON + 5000 }));
  expect(player.hears(await world.store.startQueuedRuns())).toEqual([]);
  expect(await world.store.nextDueAt()).toBe(NOON + 5000);
  world.clock.advance(4999);
  expect(player.hears(await world.store.startQueuedRuns())).toEqual(["a"]);
});

test("DAGs that catch up take turns with each other and with what is due", async () => {
  const minutely = { type: "cron" as const, expression: "* * * * *", timezone: "UTC" };
  for (let n = 10; n < 32; n += 1) {
    const start_date = NOON - 86_400_000;
    await save(`old_${n}`, { timetable: minutely, catchup: true, start_date, max_active_runs: 100 });
  }
  await save("due", { timetable: minutely });
  await world.store.createDueRuns();
  await world.store.createDueRuns();
  const { rows } = await world.store.listDagRuns({}, PAGE);
  const counts = new Map<string, number>();
  for (const { dag_id } of rows) counts.set(dag_id, (counts.get(dag_id) ?? 0) + 1);
  expect(counts.get("due")).toBe(1);
  expect(counts.size).toBe(23);
  expect(Math.max(...counts.values())).toBeLessThanOrEqual(2);
});

test("queued runs count for the gate of new ones; those started by hand are created all the same", async () => {
  await save("d", { max_active_runs: 2, timetable: { type: "delta", seconds: 5 }, start_date: NOON + 5000 });
  for (let n = 0; n < 3; n += 1) await player.trigger("d");
  world.clock.advance(5000);
  await due();
  expect((await states("d")).filter((run) => run.startsWith("12:00:05"))).toEqual([]);
  expect(await states("d")).toHaveLength(3);
  await player.run("a");
  await player.run("a");
  await due();
  expect((await states("d")).filter((run) => run.startsWith("12:00:05"))).toHaveLength(1);
});

test("a DAG creates only runs of the types that it allows", async () => {
  await save("scheduled", { timetable: { type: "delta", seconds: 5 }, allowed_run_types: ["scheduled"] });
  await save("manual", { timetable: { type: "delta", seconds: 5 }, allowed_run_types: ["manual"] });
  await due();
  expect(await states("scheduled")).toHaveLength(1);
  expect(await states("manual")).toEqual([]);
  await player.trigger("manual");
  expect(await world.store.triggerDagRun(triggerRequest("scheduled"))).toMatchObject({
    kind: "rejected",
    reason: "bad_request",
    message: "Dag with dag_id: 'scheduled' does not allow manual runs",
  });
});

test("after a backfill the timetable goes on behind its newest run", async () => {
  const daily = { type: "cron" as const, expression: "0 0 * * *", timezone: "UTC" };
  const start_date = at("2026-02-20T00:00:00Z");
  await save("d", { timetable: daily, catchup: true, start_date, max_active_runs: 100 });
  const range = { from_date: at("2026-02-22T00:00:00Z"), to_date: at("2026-02-27T00:00:00Z") };
  await world.store.createBackfill({
    ...range,
    dag_id: "d",
    run_backwards: false,
    reprocess_behavior: "none",
    max_active_runs: 10,
    dag_run_conf: null,
    run_on_latest_version: null,
    triggering_user_name: null,
  });
  await due();
  const { rows } = await world.store.listDagRuns({ dag_id: "d", run_types: ["scheduled"] }, PAGE);
  expect(rows.map(({ logical_date }) => iso(logical_date).slice(5, 10))).toEqual(["02-28", "03-01"]);
});

test("a tick whose logical date a run has already makes none, and the next one follows", async () => {
  await save("d", { timetable: { type: "delta", seconds: 5 }, start_date: NOON + 5000 });
  await world.store.triggerDagRun(triggerRequest("d", { logical_date: NOON + 5000 }));
  world.clock.advance(5000);
  await due();
  expect(await states("d")).toEqual(["12:00:00 running"]);
  const { rows } = await world.store.skippedTicks("d", { ...PAGE, order_by: [] });
  expect(rows).toEqual([expect.objectContaining({ cause: expect.stringContaining("logical date"), count: 1 })]);
  world.clock.advance(5000);
  await due();
  expect(await states("d")).toEqual(["12:00:00 running", "12:00:10 running"]);
});

test("the data interval of a run by operator or command line ends where the run may start", async () => {
  await save("d", { timetable: { type: "cron", expression: "0 0 * * *", timezone: "UTC", interval: 3600 } });
  const logical_date = NOON - 86_400_000;
  const start = async (triggered_by: "rest_api" | "operator", minute: number) => {
    const result = await world.store.triggerDagRun(
      triggerRequest("d", { triggered_by, logical_date: logical_date + minute, run_after: NOON }),
    );
    if (result.kind === "rejected") throw new Error(result.message);
    return iso(result.dag_run.data_interval_end);
  };
  expect(await start("rest_api", 0)).toBe("2026-02-28T12:00:00Z");
  expect(await start("operator", 1)).toBe("2026-03-01T12:00:00Z");
});
