/** Retention: what is old goes in batches, what somebody still needs stays. */
import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CLEANABLE_TABLES, type CleanableTable } from "../src/index.ts";
import { Player } from "./player.ts";

const DAY = 86_400_000;
let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore();
  player = new Player(world);
});
afterEach(() => world.close());

async function save(dagId: string, edges = "a"): Promise<void> {
  const form = { ...dag(edges, { dag_id: dagId }), is_paused_upon_creation: false };
  await world.store.saveParsedFile(parsedFile([form], { relative_fileloc: `${dagId}.ts` }));
}

async function finishedRun(dagId: string): Promise<string> {
  const run = await player.trigger(dagId);
  await player.run("a", { kind: "success", xcoms: [{ key: "return_value", value: 1 }] });
  return run;
}

function request(overrides: { readonly dag_ids?: string[]; readonly exclude_dag_ids?: string[] } = {}) {
  return { before: world.clock.now() - DAY, dag_ids: [], exclude_dag_ids: [], ...overrides };
}

async function count(table: CleanableTable): Promise<number> {
  const [row] = await world.sql<{ n: string }>(`SELECT count(*) AS n FROM ${table}`);
  return Number(row?.n);
}

test("old finished runs go with all that is in them; running and young ones stay", async () => {
  await save("d");
  const old = await finishedRun("d");
  const running = await player.trigger("d");
  world.clock.advance(2 * DAY);
  const young = await finishedRun2();
  expect(await world.store.countOld("dag_run", request())).toBe(1);
  expect(await world.store.cleanBatch("dag_run", request(), 10)).toBe(1);
  expect(await world.store.getDagRun("d", old)).toBeNull();
  expect((await world.store.getDagRun("d", running))?.state).toBe("running");
  expect((await world.store.getDagRun("d", young))?.state).toBe("success");
  expect(await count("xcom")).toBe(1);
  expect((await world.store.audit()).corrected).toEqual([]);

  async function finishedRun2(): Promise<string> {
    const run = await player.trigger("d");
    const claims = [await player.claim("a"), await player.claim("a")];
    const own = claims.find(({ run_id }) => run_id === run);
    if (own === undefined) throw new Error("the run's task was not queued");
    await player.finish(own, { kind: "success", xcoms: [{ key: "return_value", value: 1 }] });
    return run;
  }
});

test("a batch takes no more than it may, and none that somebody holds", async () => {
  await save("d");
  for (let n = 0; n < 5; n += 1) await finishedRun("d");
  world.clock.advance(2 * DAY);
  expect(await world.store.cleanBatch("dag_run", request(), 2)).toBe(2);
  expect(await world.store.cleanBatch("dag_run", request(), 2)).toBe(2);
  expect(await world.store.cleanBatch("dag_run", request(), 2)).toBe(1);
  expect(await world.store.cleanBatch("dag_run", request(), 2)).toBe(0);
});

test("the newest scheduled run stays, however old it is", async () => {
  await save("d");
  const logical_date = world.clock.now() - DAY;
  for (const [index, date] of [logical_date - DAY, logical_date].entries()) {
    await world.store.triggerDagRun(triggerRequest("d", { run_id: `r${index}`, logical_date: date }));
  }
  await world.sql("UPDATE dag_run SET run_type = 'scheduled', state = 'success', unfinished = 0, end_date = run_after");
  await world.sql("DELETE FROM task_instance");
  world.clock.advance(10 * DAY);
  expect(await world.store.cleanBatch("dag_run", request(), 10)).toBe(1);
  expect((await world.store.getDagRun("d", "r1"))?.state).toBe("success");
});

test("DAGs are named or left out", async () => {
  for (const id of ["d", "e"]) {
    await save(id);
    await finishedRun(id);
  }
  world.clock.advance(2 * DAY);
  expect(await world.store.countOld("dag_run", request())).toBe(2);
  expect(await world.store.countOld("dag_run", request({ dag_ids: ["e"] }))).toBe(1);
  expect(await world.store.countOld("dag_run", request({ exclude_dag_ids: ["e"] }))).toBe(1);
  expect(await world.store.countOld("job", request({ dag_ids: ["e"] }))).toBe(0);
});

