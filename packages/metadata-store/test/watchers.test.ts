/** Watchers of assets on real Postgres: when they run, and that each of their events is written once. */
import type { AssetReference, SerializedDag } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { at, dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HostedWatcher, WatcherReport } from "../src/index.ts";

const CLAIM = { triggerer: "one", capacity: 10, lease_seconds: 10 };

let world: TestStore;

beforeEach(async () => {
  world = await createTestStore({ now: at("2026-03-01T12:00:00Z") });
});
afterEach(() => world.close());

function asset(...watchers: string[]): AssetReference {
  const watched = watchers.map((name) => ({ name, classpath: `updraft.trigger.${name}`, kwargs: { n: 1 } }));
  return { kind: "asset", name: "a", uri: "s3://a", group: "asset", extra: {}, watchers: watched };
}

/** A DAG that waits for the asset. */
function waiting(dagId: string, condition: AssetReference): SerializedDag {
  const timetable = { type: "asset", condition, batch: false } as const;
  return dag(dagId, { dag_id: dagId, relative_fileloc: `${dagId}.ts`, timetable, is_paused_upon_creation: false });
}

async function save(form: SerializedDag, code?: string): Promise<void> {
  const file = parsedFile([form]);
  await world.store.saveParsedFile(code === undefined ? file : { ...file, artefact_hash: code, artefact_code: code });
}

async function claimed(): Promise<HostedWatcher> {
  const [watcher] = await world.store.claimWatchers(CLAIM);
  if (watcher === undefined) throw new Error("there is no watcher to run");
  return watcher;
}

const event = ({ id, fence }: HostedWatcher, sequence: number): WatcherReport => ({
  ...{ id, fence, sequence },
  end: { kind: "event", payload: { number: sequence } },
});

async function events(): Promise<unknown[]> {
  return (await world.store.listAssetEvents({}, { limit: 50, offset: 0, order_by: ["id"] })).rows.map(
    ({ extra }) => extra,
  );
}

async function running(): Promise<string[]> {
  const { rows } = await world.store.listAssets({}, { limit: 9, offset: 0, order_by: [] });
  return rows.flatMap(({ watchers }) => watchers.map(({ name }) => name));
}

test("a watcher runs while a DAG names its asset, and ends with the file or with its declaration", async () => {
  await save(waiting("d", asset("w", "v")));
  expect(await running()).toEqual(["v", "w"]);
  await save(waiting("d", asset("w")));
  expect(await running()).toEqual(["w"]);
  const watcher = await claimed();
  expect(watcher).toMatchObject({ name: "w", classpath: "updraft.trigger.w", kwargs: { n: 1 }, dag_id: "d" });
  expect(watcher).toMatchObject({ asset_name: "a", asset_uri: "s3://a", event_count: 0 });
  await world.store.removeFilesExcept("dags-folder", []);
  expect(await running()).toEqual([]);
  expect(await world.store.keepTriggers("one", [watcher], 10)).toEqual([]);
  expect((await world.store.reportWatchers([event(watcher, 1)])).accepted).toEqual([]);
  expect(await events()).toEqual([]);
  await save(waiting("d", asset("w")));
  expect(await running()).toEqual(["w"]);
});

test("of two assets with one name the watcher of the active one runs", async () => {
  await save(waiting("d", { ...asset("first"), uri: "s3://other" } as AssetReference));
  await save(waiting("e", asset("second")));
  expect(await running()).toEqual(["first"]);
  await save(waiting("d", { kind: "alias", name: "x", group: "asset" }));
  expect(await running()).toEqual(["second"]);
});

test("two DAGs that declare the same watcher run it once; the other takes over when the first goes", async () => {
  await save(waiting("d", asset("w")));
  await save(waiting("e", asset("w")));
  expect(await claimed()).toMatchObject({ dag_id: "d" });
  await world.store.removeFilesExcept("dags-folder", ["e.ts"]);
  expect(await claimed()).toMatchObject({ dag_id: "e" });
});

