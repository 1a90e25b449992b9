/** Assets on real Postgres: what a success emits, who waits for it, and which runs come of it. */
import type { AssetCondition, AssetReference, SerializedDag, SerializedTask } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { at, dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TryOutcome } from "../src/index.ts";
import { Player } from "./player.ts";

const NOON = at("2026-03-01T12:00:00Z");

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ now: NOON });
  player = new Player(world);
});
afterEach(() => world.close());

function asset(name: string, uri = `s3://${name}`): Extract<AssetReference, { kind: "asset" }> {
  return { kind: "asset", name, uri, group: "asset", extra: {} };
}
const alias = (name: string): AssetReference => ({ kind: "alias", name, group: "" });
const any = (...conditions: AssetCondition[]): AssetCondition => ({ kind: "any", conditions });
const all = (...conditions: AssetCondition[]): AssetCondition => ({ kind: "all", conditions });

function producer(dagId: string, outlets: readonly AssetReference[]): SerializedDag {
  return dag(dagId, { dag_id: dagId, relative_fileloc: `${dagId}.ts` }, { [dagId]: { outlets } });
}

function consumer(condition: AssetCondition, overrides: Partial<SerializedDag> = {}): SerializedDag {
  const batch = condition.kind === "all" && condition.conditions.length > 1;
  return dag("c", {
    dag_id: "c",
    relative_fileloc: "c.ts",
    timetable: { type: "asset", condition, batch },
    ...overrides,
  });
}

async function save(...dags: SerializedDag[]): Promise<void> {
  for (const form of dags) await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
}

async function produce(dagId: string, outcome: TryOutcome = { kind: "success", xcoms: [] }): Promise<void> {
  world.clock.advance(1000);
  await player.trigger(dagId);
  await player.run(dagId, outcome);
}

/** One step of the scheduler after another, until nothing is left to do. */
async function schedule(): Promise<string[]> {
  const queued: string[] = [];
  for (let more = true; more; ) {
    const step = await world.store.createAssetRuns();
    queued.push(...player.hears(step));
    more = step.more && step.announcement.dag_runs.length > 0;
  }
  return queued;
}

/** The runs of the consumer, oldest first, with the assets of the events that each consumed. */
async function runs(dagId = "c"): Promise<string[]> {
  const rows = await world.sql<{ assets: string }>(
    `SELECT coalesce(string_agg(a.name, '+' ORDER BY e.id), 'none') AS assets
     FROM dag_run r LEFT JOIN dagrun_asset_event x ON x.dag_run_id = r.id LEFT JOIN asset_event e ON e.id = x.event_id
       LEFT JOIN asset a ON a.id = e.asset_id
     WHERE r.dag_id = $1 GROUP BY r.id ORDER BY r.id`,
    [dagId],
  );
  return rows.map(({ assets }) => assets);
}

async function queued(): Promise<number> {
  const [row] = await world.sql<{ count: number }>("SELECT count(*)::integer AS count FROM asset_dag_run_queue");
  return row?.count ?? 0;
}

async function events(): Promise<string[]> {
  const rows = await world.sql<{ event: string }>(
    `SELECT a.name || ' ' || e.extra::text AS event FROM asset_event e JOIN asset a ON a.id = e.asset_id ORDER BY e.id`,
  );
  return rows.map(({ event }) => event);
}

test("a success of a producer starts its consumer at once, with the event attached", async () => {
  await save(producer("p", [asset("a")]), consumer(asset("a")));
  await produce("p");
  expect(await schedule()).toEqual(["c"]);
  expect(await runs()).toEqual(["a"]);
  expect(await queued()).toBe(0);
  const { rows } = await world.store.listDagRuns({ dag_id: "c" }, { limit: 9, offset: 0, order_by: [] });
  expect(rows[0]).toMatchObject({
    run_type: "asset_triggered",
    triggered_by: "asset",
    logical_date: null,
    data_interval_start: null,
    run_after: NOON + 1000,
    state: "running",
  });
  expect(rows[0]?.run_id).toMatch(/^asset_triggered__2026-03-01T12:00:01\+00:00_.{8}$/);
});

test("two events before the scheduler looks make two runs of an OR, and one of a batch", async () => {
  await save(producer("p", [asset("a")]), producer("q", [asset("b")]), consumer(any(asset("a"), asset("b"))));
  await produce("p");
  await produce("q");
  expect(await schedule()).toEqual(["c", "c"]);
  expect(await runs()).toEqual(["a", "b"]);
  const batched = consumer(any(asset("a"), asset("b")));
  await save({ ...batched, timetable: { type: "asset", condition: any(asset("a"), asset("b")), batch: true } });
  await produce("q");
  await produce("p");
  expect(await schedule()).toEqual(["c"]);
  expect(await runs()).toEqual(["a", "b", "b+a"]);
});

