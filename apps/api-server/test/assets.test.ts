/** Assets over REST v2 and the private UI API. */
import {
  assetAliasCollectionResponse,
  assetCollectionResponse,
  assetEventCollectionResponse,
  assetEventResponse,
  assetResponse,
  assetStateStoreCollectionResponse,
  assetStateStoreResponse,
  dependenciesResponse,
  nextRunAssetsResponse,
  queuedEventCollectionResponse,
  queuedEventResponse,
} from "@updraft/contract";
import type { AssetReference } from "@updraft/dag-core";
import { parsedFile } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { z } from "zod";
import { startTestServer, type TestServer } from "./test-server.ts";

const asset = (name: string): AssetReference => ({
  kind: "asset",
  name,
  uri: `s3://${name}`,
  group: "asset",
  extra: {},
});
const orders = asset("orders");
const prices = asset("prices");
const files: AssetReference = { kind: "alias", name: "files", group: "asset" };

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  const forms = [
    dag("load", { dag_id: "p", relative_fileloc: "p.ts" }, { load: { outlets: [orders] } }),
    dag("twice", { dag_id: "r", relative_fileloc: "r.ts" }, { twice: { outlets: [asset("shared")] } }),
    dag("thrice", { dag_id: "s", relative_fileloc: "s.ts" }, { thrice: { outlets: [asset("shared")] } }),
    dag(
      "use",
      {
        dag_id: "c",
        relative_fileloc: "c.ts",
        timetable: { type: "asset", condition: { kind: "all", conditions: [orders, prices] }, batch: true },
      },
      { use: { inlets: [orders] } },
    ),
    dag("any", {
      dag_id: "a",
      relative_fileloc: "a.ts",
      timetable: { type: "asset", condition: { kind: "any", conditions: [prices, files] }, batch: false },
    }),
  ];
  for (const form of forms)
    await server.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
});
afterAll(() => server.stop());

async function get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
  const answer = await server.rest("GET", path);
  expect(answer.status, `${path}: ${JSON.stringify(answer.body)}`).toBe(200);
  return schema.parse(answer.body);
}

async function refusal(method: string, path: string, body?: unknown) {
  const answer = await server.rest(method, path, body);
  return { status: answer.status, detail: answer.body.detail };
}

async function idOf(name: string): Promise<number> {
  const { assets } = await get(`/api/v2/assets?name_prefix_pattern=${name}`, assetCollectionResponse);
  return assets[0]?.id ?? 0;
}

async function post(name: string, extra: object = {}) {
  const answer = await server.rest("POST", "/api/v2/assets/events", { asset_id: await idOf(name), extra });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return assetEventResponse.parse(answer.body);
}

it("lists assets with everything that names them", async () => {
  const { assets, total_entries } = await get("/api/v2/assets?order_by=-name&limit=2", assetCollectionResponse);
  expect(total_entries).toBe(3);
  expect(assets.map(({ name }) => name)).toEqual(["shared", "prices"]);
  const one = await get(`/api/v2/assets/${await idOf("orders")}`, assetResponse);
  expect(one).toMatchObject({
    uri: "s3://orders",
    scheduled_dags: [{ dag_id: "c" }],
    producing_tasks: [{ dag_id: "p", task_id: "load" }],
    consuming_tasks: [{ dag_id: "c", task_id: "use" }],
    last_asset_event: null,
  });
  const byDag = await get("/api/v2/assets?dag_ids=p&dag_ids=a&uri_pattern=S3", assetCollectionResponse);
  expect(byDag.assets.map(({ name }) => name).toSorted()).toEqual(["orders", "prices"]);
  const aliases = await get("/api/v2/assets/aliases?name_pattern=fil", assetAliasCollectionResponse);
  expect(aliases.asset_aliases).toMatchObject([{ name: "files", group: "asset" }]);
  const alias = await server.rest("GET", `/api/v2/assets/aliases/${aliases.asset_aliases[0]?.id}`);
  expect(alias.body).toEqual(aliases.asset_aliases[0]);
});

it("refuses what isn't there in Airflow's words", async () => {
  expect(await refusal("GET", "/api/v2/assets/999")).toEqual({
    status: 404,
    detail: "The Asset with ID: `999` was not found",
  });
  expect((await refusal("GET", "/api/v2/assets/many")).status).toBe(422);
  expect((await refusal("GET", "/api/v2/assets?order_by=group")).status).toBe(400);
  expect((await refusal("GET", "/api/v2/assets/aliases/999")).status).toBe(404);
  expect((await refusal("POST", "/api/v2/assets/events", { asset_id: 999 })).detail).toBe(
    "Asset with ID: `999` was not found",
  );
  expect((await refusal("POST", "/api/v2/assets/events", { asset_id: 1, more: 2 })).status).toBe(422);
  expect((await refusal("DELETE", "/api/v2/dags/c/assets/queuedEvents")).detail).toBe(
    "Queue event with dag_id: `c` was not found",
  );
  expect((await refusal("GET", "/api/v2/dags/c/dagRuns/none/upstreamAssetEvents")).status).toBe(404);
  expect((await server.call("GET", "/api/v2/assets")).status).toBe(401);
});

