/** A DAG that updates assets and a DAG that waits for them, through the whole product. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Product, startProduct } from "../support/product.ts";
import { type RestClient, until } from "../support/rest-client.ts";

const PRODUCER = "conf_assets_producer";
const CONSUMER = "conf_assets_consumer";
/** Far above what a quiet machine needs, below the sweep that finds what nobody was woken for. */
const SLOWEST_MEDIAN_MS = 500;

let product: Product;
let rest: RestClient;

beforeAll(async () => {
  product = await startProduct({ dagsFolder: join(import.meta.dirname, "dags") });
  rest = product.rest;
  for (const dag of [PRODUCER, CONSUMER]) {
    await rest.waitForDag(dag);
    await rest.setPaused(dag, false);
  }
}, 180_000);

afterAll(() => product?.stop(), 60_000);

/** Runs the producer and waits until the consumer has `runs` finished runs. */
async function produce(runs: number, conf: Record<string, unknown> = {}): Promise<string> {
  const { dag_run_id } = await rest.trigger(PRODUCER, conf);
  await rest.waitForRun(PRODUCER, dag_run_id);
  await until(
    `the consumer has ${runs} successful runs`,
    30_000,
    async () => (await rest.runs(CONSUMER)).filter(({ state }) => state === "success").length === runs,
  );
  return dag_run_id;
}

async function returned(runId: string): Promise<unknown> {
  const path = `/api/v2/dags/${CONSUMER}/dagRuns/${encodeURIComponent(runId)}/taskInstances/consume/xcomEntries/return_value`;
  return (await rest.ok<{ value: unknown }>("GET", path)).value;
}

it("a producer's success makes a run of the consumer that knows its events", async () => {
  const source = await produce(1);
  const [run] = await rest.runs(CONSUMER);
  expect(run).toMatchObject({ run_type: "asset_triggered", triggered_by: "asset", logical_date: null });
  const runId = run?.dag_run_id ?? "";
  expect(await returned(runId)).toEqual({
    events: [{ name: "conf_orders", extra: { rows: 3 }, sourceDagId: PRODUCER }],
    newest: [{ rows: 3 }],
    writtenBy: source,
  });
  const { asset_events } = await rest.ok<{ asset_events: object[] }>(
    "GET",
    `/api/v2/dags/${CONSUMER}/dagRuns/${encodeURIComponent(runId)}/upstreamAssetEvents`,
  );
  expect(asset_events).toMatchObject([
    {
      name: "conf_orders",
      extra: { rows: 3 },
      source_dag_id: PRODUCER,
      source_task_id: "produce",
      source_run_id: source,
    },
  ]);
});

it("an alias brings an asset that no file declares, and each event makes a run", async () => {
  await produce(3, { file: "part-1" });
  const runs = await rest.runs(CONSUMER);
  const names = await Promise.all(
    runs.map(
      async ({ dag_run_id }) => ((await returned(dag_run_id)) as { events: { name: string }[] }).events[0]?.name,
    ),
  );
  expect(names.toSorted()).toEqual(["conf_orders", "conf_orders", "part-1"]);
});

it("an event starts the consumer's first task without waiting for a sweep", async () => {
  const before = (await rest.runs(CONSUMER)).length;
  for (let n = 1; n <= 20; n += 1) await produce(before + n);
  const waits = await Promise.all(
    (await rest.runs(CONSUMER)).slice(0, 20).map(async ({ dag_run_id, run_after }) => {
      const [task] = await rest.taskInstances(CONSUMER, dag_run_id);
      return Date.parse(task?.start_date ?? "") - Date.parse(run_after);
    }),
  );
  const sorted = waits.toSorted((left, right) => left - right);
  const [median = 0, slowest = 0] = [sorted[10], sorted.at(-1)];
  console.log(`event to the start of the consumer's first task: p50 ${median} ms, slowest of 20 ${slowest} ms`);
  expect(median).toBeLessThan(SLOWEST_MEDIAN_MS);
});
