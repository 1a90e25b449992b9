/** Assets as authors write them, and what a running task knows and says of them. */
import { expect, test } from "vitest";
import * as airflow from "../src/airflow.ts";
import { Bundle } from "../src/bundle.ts";
import { serializeBundle } from "../src/host.ts";
import {
  Asset,
  AssetAlias,
  AssetWatcher,
  allowedKeyMapper,
  assetAll,
  assetAndTime,
  assetAny,
  assetOrTime,
  assetTriggered,
  chainMapper,
  Dag,
  defineTrigger,
  getClient,
  getContext,
  identityMapper,
  productMapper,
  startOfMapper,
  timeDeltaTrigger,
} from "../src/index.ts";
import { runTask, serialize, taskOf, World } from "./support/play.ts";

const orders = new Asset({ name: "orders", uri: "s3://lake/orders", extra: { team: "sales" } });
const prices = new Asset({ uri: "s3://lake/prices" });
const files = new AssetAlias("files");

const ORDERS = { kind: "asset", name: "orders", uri: "s3://lake/orders", group: "asset", extra: { team: "sales" } };
const PRICES = { kind: "asset", name: "s3://lake/prices", uri: "s3://lake/prices", group: "asset", extra: {} };
const DAILY = { type: "cron", expression: "0 0 * * *", timezone: "UTC" };

test("name and uri stand for each other; what is no asset is refused where it is written", () => {
  expect(prices).toMatchObject({ name: "s3://lake/prices", uri: "s3://lake/prices", group: "asset", extra: {} });
  expect(new Asset({ name: "orders" }).uri).toBe("orders");
  expect(Object.isFrozen(orders)).toBe(true);
  expect(() => new Asset({})).toThrow("An asset needs a name or a uri");
  expect(() => new Asset({ name: " " })).toThrow("must be a non-empty string");
  expect(() => new Asset({ name: "a", ur: "b" } as never)).toThrow('Unknown option "ur"');
  expect(() => Asset.ref({ name: "a", uri: "b" } as never)).toThrow("either { name } or { uri }");
  expect(() => assetAny()).toThrow("at least one asset");
  expect(() => assetAll("orders" as never)).toThrow("takes assets");
});

test("watchers of an asset are written beside it, each with its own trigger", () => {
  const arrival = defineTrigger<{ path: string }>("watched_arrival", async ({ path }) => path);
  const watcher = new AssetWatcher("arrivals", arrival({ path: "/in" }));
  const watched = new Asset({ name: "orders", watchers: [watcher] });
  expect(serialize(new Dag("d", { schedule: watched })).timetable).toMatchObject({
    condition: {
      name: "orders",
      watchers: [{ name: "arrivals", classpath: "updraft.trigger.watched_arrival", kwargs: { path: "/in" } }],
    },
  });
  expect(serialize(new Dag("e", { schedule: orders })).timetable).toMatchObject({ condition: ORDERS });
  expect(() => new AssetWatcher("", arrival({ path: "/in" }))).toThrow("needs a name");
  expect(() => new AssetWatcher("w", timeDeltaTrigger(5))).toThrow("a trigger that defineTrigger made");
  expect(() => new Asset({ name: "orders", watchers: [watcher, watcher] })).toThrow(
    'two watchers with the name "arrivals"',
  );
  expect(() => new Asset({ name: "orders", watchers: [arrival({ path: "/in" }) as never] })).toThrow("AssetWatcher");
});

