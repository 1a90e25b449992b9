/** Backfills on real Postgres: plan, runs, order, limits, pause, cancel, and what a killed scheduler leaves. */
import type { SerializedDag } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { at, dag, iso } from "@updraft/testkit/dags";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BackfillRequest, BackfillRow } from "../src/index.ts";
import { Player } from "./player.ts";

const NOW = at("2026-03-11T06:00:00Z");
const PAGE = { limit: 20_000, offset: 0, order_by: ["logical_date"] };

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ now: NOW });
  player = new Player(world);
});
afterEach(() => world.close());

async function save(overrides: Partial<SerializedDag> = {}, edges = "a"): Promise<void> {
  const timetable = { type: "cron" as const, expression: "0 0 * * *", timezone: "UTC" };
  const form = dag(edges, {
    is_paused_upon_creation: false,
    start_date: at("2027-01-01T00:00:00Z"),
    timetable,
    ...overrides,
  });
  await world.store.saveParsedFile(parsedFile([form]));
}

function request(overrides: Partial<BackfillRequest> = {}): BackfillRequest {
  return {
    dag_id: "d",
    from_date: at("2026-03-01T00:00:00Z"),
    to_date: at("2026-03-05T00:00:00Z"),
    run_backwards: false,
    reprocess_behavior: "none",
    max_active_runs: 10,
    dag_run_conf: null,
    run_on_latest_version: null,
    triggering_user_name: "ada",
    ...overrides,
  };
}

async function create(overrides: Partial<BackfillRequest> = {}): Promise<BackfillRow> {
  const result = await world.store.createBackfill(request(overrides));
  if (result.kind === "rejected") throw new Error(result.message);
  player.hear(result.announcement);
  return result.backfill;
}

/** What the scheduler does about backfills and queued runs. */
async function turn(): Promise<string[]> {
  const queued: string[] = [];
  for (const step of [world.store.advanceBackfills, world.store.startQueuedRuns]) {
    for (let more = true; more; ) {
      const result = await step();
      queued.push(...player.hears(result));
      more = result.more;
    }
  }
  return queued;
}

async function runs(): Promise<string[]> {
  const { rows } = await world.store.listDagRuns({ dag_id: "d" }, PAGE);
  return rows.map(({ logical_date, state, run_type }) => `${iso(logical_date).slice(8, 10)} ${run_type} ${state}`);
}

async function outcomes(id: number): Promise<string[]> {
  const rows = await world.sql<{ sort_ordinal: number; logical_date: Date; said: string }>(
    `SELECT p.sort_ordinal, p.logical_date, coalesce(p.exception_reason, r.run_id) AS said
      FROM backfill_dag_run p LEFT JOIN dag_run r ON r.id = p.dag_run_id WHERE p.backfill_id = $1 ORDER BY p.sort_ordinal`,
    [id],
  );
  return rows.map(
    ({ sort_ordinal, logical_date, said }) => `${sort_ordinal} ${logical_date.toISOString().slice(8, 10)} ${said}`,
  );
}

test("every logical date of the range becomes a run of its own, started in order up to the backfill's limit", async () => {
  await save({ max_active_runs: 1 });
  const backfill = await create({ max_active_runs: 2, dag_run_conf: { n: 1 } });
  expect(backfill).toMatchObject({ dag_id: "d", is_paused: false, max_active_runs: 2, completed_at: null });
  expect(await outcomes(backfill.id)).toEqual(
    [1, 2, 3, 4, 5].map((day) => `${day} 0${day} backfill__2026-03-0${day}T00:00:00+00:00`),
  );
  await turn();
  expect(await runs()).toEqual([
    "01 backfill running",
    "02 backfill running",
    "03 backfill queued",
    "04 backfill queued",
    "05 backfill queued",
  ]);
  const [first] = (await world.store.listDagRuns({ dag_id: "d" }, PAGE)).rows;
  expect(first).toMatchObject({ triggered_by: "backfill", triggering_user_name: "ada", conf: { n: 1 } });
  await player.expectSlotsInUse(2);
  while (player.queued().length > 0) {
    await player.run("a");
    await turn();
  }
  expect((await runs()).every((run) => run.endsWith("success"))).toBe(true);
  expect((await world.store.getBackfill(backfill.id))?.completed_at).toBe(NOW);
  await player.expectNoSlotsInUse();
});