test("an AND waits for every asset and consumes all that came meanwhile", async () => {
  await save(producer("p", [asset("a")]), producer("q", [asset("b")]), consumer(all(asset("a"), asset("b"))));
  await produce("p");
  await produce("p");
  expect(await schedule()).toEqual([]);
  expect(await queued()).toBe(2);
  await produce("q");
  expect(await schedule()).toEqual(["c"]);
  expect(await runs()).toEqual(["a+a+b"]);
});

test.each<[string, TryOutcome]>([
  ["failed", { kind: "failed", retry: false, reason: "it broke", retry_delay_seconds: null }],
  ["skipped", { kind: "skipped", reason: null }],
])("a task that ends as %s emits nothing", async (_state, outcome) => {
  await save(producer("p", [asset("a")]), consumer(asset("a")));
  await produce("p", outcome);
  expect(await events()).toEqual([]);
  expect(await schedule()).toEqual([]);
});

test("a success that is reported twice emits once", async () => {
  await save(producer("p", [asset("a")]), consumer(asset("a")));
  await player.trigger("p");
  const request = player.finishRequest(await player.claim("p"), { kind: "success", xcoms: [] });
  await Promise.all([world.store.finishTry(request), world.store.finishTry(request), world.store.finishTry(request)]);
  expect(await events()).toEqual(["a {}"]);
});

test("an empty task that updates an asset or reads one goes through a worker", async () => {
  const empty = (of: Partial<SerializedTask>) => ({ is_empty: true, ...of });
  const tasks = { updates: empty({ outlets: [asset("a")] }), reads: empty({ inlets: [asset("a")] }), b: empty({}) };
  await save(dag("updates, reads, b", { dag_id: "p", relative_fileloc: "p.ts" }, tasks), consumer(asset("a")));
  await player.trigger("p");
  expect(player.queued()).toEqual(["reads", "updates"]);
  expect(await events()).toEqual([]);
  await player.run("updates");
  await player.run("reads");
  expect(await events()).toEqual(["a {}"]);
  expect(await schedule()).toEqual(["c"]);
});

test("what the task says about an outlet is the extra of its event", async () => {
  await save(producer("p", [asset("a"), asset("b")]));
  const said = { asset: { name: "b", uri: "s3://b" }, extra: { rows: 3 }, alias: null };
  await produce("p", { kind: "success", xcoms: [], outlet_events: [said] });
  expect(await events()).toEqual(["a {}", 'b {"rows":3}']);
});

test("an alias brings events of assets that nobody declared, to those who wait for the alias", async () => {
  await save(producer("p", [alias("x")]), consumer(alias("x")));
  await produce("p");
  const through = { asset: { name: "a", uri: "s3://a" }, extra: { n: 1 }, alias: "x" };
  const undeclared = { ...through, alias: "y" };
  await produce("p", { kind: "success", xcoms: [], outlet_events: [through, through, undeclared] });
  expect(await schedule()).toEqual(["c"]);
  expect(await events()).toEqual(['a {"n":1}']);
  expect(await runs()).toEqual(["a"]);
});

test("outlets and schedules may refer to an asset by its name or its uri alone", async () => {
  await save(
    producer("owner", [asset("a")]),
    producer("p", [{ kind: "name_ref", name: "a" }]),
    producer("q", [{ kind: "uri_ref", uri: "s3://a" }]),
    producer("nobody", [{ kind: "name_ref", name: "unknown" }]),
    consumer(any({ kind: "name_ref", name: "a" }, { kind: "uri_ref", uri: "s3://other" })),
    { ...consumer({ kind: "uri_ref", uri: "s3://a" }), dag_id: "u", relative_fileloc: "u.ts" },
  );
  await produce("p");
  await produce("q");
  await produce("nobody");
  await schedule();
  expect(await runs("c")).toEqual(["a", "a"]);
  expect(await runs("u")).toEqual(["a", "a"]);
  expect(await events()).toEqual(["a {}", "a {}"]);
});

test("events while the consumer is paused are lost to its queue", async () => {
  await save(producer("p", [asset("a")]), consumer(asset("a")));
  await world.store.setDagPaused("c", true);
  await produce("p");
  await world.store.setDagPaused("c", false);
  expect(await schedule()).toEqual([]);
  await produce("p");
  expect(await schedule()).toEqual(["c"]);
  expect(await runs()).toEqual(["a"]);
});

test("with catchup the next run gets the events of the pause too, each once", async () => {
  await save(producer("p", [asset("a")]), consumer(asset("a"), { catchup: true }));
  await produce("p");
  await schedule();
  await world.store.setDagPaused("c", true);
  await produce("p");
  await produce("p");
  await world.store.setDagPaused("c", false);
  await produce("p");
  await produce("p");
  await schedule();
  expect(await runs()).toEqual(["a", "a+a+a", "a"]);
});