test("a schedule may be an asset, a list, a condition, or assets and a timetable", () => {
  const timetable = (schedule: NonNullable<ConstructorParameters<typeof Dag>[1]>["schedule"]) =>
    serialize(new Dag("d", { schedule })).timetable;
  expect(timetable(orders)).toEqual({ type: "asset", condition: ORDERS, batch: false });
  expect(timetable([orders])).toMatchObject({ condition: { kind: "all", conditions: [ORDERS] }, batch: false });
  expect(timetable([orders, prices])).toMatchObject({ condition: { kind: "all" }, batch: true });
  expect(timetable(assetAny(orders, assetAll(prices, files)))).toEqual({
    type: "asset",
    condition: {
      kind: "any",
      conditions: [ORDERS, { kind: "all", conditions: [PRICES, { kind: "alias", name: "files", group: "asset" }] }],
    },
    batch: true,
  });
  expect(timetable(assetAny(Asset.ref({ name: "a" }), Asset.ref({ uri: "b" })))).toMatchObject({
    condition: {
      conditions: [
        { kind: "name_ref", name: "a" },
        { kind: "uri_ref", uri: "b" },
      ],
    },
  });
  expect(timetable(assetTriggered({ assets: orders, batchAssetEvents: true }))).toMatchObject({ batch: true });
  expect(
    timetable(assetTriggered({ assets: orders, partitionMapper: productMapper(identityMapper, startOfMapper("day")) })),
  ).toMatchObject({
    partition: { kind: "product", mappers: [{ kind: "identity" }, { kind: "start_of", grain: "day" }] },
  });
  const chained = chainMapper(startOfMapper("hour"), allowedKeyMapper(["2026-03-04T05"]));
  expect(timetable(assetTriggered({ assets: orders, partitionMapper: chained }))).toMatchObject({
    partition: { kind: "chain", mappers: [{ grain: "hour" }, { kind: "allowed_keys", keys: ["2026-03-04T05"] }] },
  });
  expect(timetable(assetOrTime({ timetable: "@daily", assets: orders }))).toEqual({
    type: "asset_or_time",
    condition: ORDERS,
    batch: false,
    timetable: DAILY,
  });
  expect(timetable(assetAndTime({ timetable: { cron: "@daily" }, assets: [orders, prices] }))).toMatchObject({
    type: "asset_and_time",
    timetable: DAILY,
  });
});

test("a schedule that can't be read names the Dag and what is wrong", () => {
  const complaint = (schedule: unknown) => {
    const bundle = new Bundle(new Dag("d", { schedule } as never));
    const defaults = { maxActiveRuns: 16, maxActiveTasks: 16, catchup: false };
    return serializeBundle(bundle, { relativeFileloc: "f.ts", defaults }).errors[0]?.stack_trace;
  };
  expect(complaint([])).toContain('schedule for Dag "d" is an empty list');
  expect(complaint(["orders"])).toContain('schedule for Dag "d" must name assets, not');
  expect(complaint(assetTriggered({ assets: [orders, prices], batchAssetEvents: false }))).toContain("leave out");
  expect(complaint(new Asset({ name: "x", uri: "airflow://x" }))).toContain("is reserved");
});

test("the installation may batch the events of every schedule", () => {
  const bundle = new Bundle(new Dag("d", { schedule: orders }));
  const defaults = { maxActiveRuns: 16, maxActiveTasks: 16, catchup: false, batchAssetEvents: true };
  const { dags } = serializeBundle(bundle, { relativeFileloc: "f.ts", defaults });
  expect(dags[0]?.timetable).toMatchObject({ type: "asset", batch: true });
});

test("inlets and outlets are recorded; Airflow's dialect doesn't know them", () => {
  const dag = new Dag("d");
  dag.task("t", () => {}, { inlets: [Asset.ref({ name: "raw" })], outlets: [orders, files] })();
  const task = taskOf(serialize(dag), "t");
  expect(task.inlets).toEqual([{ kind: "name_ref", name: "raw" }]);
  expect(task.outlets).toEqual([ORDERS, { kind: "alias", name: "files", group: "asset" }]);
  const strict = new airflow.Dag("strict");
  expect(() => strict.task("t", () => {}, { outlets: [orders] } as never)).toThrow('Unknown option "outlets"');
  expect(airflow.Asset).toBe(Asset);
});

test("a handler says more about the events that its success makes", async () => {
  const dag = new Dag("d");
  dag.task(
    "t",
    () => {
      const { outletEvents } = getContext();
      outletEvents.of(orders).extra = { rows: 1 };
      outletEvents.of(orders).extra = { ...outletEvents.of(orders).extra, seconds: 2 };
      outletEvents.of(files).add(prices, { part: 7 });
      outletEvents.of(files).add(new Asset({ name: "new" }));
      return "done";
    },
    { outlets: [orders, files] },
  )();
  expect(await runTask(dag, "t")).toEqual({
    kind: "success",
    returnValue: "done",
    xcoms: [],
    outletEvents: [
      { asset: { name: "orders", uri: "s3://lake/orders" }, extra: { rows: 1, seconds: 2 }, alias: null },
      { asset: { name: "s3://lake/prices", uri: "s3://lake/prices" }, extra: { part: 7 }, alias: "files" },
      { asset: { name: "new", uri: "new" }, extra: {}, alias: "files" },
    ],
  });
});

