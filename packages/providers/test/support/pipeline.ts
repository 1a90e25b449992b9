/** The pipeline between a test's own exporters and real servers, in a keyspace and topics of its own. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { CassandraClient, CassandraRow } from "../../src/cassandra/index.ts";
import type { KafkaClient } from "../../src/kafka/index.ts";
import {
  ensureTables,
  fetchToKafka,
  type ProcessAndStore,
  processAndStore,
  readScrapeConfiguration,
  type StoreSummary,
} from "../../src/prometheus/index.ts";
import { topicOf } from "../../src/prometheus/scrape-record.ts";
import { uniqueName } from "./servers.ts";

export interface Exporter {
  readonly address: string;
  text: string;
  readonly requests: { readonly url: string; readonly headers: Readonly<Record<string, unknown>> }[];
  stop(): Promise<void>;
}

export async function startExporter(text = "", contentType = "text/plain; version=0.0.4"): Promise<Exporter> {
  const server: Server = createServer((request, response) => {
    exporter.requests.push({ url: request.url ?? "", headers: request.headers });
    response.writeHead(200, { "content-type": contentType }).end(exporter.text);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const exporter: Exporter = {
    address: `127.0.0.1:${port}`,
    text,
    requests: [],
    stop: () => new Promise((done) => server.close(() => done())),
  };
  return exporter;
}

export class Pipeline {
  readonly keyspace = uniqueName("store");
  readonly job = uniqueName("job");
  readonly topic = topicOf(this.job);
  readonly groupId = uniqueName("group");
  readonly log: string[] = [];
  readonly kafka: KafkaClient;
  readonly cassandra: CassandraClient;
  readonly #targets: readonly string[];

  constructor(
    servers: { readonly kafka: KafkaClient; readonly cassandra: CassandraClient },
    targets: readonly string[],
  ) {
    this.kafka = servers.kafka;
    this.cassandra = servers.cassandra;
    this.#targets = targets;
  }

  async prepare(): Promise<this> {
    await ensureTables(this.cassandra, this.keyspace, 1);
    return this;
  }

  async fetch() {
    const yaml = `scrape_configs: [{job_name: ${this.job}, scrape_timeout: 2s, static_configs: [{targets: ${JSON.stringify(this.#targets)}}]}]`;
    const configuration = readScrapeConfiguration(yaml, "prometheus.yml");
    return fetchToKafka({
      kafka: this.kafka,
      configuration,
      partitions: 2,
      signal: AbortSignal.timeout(60_000),
      log: this.#logger(),
    });
  }

  async store(runId: string, overrides: Partial<ProcessAndStore> = {}): Promise<StoreSummary> {
    return processAndStore({
      kafka: this.kafka,
      cassandra: this.cassandra,
      keyspace: this.keyspace,
      topics: [this.topic],
      groupId: this.groupId,
      task: { dagId: "d", runId, taskId: "process_and_store" },
      signal: AbortSignal.timeout(60_000),
      log: this.#logger(),
      ...overrides,
    });
  }

  async rows(): Promise<readonly CassandraRow[]> {
    return this.cassandra.select({ query: `SELECT * FROM ${this.keyspace}.prometheus_metrics`, values: [] });
  }

  async table(name: string): Promise<readonly CassandraRow[]> {
    return this.cassandra.select({ query: `SELECT * FROM ${this.keyspace}.${name}`, values: [] });
  }

  async drop(): Promise<void> {
    await this.cassandra.define(`DROP KEYSPACE IF EXISTS ${this.keyspace}`);
  }

  #logger() {
    const at = (level: string) => (event: string) => void this.log.push(`${level}: ${event}`);
    return { info: at("info"), warning: at("warning"), error: at("error") };
  }
}

/** The values of one metric by time, oldest first. */
export function valuesOf(rows: readonly CassandraRow[], metricName: string): number[] {
  return rows
    .filter((row) => row.metric_name === metricName)
    .toSorted((a, b) => Number(a.timestamp) - Number(b.timestamp))
    .map((row) => Number(row.value));
}
