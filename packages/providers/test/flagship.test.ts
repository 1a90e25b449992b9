/** The DAG prometheus_to_kafka_and_cassandra as it is shipped, run by the SDK's host on real servers. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { ConnectionResult, JsonValue } from "@updraft/sdk";
import {
  type Bundle,
  installSdkResolver,
  type LogRecord,
  loadBundle,
  type RawClient,
  type RawConnection,
  runHandler,
  serializeBundle,
  type TaskOutcome,
} from "@updraft/sdk/host";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readScrapeConfiguration } from "../src/prometheus/index.ts";
import { type Exporter, startExporter } from "./support/pipeline.ts";
import {
  cassandraConnection,
  kafkaConnection,
  openCassandra,
  startLimitMs,
  type TestServer,
  testCassandra,
  testKafka,
  uniqueName,
} from "./support/servers.ts";

const root = resolve(import.meta.dirname, "../../..");
const dagId = "prometheus_to_kafka_and_cassandra";
const keyspace = uniqueName("flagship");
const job = uniqueName("job");
let kafka: TestServer;
let cassandra: TestServer;
let exporter: Exporter;
let folder: string;
let bundle: Bundle;

beforeAll(async () => {
  [kafka, cassandra] = await Promise.all([testKafka(), testCassandra()]);
  exporter = await startExporter("a 1\nb 2\n");
  folder = await mkdtemp(join(tmpdir(), "updraft-flagship-"));
  const jobs = [{ job_name: job, static_configs: [{ targets: [exporter.address] }] }];
  await writeFile(join(folder, "prometheus.yml"), JSON.stringify({ scrape_configs: jobs }));
  installSdkResolver();
  bundle = await loadBundle(pathToFileURL(join(root, "dags", `${dagId}.ts`)).href);
}, startLimitMs);
afterAll(async () => {
  const client = await openCassandra(cassandra.url, keyspace);
  await client.define(`DROP KEYSPACE IF EXISTS ${keyspace}`);
  await client.close();
  await exporter.stop();
  await rm(folder, { recursive: true, force: true });
  await Promise.all([kafka.stop(), cassandra.stop()]);
});

interface World {
  readonly connections: Readonly<Record<string, ConnectionResult>>;
  readonly log: LogRecord[];
}

function world(changes: Readonly<Record<string, ConnectionResult>> = {}): World {
  const own = {
    kafka_default: kafkaConnection(kafka.url),
    cassandra_default: cassandraConnection(cassandra.url, keyspace),
  };
  return { connections: { ...own, ...changes }, log: [] };
}

async function run(
  taskId: string,
  runId: string,
  { connections, log }: World,
  args: Record<string, never> | object = {},
): Promise<TaskOutcome> {
  const instant = "2026-01-02T03:04:05.000Z";
  return runHandler({
    bundle,
    dagId,
    taskId,
    context: {
      dag_id: dagId,
      task_id: taskId,
      run_id: runId,
      try_number: 1,
      map_index: -1,
      logical_date: instant,
      data_interval_start: instant,
      data_interval_end: instant,
      run_after: instant,
      conf: {},
      run_type: "scheduled",
      max_tries: 6,
    },
    inputs: {
      bindings: Object.entries(args).map(([name, value]) => ({ name, kind: "literal", value: value as JsonValue })),
      xcoms: {},
    },
    client: clientOf(connections),
    log: (record) => log.push(record),
    signal: AbortSignal.timeout(60_000),
  });
}

/** The metadata a task asks for; this DAG asks for one variable and two connections. */
function clientOf(connections: World["connections"]): RawClient {
  const known: Pick<RawClient, "getVariable" | "getConnection" | "maskSecret"> = {
    getVariable: async (key) => (key === "prometheus_config" ? join(folder, "prometheus.yml") : null),
    getConnection: async (id) => toRaw(connections[id]),
    maskSecret: () => undefined,
  };
  return known as RawClient;
}

function toRaw(connection: ConnectionResult | undefined): RawConnection | null {
  if (connection === undefined) return null;
  const {
    id: conn_id,
    type: conn_type,
    host = null,
    schema = null,
    login = null,
    password = null,
    port = null,
    extra = null,
  } = connection;
  return { conn_id, conn_type, host, schema, login, password, port, extra };
}