test("a handler sees the events that made its run", async () => {
  const dag = new Dag("d");
  dag.task("t", () => getContext().triggeringAssetEvents as never)();
  const outcome = await runTask(dag, "t", (world) => {
    world.consumedAssetEvents = [
      {
        asset: { name: "orders", uri: "s3://lake/orders", extra: {} },
        extra: { rows: 3 },
        source_task_id: "load",
        source_dag_id: "p",
        source_run_id: "r",
        source_map_index: -1,
        source_aliases: [{ name: "files" }],
        timestamp: "2026-03-01T12:00:00.000Z",
      },
    ];
  });
  expect(outcome).toMatchObject({
    returnValue: [
      {
        asset: { name: "orders", uri: "s3://lake/orders" },
        extra: { rows: 3 },
        timestamp: "2026-03-01T12:00:00.000Z",
        sourceDagId: "p",
        sourceTaskId: "load",
        sourceAliases: ["files"],
        partitionKey: null,
      },
    ],
  });
});

test("a handler reads the events of its inlets, in the order and the range it asks for", async () => {
  const dag = new Dag("d");
  const after = new Date("2026-03-01T00:00:00Z");
  dag.task("t", async () => {
    const { inletEvents } = getContext();
    await inletEvents.of(files, { after, limit: 3, ascending: false });
    await inletEvents.of(Asset.ref({ uri: "u" }), { before: after });
    await inletEvents.of(Asset.ref({ name: "n" }));
    return (await inletEvents.of(orders)) as never;
  })();
  const calls: string[] = [];
  const outcome = await runTask(dag, "t", (world) => {
    Object.assign(world, { calls });
    world.assetEvents = [
      {
        ...{ asset: { name: "orders", uri: "s3://lake/orders" }, extra: null, timestamp: "2026-03-01T12:00:00.000Z" },
        ...{ source_task_id: "load", source_dag_id: "p", source_run_id: "r", source_map_index: 2, partition_key: "eu" },
      },
    ];
  });
  expect(calls.filter((call) => call.startsWith("getAssetEvents")).map((call) => JSON.parse(call.slice(15)))).toEqual([
    { alias: "files", after: after.toISOString(), before: null, ascending: false, limit: 3 },
    { uri: "u", after: null, before: after.toISOString(), ascending: true, limit: null },
    { name: "n", after: null, before: null, ascending: true, limit: null },
    { name: "orders", uri: "s3://lake/orders", after: null, before: null, ascending: true, limit: null },
  ]);
  expect(outcome).toMatchObject({
    returnValue: [
      {
        asset: { name: "orders", uri: "s3://lake/orders" },
        ...{ extra: {}, timestamp: "2026-03-01T12:00:00.000Z", partitionKey: "eu" },
        ...{ sourceDagId: "p", sourceRunId: "r", sourceTaskId: "load", sourceMapIndex: 2 },
      },
    ],
  });
  const broken = new Dag("b");
  broken.task("t", () => getContext().inletEvents.of("orders" as never) as never)();
  expect(await runTask(broken, "t")).toMatchObject({ error: { message: expect.stringContaining("takes an inlet") } });
});

test("the state of an asset is kept by its identity", async () => {
  const dag = new Dag("d");
  dag.task("t", async () => {
    const store = getClient().assetStateStore.forAsset(orders);
    await store.set("cursor", { at: 7 });
    await getClient()
      .assetStateStore.forAsset(Asset.ref({ uri: "u" }))
      .set("cursor", 1);
    const read = await store.get("cursor");
    await store.delete("cursor");
    return [read, await store.get("cursor")];
  })();
  const world = new World();
  expect(await runTask(dag, "t", (made) => Object.assign(world, { assetState: made.assetState }))).toMatchObject({
    returnValue: [{ at: 7 }, null],
  });
  expect([...world.assetState]).toEqual([['[{"uri":"u"},"cursor"]', 1]]);
});