it("queues a posted event for who waits, shows it, and removes it", async () => {
  const event = await post("prices", { by: "hand" });
  expect(event).toMatchObject({
    name: "prices",
    extra: { by: "hand", from_rest_api: true },
    source_dag_id: null,
    source_map_index: -1,
    created_dagruns: [],
  });
  const id = await idOf("prices");
  const ofDag = await get("/api/v2/dags/c/assets/queuedEvents", queuedEventCollectionResponse);
  expect(ofDag).toMatchObject({
    total_entries: 1,
    queued_events: [{ dag_id: "c", asset_id: id, dag_display_name: "c" }],
  });
  const ofAsset = await get(`/api/v2/assets/${id}/queuedEvents`, queuedEventCollectionResponse);
  expect(ofAsset.queued_events.map(({ dag_id }) => dag_id).toSorted()).toEqual(["a", "c"]);
  await get(`/api/v2/dags/c/assets/${id}/queuedEvents`, queuedEventResponse);
  const next = await get("/ui/next_run_assets/c", nextRunAssetsResponse);
  expect(next.asset_expression).toMatchObject({ all: [{ asset: { name: "orders" } }, { asset: { name: "prices" } }] });
  expect(next.events.map(({ name, received_count }) => [name, received_count])).toEqual([
    ["orders", 0],
    ["prices", 1],
  ]);
  const early = "before=2020-01-01T00:00:00Z";
  expect((await refusal("DELETE", `/api/v2/dags/c/assets/${id}/queuedEvents?${early}`)).status).toBe(404);
  expect((await server.rest("DELETE", `/api/v2/dags/c/assets/${id}/queuedEvents`)).status).toBe(204);
  expect((await refusal("GET", `/api/v2/dags/c/assets/${id}/queuedEvents`)).detail).toBe(
    `Queued event with dag_id: \`c\` and asset_id: \`${id}\` was not found`,
  );
  expect((await server.rest("DELETE", `/api/v2/assets/${id}/queuedEvents`)).status).toBe(204);
});

it("shows which events a run consumed, and which runs an event made", async () => {
  await post("orders");
  await post("orders");
  const last = await post("prices");
  await server.store.createAssetRuns();
  const runs = await server.rest("GET", "/api/v2/dags/c/dagRuns");
  const [run] = runs.body.dag_runs;
  expect(run).toMatchObject({ run_type: "asset_triggered", triggered_by: "asset", logical_date: null });
  const consumed = await get(
    `/api/v2/dags/c/dagRuns/${encodeURIComponent(run.dag_run_id)}/upstreamAssetEvents`,
    assetEventCollectionResponse,
  );
  expect(consumed.asset_events.map(({ name }) => name)).toEqual(["orders", "orders", "prices"]);
  expect(consumed.asset_events.map(({ created_dagruns }) => created_dagruns[0]?.triggering)).toEqual([
    false,
    false,
    true,
  ]);
  const events = await get(
    "/api/v2/assets/events?name_pattern=price&order_by=-timestamp&limit=1",
    assetEventCollectionResponse,
  );
  expect(events.asset_events).toMatchObject([{ id: last.id, created_dagruns: expect.arrayContaining([]) }]);
  expect(events.asset_events[0]?.created_dagruns.map(({ dag_id }) => dag_id).toSorted()).toContain("c");
});

it("materializes an asset by a run of the DAG that updates it", async () => {
  const answer = await server.rest("POST", `/api/v2/assets/${await idOf("orders")}/materialize`, {
    conf: { full: true },
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  expect(answer.body).toMatchObject({ dag_id: "p", run_type: "asset_materialization", conf: { full: true } });
  expect(answer.body.dag_run_id).toMatch(/^asset_materialization__/);
  expect((await server.rest("POST", `/api/v2/assets/${await idOf("orders")}/materialize`)).status).toBe(200);
  expect(await refusal("POST", `/api/v2/assets/${await idOf("prices")}/materialize`)).toMatchObject({ status: 404 });
  expect(await refusal("POST", `/api/v2/assets/${await idOf("shared")}/materialize`)).toMatchObject({ status: 409 });
});

it("keeps values with an asset", async () => {
  const path = `/api/v2/assets/${await idOf("orders")}/state-store`;
  expect((await server.rest("PUT", `${path}/cursor`, { value: [1, 2] })).status).toBe(204);
  expect(await get(`${path}/cursor`, assetStateStoreResponse)).toMatchObject({
    key: "cursor",
    value: [1, 2],
    last_updated_by: { kind: "api", dag_id: null },
  });
  expect((await get(path, assetStateStoreCollectionResponse)).total_entries).toBe(1);
  expect((await server.rest("DELETE", `${path}/cursor`)).status).toBe(204);
  expect((await refusal("GET", `${path}/cursor`)).status).toBe(404);
  await server.rest("PUT", `${path}/k`, { value: null });
  expect((await server.rest("DELETE", path)).status).toBe(204);
  expect((await get(path, assetStateStoreCollectionResponse)).total_entries).toBe(0);
});

it("draws the graph of DAGs and assets, whole or around one of them", async () => {
  const id = await idOf("orders");
  const whole = await get("/ui/dependencies", dependenciesResponse);
  expect(whole.edges).toContainEqual({ source_id: "dag:p", target_id: `asset:${id}` });
  expect(whole.edges).toContainEqual({ source_id: `asset:${id}`, target_id: "dag:c" });
  const around = await get("/ui/dependencies?node_id=dag:p", dependenciesResponse);
  expect(around.nodes.map(({ label }) => label).toSorted()).toEqual(["a", "c", "orders", "p", "prices"]);
  const data = await get(`/ui/dependencies?dependency_type=data&node_id=asset:${id}`, dependenciesResponse);
  expect(data.nodes.map(({ label }) => label).toSorted()).toEqual(["c.use", "orders", "p.load"]);
  expect((await refusal("GET", "/ui/dependencies?node_id=dag:none")).status).toBe(404);
  expect((await refusal("GET", "/ui/dependencies?dependency_type=data")).status).toBe(400);
  const details = await server.rest("GET", "/api/v2/dags/a/details");
  expect(details.body.asset_expression).toMatchObject({
    any: [{ asset: { name: "prices" } }, { alias: { name: "files" } }],
  });
});