test("its runs neither use the DAG's max_active_runs nor wait for it", async () => {
  await save({ max_active_runs: 1 });
  await player.trigger("d");
  await create();
  expect(await turn()).toHaveLength(5);
  await world.store.setDagPaused("d", true);
  await player.trigger("d");
  await world.store.setDagPaused("d", false);
  expect(await turn()).toEqual([]);
});

test("the DAG's own runs start before those of a backfill, and backwards means from the newest", async () => {
  await save({ max_active_runs: 16 });
  await world.store.setDagPaused("d", true);
  await create({ run_backwards: true, max_active_runs: 2 });
  await player.trigger("d");
  await world.store.setDagPaused("d", false);
  const step = await world.store.startQueuedRuns();
  const started = step.announcement.dag_runs.filter(({ state }) => state === "running");
  expect(started.map(({ run_type, logical_date }) => `${run_type} ${iso(logical_date).slice(0, 10)}`)).toEqual([
    "manual never",
    "backfill 2026-03-05",
    "backfill 2026-03-04",
  ]);
});

test("a paused backfill starts nothing more; a cancelled one fails what is queued and lets the rest run", async () => {
  await save();
  const { id } = await create({ max_active_runs: 1 });
  await turn();
  expect(await world.store.pauseBackfill(id, true)).toMatchObject({ kind: "changed", backfill: { is_paused: true } });
  await player.run("a");
  expect(await turn()).toEqual([]);
  await world.store.pauseBackfill(id, false);
  expect(await turn()).toEqual(["a"]);
  const cancelled = await world.store.cancelBackfill(id);
  expect(cancelled).toMatchObject({ kind: "changed", backfill: { is_paused: true, completed_at: NOW } });
  expect(await runs()).toEqual([
    "01 backfill success",
    "02 backfill running",
    "03 backfill failed",
    "04 backfill failed",
    "05 backfill failed",
  ]);
  await player.run("a");
  expect((await runs())[1]).toBe("02 backfill success");
  await player.expectNoSlotsInUse();
  for (const change of [world.store.pauseBackfill(id, true), world.store.cancelBackfill(id)])
    expect(await change).toEqual({ kind: "rejected", reason: "completed" });
  expect(await world.store.pauseBackfill(999, true)).toEqual({ kind: "rejected", reason: "not_found" });
});

test("a run of a cancelled backfill that somebody clears runs again", async () => {
  await save();
  const { id } = await create({ max_active_runs: 1 });
  await turn();
  await player.run("a");
  await world.store.cancelBackfill(id);
  await player.clear("backfill__2026-03-01T00:00:00+00:00", ["a"]);
  expect(await turn()).toEqual(["a"]);
});

describe("existing runs", () => {
  beforeEach(async () => {
    await save();
    await create({ to_date: at("2026-03-03T00:00:00Z") });
    await turn();
    await player.run("a");
    await player.run("a", player.failure());
  });

  async function again(overrides: Partial<BackfillRequest>): Promise<string[]> {
    await world.sql("UPDATE backfill SET completed_at = now()");
    const { id } = await create({ to_date: at("2026-03-04T00:00:00Z"), ...overrides });
    return (await outcomes(id)).map((line) =>
      line.replace("backfill__2026-03-", "run ").replace("T00:00:00+00:00", ""),
    );
  }

  async function dryRun(overrides: Partial<BackfillRequest>): Promise<string[]> {
    const planned = await world.store.dryRunBackfill(request({ to_date: at("2026-03-04T00:00:00Z"), ...overrides }));
    if (planned.kind === "rejected") throw new Error(planned.message);
    return planned.logical_dates.map((date) => iso(date).slice(8, 10));
  }

  test("are left alone by default, and named in flight while they are under way", async () => {
    expect(await dryRun({})).toEqual(["04"]);
    expect(await again({})).toEqual(["1 01 already exists", "2 02 already exists", "3 03 in flight", "4 04 run 04"]);
    expect((await runs()).slice(0, 3)).toEqual(["01 backfill success", "02 backfill failed", "03 backfill running"]);
  });

  test("run again where they failed, with reprocess_behavior failed", async () => {
    expect(await dryRun({ reprocess_behavior: "failed" })).toEqual(["02", "04"]);
    expect(await again({ reprocess_behavior: "failed", dag_run_conf: { again: true } })).toEqual([
      "1 01 already exists",
      "2 02 run 02",
      "3 03 in flight",
      "4 04 run 04",
    ]);
    const second = await world.store.getDagRun("d", "backfill__2026-03-02T00:00:00+00:00");
    expect(second).toMatchObject({ state: "queued", conf: { again: true }, clear_number: 1 });
    expect(await player.states("backfill__2026-03-02T00:00:00+00:00")).toEqual({ a: null });
  });

  test("run again where they ended, with reprocess_behavior completed, whoever made them, on the newest version", async () => {
    await world.sql("UPDATE dag_run SET run_type = 'scheduled', backfill_id = NULL WHERE sort_ordinal = 1");
    await save({}, "a > b");
    expect(await dryRun({ reprocess_behavior: "completed" })).toEqual(["01", "02", "04"]);
    expect((await again({ reprocess_behavior: "completed" })).slice(0, 2)).toEqual(["1 01 run 01", "2 02 run 02"]);
    expect((await runs()).slice(0, 2)).toEqual(["01 backfill queued", "02 backfill queued"]);
    expect(await player.states("backfill__2026-03-01T00:00:00+00:00")).toEqual({ a: null, b: null });
  });

  test("keep their version where run_on_latest_version says so", async () => {
    await save({}, "a > b");
    await again({ reprocess_behavior: "completed", run_on_latest_version: false });
    expect(await player.states("backfill__2026-03-01T00:00:00+00:00")).toEqual({ a: null });
    expect(await player.states("backfill__2026-03-04T00:00:00+00:00")).toEqual({ a: null, b: null });
  });
});