/** Timers are the test runner's as well, so only what talks to a server is looked at. */
function openSockets(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kind !== "Timeout" && kind !== "Immediate")
    .toSorted();
}

describe("the flagship DAG", () => {
  it("says when it runs and how often a task is tried", () => {
    const { dags, errors } = serializeBundle(bundle, {
      relativeFileloc: `${dagId}.ts`,
      defaults: { maxActiveRuns: 16, maxActiveTasks: 16, catchup: false },
    });
    expect(errors).toEqual([]);
    expect(dags[0]).toMatchObject({ dag_id: dagId, max_active_runs: 16 });
    expect(dags[0]?.tasks).toMatchObject([
      { task_id: "fetch_to_kafka", retries: 5, retry_delay: 4, downstream_task_ids: ["process_and_store"] },
      { task_id: "process_and_store", retries: 5, max_active_tis_per_dag: 1 },
    ]);
  });

  it("takes a scrape to a row for each sample, and leaves no handle behind", async () => {
    const at = world();
    const before = openSockets();
    const fetched = await run("fetch_to_kafka", "r1", at);
    expect(fetched).toMatchObject({
      kind: "success",
      returnValue: { targets: 1, up: 1, topics: [`prometheus_metrics_${job}`] },
    });
    const stored = await run("process_and_store", "r1", at, {
      fetched: "returnValue" in fetched ? fetched.returnValue : null,
    });
    expect(stored).toMatchObject({ kind: "success", returnValue: { records: 1, samples: 2, rows: 7 } });
    expect(at.log.map((record) => record.event).join("\n")).toMatch(
      /Scraped 1 targets, 1 up, 8 bytes.*\n(.*\n)*Stored 1 scrapes of 1 targets: 8 bytes, 2 samples, 7 rows/,
    );
    await delay(100);
    expect(openSockets()).toEqual(before);
    const client = await openCassandra(cassandra.url, keyspace);
    expect(await client.select({ query: `SELECT * FROM ${keyspace}.prometheus_metrics`, values: [] })).toHaveLength(7);
    await client.close();
  });

  it.each([
    [
      "Kafka is away",
      "fetch_to_kafka",
      { kafka_default: { id: "kafka_default", type: "kafka", host: "127.0.0.1", port: 1 } },
      true,
      /check that the broker runs/,
    ],
    [
      "Cassandra is away",
      "process_and_store",
      { cassandra_default: { id: "cassandra_default", type: "cassandra", host: "127.0.0.1", port: 1 } },
      true,
      /check that Cassandra runs/,
    ],
    [
      "a connection is wrong",
      "fetch_to_kafka",
      { kafka_default: { id: "kafka_default", type: "kafka" } },
      false,
      /names no broker/,
    ],
  ])("fails fast with its reason when %s", async (_, taskId, changes, retry, reason) => {
    const began = Date.now();
    const outcome = await run(taskId, "r2", world(changes), { fetched: { topics: [] } });
    expect(outcome).toMatchObject({ kind: "failed", retry, error: { message: expect.stringMatching(reason) } });
    expect(Date.now() - began).toBeLessThan(8000);
  });
});

describe("the shipped DAGs", () => {
  it("all load", async () => {
    const files = (await readdir(join(root, "dags"))).filter((file) => file.endsWith(".ts"));
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) {
      const loaded = await loadBundle(pathToFileURL(join(root, "dags", file)).href).catch((error: unknown) => error);
      // The file of the flagship was loaded above, and a module runs once.
      if (file !== `${dagId}.ts`) expect(loaded, file).toHaveProperty("dags");
    }
  });
});

describe("the shipped configurations", () => {
  it.each([
    ["prometheus.yml", ["updraft", "node"]],
    ["docker/prometheus/prometheus.yml", ["updraft", "node", "prometheus"]],
  ])("%s can be read", async (file, jobs) => {
    const { jobNames } = readScrapeConfiguration(await readFile(join(root, file), "utf8"), file);
    expect(jobNames).toEqual(jobs);
  });
});