test("its events are those of the asset, they make runs and wake the scheduler, and the watcher goes on", async () => {
  await save(waiting("d", asset("w")));
  const watcher = await claimed();
  const first = await world.store.reportWatchers([event(watcher, 1)]);
  expect(first.accepted).toEqual([watcher.id]);
  expect(first.announcement.wake_scheduler).toBe(true);
  await world.store.reportWatchers([event(watcher, 2)]);
  expect(await events()).toEqual([
    { from_trigger: true, payload: { number: 1 } },
    { from_trigger: true, payload: { number: 2 } },
  ]);
  for (let more = true; more; ) more = (await world.store.createAssetRuns()).announcement.dag_runs.length > 0;
  const { rows } = await world.store.listDagRuns({ dag_id: "d" }, { limit: 9, offset: 0, order_by: [] });
  expect(rows.map(({ run_type }) => run_type)).toEqual(["asset_triggered", "asset_triggered"]);
  expect(await world.store.keepTriggers("one", [watcher], 10)).toEqual([watcher.id]);
});

test("an event that is told twice is written once, also when its triggerer dies in between", async () => {
  await save(waiting("d", asset("w")));
  const watcher = await claimed();
  await Promise.all([1, 2, 3].map(() => world.store.reportWatchers([event(watcher, 1)])));
  expect((await world.store.reportWatchers([event(watcher, 1)])).accepted).toEqual([watcher.id]);
  expect(await events()).toHaveLength(1);
  await world.sql("UPDATE trigger SET lease_until = clock_timestamp() - interval '1 second'");
  const [again] = await world.store.claimWatchers({ ...CLAIM, triggerer: "two" });
  if (again === undefined) throw new Error("nobody took the watcher over");
  expect(again).toMatchObject({ id: watcher.id, fence: watcher.fence + 1, event_count: 1 });
  expect((await world.store.reportWatchers([event(watcher, 2)])).accepted).toEqual([]);
  expect((await world.store.reportWatchers([event(again, 2)])).accepted).toEqual([again.id]);
  expect(await events()).toHaveLength(2);
});

test("new code starts the watcher again, and an older hold counts for nothing", async () => {
  await save(waiting("d", asset("w")));
  const old = await claimed();
  await save(waiting("d", asset("w")), "new code");
  expect(await world.store.keepTriggers("one", [old], 10)).toEqual([]);
  const fresh = await claimed();
  expect(fresh).toMatchObject({ id: old.id, artefact_hash: "new code" });
  expect((await world.store.reportWatchers([event(old, 1)])).accepted).toEqual([]);
});

test("a watcher that fails starts again, later with each failure in a row; an event ends the row", async () => {
  await save(waiting("d", asset("w")));
  const pauses: number[] = [];
  for (let times = 0; times < 3; times += 1) {
    const { id, fence } = await claimed();
    const report = { id, fence, sequence: 1, end: { kind: "failure" as const, traceback: ["Error: broken"] } };
    expect((await world.store.reportWatchers([report, report])).accepted).toContain(id);
    expect(await world.store.claimWatchers(CLAIM)).toEqual([]);
    const [row] = await world.sql<{ pause: number; failure: string }>(
      "SELECT round(extract(epoch FROM lease_until - clock_timestamp()))::integer AS pause, failure FROM trigger",
    );
    expect(row?.failure).toBe("Error: broken");
    pauses.push(row?.pause ?? 0);
    await world.sql("UPDATE trigger SET lease_until = clock_timestamp() - interval '1 second'");
  }
  expect(pauses).toEqual([5, 10, 20]);
  await world.store.reportWatchers([event(await claimed(), 1)]);
  expect(await world.sql("SELECT failures, failure FROM trigger")).toEqual([{ failures: 0, failure: null }]);
});

test("triggerers that ask for what tasks wait for get no watcher, and the audit leaves watchers alone", async () => {
  await save(waiting("d", asset("w")));
  expect(await world.store.claimTriggers(CLAIM)).toEqual([]);
  await world.store.audit();
  expect(await running()).toEqual(["w"]);
});