test("refuses a second active backfill, an unknown DAG, and what the core refuses", async () => {
  await save();
  const refused = async (overrides: Partial<BackfillRequest>) => {
    const result = await world.store.createBackfill(request(overrides));
    return result.kind === "rejected" ? `${result.reason}: ${result.message}` : "created";
  };
  expect(await refused({ dag_id: "x" })).toBe("dag_not_found: Could not find dag x");
  expect(await refused({ to_date: at("2026-02-01T00:00:00Z") })).toMatch(/^invalid: from_date .* must not be after/);
  const together = await Promise.all([refused({}), refused({})]);
  expect(together.sort()).toEqual(["already_running: There is already a running backfill for dag d", "created"]);
  await save({ dag_id: "e", relative_fileloc: "e.ts", allowed_run_types: ["scheduled"] });
  expect(await refused({ dag_id: "e" })).toMatch(/^run_type_not_allowed: .* does not allow backfill runs/);
});

test("10,000 runs: the request plans them all, a killed process leaves the rest to the next one, none comes twice", async () => {
  await save({ timetable: { type: "delta", seconds: 60 } });
  const from_date = at("2026-03-01T00:00:00Z");
  const { id } = await create({ from_date, to_date: from_date + 9999 * 60_000 });
  const count = async () =>
    (await world.sql<{ count: string }>("SELECT count(*) FROM dag_run WHERE backfill_id = $1", [id]))[0];
  expect(await count()).toEqual({ count: "500" });
  // Every connection of a process that was killed is ended by Postgres, and its transaction with it.
  const broken = Promise.allSettled([world.store.advanceBackfills(), world.store.advanceBackfills()]);
  await world.sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
  );
  await broken;
  for (let more = true; more; ) more = (await world.store.advanceBackfills()).more;
  expect(await count()).toEqual({ count: "10000" });
  const [pending] = await world.sql(
    "SELECT count(*) FROM backfill_dag_run WHERE is_pending OR exception_reason IS NOT NULL",
  );
  expect(pending).toEqual({ count: "0" });
  const [distinct] = await world.sql(
    "SELECT count(DISTINCT r.logical_date) AS dates, count(*) AS rows, max(p.sort_ordinal) AS last FROM backfill_dag_run p JOIN dag_run r ON r.id = p.dag_run_id",
  );
  expect(distinct).toEqual({ dates: "10000", rows: "10000", last: 10000 });
}, 60_000);

test("lists by DAG and by whether they are active", async () => {
  await save();
  const first = await create();
  await world.store.cancelBackfill(first.id);
  const second = await create();
  const ids = async (filter: object) =>
    (await world.store.listBackfills(filter, { ...PAGE, order_by: ["-id"] })).rows.map(({ id }) => id);
  expect(await ids({ dag_id: "d" })).toEqual([second.id, first.id]);
  expect(await ids({ active: true })).toEqual([second.id]);
  expect(await ids({ active: false })).toEqual([first.id]);
  expect(await ids({ dag_id: "x" })).toEqual([]);
});