test("versions and artefacts that no run names go, the newest stays", async () => {
  await save("d");
  await finishedRun("d");
  await save("d", "a > b");
  world.clock.advance(2 * DAY);
  expect(await world.store.countOld("dag_version", request())).toBe(0);
  await world.store.cleanBatch("dag_run", request(), 10);
  expect(await world.store.cleanBatch("dag_version", request(), 10)).toBe(1);
  expect((await world.store.listDagVersions("d", { limit: 9, offset: 0, order_by: [] })).rows).toMatchObject([
    { version_number: 2 },
  ]);
  expect(await count("dag_artefact")).toBe(1);
  expect(await world.store.cleanBatch("dag_artefact", request(), 10)).toBe(0);
});

test("every table can be counted and cleaned", async () => {
  await save("d");
  await finishedRun("d");
  await world.store.logEvent({ event: "e", dag_id: "d", run_id: null, task_id: null, owner: null, extra: null });
  world.clock.advance(2 * DAY);
  for (const table of CLEANABLE_TABLES) {
    const old = await world.store.countOld(table, request());
    expect(await world.store.cleanBatch(table, request(), 100), table).toBe(old);
    expect(await world.store.countOld(table, request()), table).toBe(0);
  }
  expect([await count("dag_run"), await count("log"), await count("dag_version")]).toEqual([0, 0, 1]);
});

test("old events of assets go with their traces, but for those that a DAG waits for or a run still tells of", async () => {
  const asset = (name: string) => ({ kind: "asset" as const, name, uri: name, group: "asset", extra: {} });
  const waitsFor = async (dagId: string, names: readonly string[]) => {
    const condition = { kind: "all" as const, conditions: names.map(asset) };
    const timetable = { type: "asset" as const, condition, batch: true };
    const form = { ...dag("a", { dag_id: dagId, timetable }), is_paused_upon_creation: false };
    await world.store.saveParsedFile(parsedFile([form], { relative_fileloc: `${dagId}.ts` }));
  };
  const post = async (name: string) => {
    const [found] = await world.store.findAssets({ name });
    await world.store.createAssetEvent({ asset_id: found?.id ?? 0, extra: {}, partition_key: null });
  };
  const rows = async (table: string) =>
    (await world.sql<{ n: number }>(`SELECT count(*)::integer AS n FROM ${table}`))[0]?.n;
  await waitsFor("ended", ["x"]);
  await waitsFor("active", ["y"]);
  await waitsFor("waits", ["z", "never"]);
  await waitsFor("gone", ["w", "never"]);
  for (const name of ["x", "y", "z", "w"]) await post(name);
  for (let more = true; more; ) {
    const step = await world.store.createAssetRuns();
    player.hears(step);
    more = step.announcement.dag_runs.length > 0;
  }
  const claims = [await player.claim("a"), await player.claim("a")];
  for (const claim of claims) if (claim.dag_id === "ended") await player.finish(claim, { kind: "success", xcoms: [] });
  await world.store.removeFilesExcept("dags-folder", ["ended.ts", "active.ts", "waits.ts"]);
  expect([await rows("asset_event"), await rows("dagrun_asset_event"), await rows("asset_dag_run_queue")]).toEqual([
    4, 2, 2,
  ]);
  world.clock.advance(2 * DAY);
  expect(await world.store.countOld("asset_event", request())).toBe(2);
  expect(await world.store.cleanBatch("asset_event", request(), 10)).toBe(2);
  const left = await world.sql<{ name: string }>(
    "SELECT a.name FROM asset_event e JOIN asset a ON a.id = e.asset_id ORDER BY a.name",
  );
  expect(left.map(({ name }) => name)).toEqual(["y", "z"]);
  expect([await rows("dagrun_asset_event"), await rows("asset_dag_run_queue")]).toEqual([1, 1]);
  // A run that goes takes its traces along.
  await world.store.cleanBatch("dag_run", request(), 10);
  expect(await rows("dagrun_asset_event")).toBe(1);
});