test("without batching, events wait for max_active_runs one by one and keep their order", async () => {
  await save(producer("p", [asset("a")]), consumer(asset("a"), { max_active_runs: 1 }));
  for (let n = 0; n < 3; n += 1) {
    const said = { asset: { name: "a", uri: "s3://a" }, extra: { n }, alias: null };
    await produce("p", { kind: "success", xcoms: [], outlet_events: [said] });
  }
  const seen: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    expect(await schedule()).toEqual(["c"]);
    expect(await schedule()).toEqual([]);
    expect(await queued()).toBe(2 - n);
    const rows = await world.sql<{ extra: string }>(
      "SELECT e.extra::text AS extra FROM dagrun_asset_event x JOIN asset_event e ON e.id = x.event_id ORDER BY x.dag_run_id DESC LIMIT 1",
    );
    seen.push(rows[0]?.extra ?? "");
    await player.run("c");
  }
  expect(seen).toEqual(['{"n":0}', '{"n":1}', '{"n":2}']);
});

test("two schedulers create each run once", async () => {
  await save(producer("p", [asset("a")]), consumer(asset("a"), { max_active_runs: 100 }));
  for (let n = 0; n < 12; n += 1) await produce("p");
  const scheduler = async () => {
    for (let turn = 0; turn < 500 && (await queued()) > 0; turn += 1) await world.store.createAssetRuns();
  };
  await Promise.all([scheduler(), scheduler(), scheduler()]);
  expect(await runs()).toEqual(Array(12).fill("a"));
  expect(await queued()).toBe(0);
});

test("asset-or-time: the timetable and the assets each make runs of their own", async () => {
  const timetable = {
    type: "asset_or_time",
    condition: asset("a"),
    batch: false,
    timetable: { type: "delta", seconds: 60 },
  } as const;
  await save(producer("p", [asset("a")]), consumer(asset("a"), { timetable }));
  player.hear((await world.store.createDueRuns()).announcement);
  await produce("p");
  await schedule();
  world.clock.advance(60_000);
  await world.store.createDueRuns();
  const { rows } = await world.store.listDagRuns({ dag_id: "c" }, { limit: 9, offset: 0, order_by: ["id"] });
  expect(rows.map(({ run_type }) => run_type)).toEqual(["scheduled", "asset_triggered", "scheduled"]);
  expect(await runs()).toEqual(["none", "a", "none"]);
});

test("asset-and-time: a tick waits for the assets, its run consumes them, and the next tick waits anew", async () => {
  const timetable = {
    type: "asset_and_time",
    condition: asset("a"),
    timetable: { type: "delta", seconds: 60 },
  } as const;
  await save(producer("p", [asset("a")]), consumer(asset("a"), { timetable, catchup: true, start_date: NOON }));
  const due = async () => {
    await schedule();
    return player.hears(await world.store.createDueRuns());
  };
  expect(await due()).toEqual([]);
  await produce("p");
  expect(await due()).toEqual(["c"]);
  await produce("p");
  expect(await due()).toEqual([]);
  world.clock.advance(60_000);
  expect(await due()).toEqual(["c"]);
  world.clock.advance(60_000);
  expect(await due()).toEqual([]);
  const { rows } = await world.store.listDagRuns({ dag_id: "c" }, { limit: 9, offset: 0, order_by: ["id"] });
  expect(rows.map(({ run_type, logical_date }) => [run_type, logical_date])).toEqual([
    ["scheduled", NOON],
    ["scheduled", NOON + 60_000],
  ]);
  expect(await runs()).toEqual(["a", "a"]);
});

test("of two assets with one name the first is active; the other one waits until the first is named no more", async () => {
  await save(producer("p", [asset("a", "s3://one")]), producer("q", [asset("a", "s3://two")]));
  const active = () => world.sql<{ uri: string }>("SELECT uri FROM asset_active");
  expect(await active()).toEqual([{ uri: "s3://one" }]);
  await produce("q");
  expect(await events()).toEqual([]);
  await world.store.removeFilesExcept("dags-folder", ["q.ts"]);
  expect(await active()).toEqual([{ uri: "s3://two" }]);
  await save(producer("q", []));
  expect(await active()).toEqual([]);
});

test("another schedule forgets events of assets that it doesn't name", async () => {
  await save(producer("p", [asset("a")]), consumer(all(asset("a"), asset("b"))));
  await produce("p");
  await schedule();
  await save(consumer(all(asset("b"), asset("c"))));
  expect(await queued()).toBe(0);
  await save(producer("q", [asset("b")]));
  await produce("q");
  await schedule();
  await save(consumer(asset("b")));
  expect(await schedule()).toEqual(["c"]);
  expect(await runs()).toEqual(["b"]);
});

