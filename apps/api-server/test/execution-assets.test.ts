/** Assets over the Task Execution API, from the producer's last word to the consumer's first. */
import { executionAssetEventsResponse, inactiveAssetsResponse, runResponse } from "@updraft/contract";
import type { AssetReference } from "@updraft/dag-core";
import { parsedFile } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestServer, type TestServer } from "./test-server.ts";

const orders: AssetReference = {
  kind: "asset",
  name: "orders",
  uri: "s3://orders",
  group: "asset",
  extra: { team: "x" },
};
const files: AssetReference = { kind: "alias", name: "files", group: "asset" };
const other: AssetReference = { ...orders, uri: "s3://other" };

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  const produce = dag("t", { dag_id: "p", relative_fileloc: "p.ts" }, { t: { outlets: [orders, files] } });
  const consume = dag("u", {
    dag_id: "c",
    relative_fileloc: "c.ts",
    timetable: { type: "asset", condition: { kind: "any", conditions: [orders, files] }, batch: true },
  });
  const conflicting = dag(
    "v",
    { dag_id: "q", relative_fileloc: "q.ts" },
    { v: { inlets: [orders], outlets: [other] } },
  );
  for (const form of [produce, consume, conflicting])
    await server.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
});
afterAll(() => server.stop());

async function claim(taskId: string) {
  await expect.poll(() => server.offered.some(({ task_id }) => task_id === taskId)).toBe(true);
  const offer = server.offered.find(({ task_id }) => task_id === taskId);
  if (offer === undefined) throw new Error(`${taskId} was not offered`);
  const body = { state: "running", hostname: "h", unixname: "u", pid: 7, start_date: "2026-01-01T00:00:00Z" };
  const path = `/execution/task-instances/${offer.ti_id}`;
  const answer = await server.call("PATCH", `${path}/run`, { body, token: offer.token });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const token = String(answer.headers.get("refreshed-api-token"));
  const call = (method: string, address: string, sent?: unknown) =>
    server.call(method, `/execution/${address}`, { token, ...(sent === undefined ? {} : { body: sent }) });
  return { path: path.slice("/execution/".length), run: runResponse.parse(answer.body), call };
}

it("a success with outlet events starts the consumer, which is told of what it consumes", async () => {
  await server.rest("POST", "/api/v2/dags/p/dagRuns", { dag_run_id: "one", logical_date: null });
  const producer = await claim("t");
  expect(producer.run.dag_run.consumed_asset_events).toEqual([]);
  expect(producer.run.updraft.inactive_assets).toEqual([]);
  const validated = await producer.call("GET", `${producer.path}/validate-inlets-and-outlets`);
  expect(inactiveAssetsResponse.parse(validated.body)).toEqual({ inactive_assets: [] });
  const ended = await producer.call("PATCH", `${producer.path}/state`, {
    state: "success",
    end_date: "2026-01-01T00:00:01Z",
    task_outlets: [
      { name: "orders", uri: "s3://orders", type: "Asset" },
      { name: "files", uri: null, type: "AssetAlias" },
    ],
    outlet_events: [
      { dest_asset_key: { name: "orders", uri: "s3://orders" }, extra: { rows: 3 } },
      {
        dest_asset_key: { name: "part", uri: "s3://part" },
        extra: {},
        source_alias_name: "files",
        dest_asset_extra: {},
      },
    ],
  });
  expect(ended.status).toBe(204);
  server.announce((await server.store.createAssetRuns()).announcement);
  const consumer = await claim("u");
  expect(consumer.run.dag_run).toMatchObject({ run_type: "asset_triggered", logical_date: null });
  expect(consumer.run.dag_run.consumed_asset_events).toMatchObject([
    {
      asset: { name: "orders", uri: "s3://orders", extra: { team: "x" } },
      extra: { rows: 3 },
      source_dag_id: "p",
      source_run_id: "one",
      source_task_id: "t",
      source_map_index: -1,
      source_aliases: [],
      partition_key: null,
    },
    { asset: { name: "part" }, source_aliases: [{ name: "files" }] },
  ]);

  const by = async (path: string) => {
    const answer = await consumer.call("GET", path);
    expect(answer.status, path).toBe(200);
    return answer.body;
  };
  expect(await by("assets/by-name?name=orders")).toEqual({
    name: "orders",
    uri: "s3://orders",
    group: "asset",
    extra: { team: "x" },
  });
  expect(await by("assets/by-uri?uri=s3%3A%2F%2Fpart")).toMatchObject({ name: "part" });
  expect(await by("assets/by-alias?alias_name=files")).toMatchObject([{ name: "part" }]);
  const events = executionAssetEventsResponse.parse(await by("asset-events/by-asset?name=orders&uri=s3://orders"));
  expect(events.asset_events).toMatchObject([
    { extra: { rows: 3 }, source_task_id: "t", created_dagruns: [{ dag_id: "c", state: "running" }] },
  ]);
  expect((await by("asset-events/by-asset-alias?name=files&ascending=false")).asset_events).toHaveLength(1);
  expect((await by("asset-events/by-asset?name=orders&before=2020-01-01T00:00:00Z")).asset_events).toEqual([]);
  expect((await consumer.call("GET", "assets/by-name?name=none")).body).toEqual({
    detail: { reason: "not_found", message: "Asset with name none not found" },
  });
  expect((await consumer.call("GET", "asset-events/by-asset")).status).toBe(400);
  expect((await server.call("GET", "/execution/assets/by-name?name=orders")).status).toBe(401);
});

it("an asset keeps values by its name and its uri alike", async () => {
  await server.rest("POST", "/api/v2/dags/q/dagRuns", { dag_run_id: "one", logical_date: null });
  const { call, path, run } = await claim("v");
  const named = "store/asset/by-name/value?name=orders&key=cursor";
  expect((await call("GET", named)).status).toBe(404);
  expect((await call("PUT", named, { value: { at: 3 } })).status).toBe(204);
  expect((await call("GET", "store/asset/by-uri/value?uri=s3://orders&key=cursor")).body).toEqual({ value: { at: 3 } });
  expect((await call("PUT", named, {})).status).toBe(422);
  expect((await call("DELETE", "store/asset/by-uri/value?uri=s3://orders&key=cursor")).status).toBe(204);
  expect((await call("GET", named)).status).toBe(404);
  await call("PUT", named, { value: 1 });
  expect((await call("DELETE", "store/asset/by-name/clear?name=orders")).status).toBe(204);
  expect((await call("GET", named)).status).toBe(404);
  expect((await call("GET", "store/asset/by-name/value?name=none&key=k")).body.detail.reason).toBe("not_found");
  expect((await call("GET", "store/asset/by-name/value?name=orders")).status).toBe(422);

  // Its outlet has the name of another active asset.
  const inactive = [{ name: "orders", uri: "s3://other", type: "Asset" }];
  expect(run.updraft.inactive_assets).toEqual(inactive);
  expect((await call("GET", `${path}/validate-inlets-and-outlets`)).body).toEqual({ inactive_assets: inactive });
});