test("keyed events make runs of their key for partitioned schedules, and never feed others", async () => {
  const condition = all(asset("a"), asset("b"));
  const partition = { kind: "start_of", grain: "day" } as const;
  const partitioned = { type: "asset", condition, batch: true, partition } as const;
  await save(producer("p", [asset("a")]), consumer(condition, { timetable: partitioned }), {
    ...consumer(asset("a")),
    dag_id: "plain",
    relative_fileloc: "plain.ts",
  });
  const post = async (name: string, partition_key: string | null) => {
    const [found] = await world.store.findAssets({ name });
    await world.store.createAssetEvent({ asset_id: found?.id ?? 0, extra: {}, partition_key });
  };
  await post("a", "2026-03-01T05");
  await post("b", "2026-03-02T05");
  await post("a", null);
  await post("b", null);
  expect(await schedule()).toEqual(["c"]);
  expect(await runs("plain")).toEqual(["a"]);
  expect(await runs()).toEqual([]);
  await post("b", "2026-03-01T23");
  await schedule();
  expect(await runs()).toEqual(["a+b"]);
  const { rows } = await world.store.listDagRuns({ dag_id: "c" }, { limit: 9, offset: 0, order_by: [] });
  expect(rows.map(({ partition_key }) => partition_key)).toEqual(["2026-03-01"]);
});

test("an event whose key the mapper refuses leaves the queue, and the audit log says why", async () => {
  const partition = { kind: "allowed_keys", keys: ["eu"] } as const;
  const timetable = { type: "asset", condition: asset("a"), batch: false, partition } as const;
  await save(producer("p", [asset("a")]), consumer(asset("a"), { timetable }));
  const [found] = await world.store.findAssets({ name: "a" });
  for (const partition_key of ["mars", "eu"])
    await world.store.createAssetEvent({ asset_id: found?.id ?? 0, extra: {}, partition_key });
  await schedule();
  expect(await runs()).toEqual(["a"]);
  expect(await queued()).toBe(0);
  const { rows } = await world.store.listEventLogs(
    { event: "asset_event_refused" },
    { limit: 9, offset: 0, order_by: [] },
  );
  expect(rows).toMatchObject([{ dag_id: "c", owner: "scheduler" }]);
  expect(JSON.parse(rows[0]?.extra ?? "")).toEqual({
    asset: { name: "a", uri: "s3://a" },
    partition_key: "mars",
    cause: "The partition mapper of DAG c has no key for 'mars'; the event makes no run of it",
  });
});

test("the events of a run with a key carry that key", async () => {
  const partitioned = { type: "asset", condition: asset("a"), batch: false, partition: { kind: "identity" } } as const;
  await save(producer("p", [asset("a")]), consumer(asset("a"), { timetable: partitioned }));
  const triggered = await world.store.triggerDagRun(triggerRequest("p", { partition_key: "eu" }));
  if (triggered.kind === "rejected") throw new Error(triggered.message);
  expect(triggered.dag_run.partition_key).toBe("eu");
  player.hear(triggered.announcement);
  await player.run("p");
  expect(await schedule()).toEqual(["c"]);
  const claim = await player.claim("c");
  expect(claim.dag_run.partition_key).toBe("eu");
  expect(claim.consumed_asset_events).toMatchObject([{ name: "a", partition_key: "eu" }]);
});

test("an event wakes the scheduler where somebody waits for it", async () => {
  const wakes = async (dagId: string, task: Partial<SerializedTask>) => {
    await save(dag("a > b", { dag_id: dagId, relative_fileloc: `${dagId}.ts` }, { a: task }));
    await player.trigger(dagId);
    const request = player.finishRequest(await player.claim("a"), { kind: "success", xcoms: [] });
    const result = await world.store.finishTry(request);
    return result.kind === "finished" && result.announcement.wake_scheduler;
  };
  await save(consumer(asset("a")));
  expect(await wakes("p", { outlets: [asset("a")] })).toBe(true);
  expect(await wakes("q", { outlets: [asset("b")] })).toBe(false);
});

test("a task without outlets touches no table of assets when it ends", async () => {
  await save(producer("plain", []));
  await player.trigger("plain");
  const claim = await player.claim("plain");
  await world.sql("DROP TABLE asset, asset_event, asset_active, asset_alias, asset_dag_run_queue CASCADE");
  await player.finish(claim, { kind: "success", xcoms: [] });
  expect((await world.store.getDagRun("plain", claim.run_id))?.state).toBe("success");
});
