/** What went into Kafka, what it means by the reference parser, and what Cassandra holds. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createKafkaClient, type KafkaMessage, kafkaSettings } from "@updraft/providers/kafka";
import { Client } from "cassandra-driver";
import { PROJECT } from "../support/product.ts";

/** Pinned; fetched once by pip into a folder of its own. */
const REFERENCE = "prometheus_client==0.22.1";

/** A row as a text, so that two sides compare: metric, job, instance, labels, milliseconds, value. */
export type RowText = string;

/** Every record of the topics of some jobs, dead letters left out. */
export async function recordsOf(kafkaPort: number, topics: readonly string[]): Promise<KafkaMessage[]> {
  const settings = kafkaSettings({ id: "kafka_default", type: "kafka", host: "127.0.0.1", port: kafkaPort });
  const client = createKafkaClient({ settings, clientId: "soak" });
  try {
    const records: KafkaMessage[] = [];
    for (const { topic, partition, earliest, latest } of await client.offsets(topics)) {
      for await (const chunk of client.readRange({ topic, partition, from: earliest, to: latest }))
        records.push(...chunk);
    }
    return records;
  } finally {
    await client.close();
  }
}

/** The samples of the records by Prometheus' own Python parser; scrapes that failed have none. */
export function referenceRows(records: readonly KafkaMessage[]): RowText[] {
  const folder = join(PROJECT, ".updraft", "reference", REFERENCE.replace("==", "-"));
  if (!existsSync(folder)) python(["-m", "pip", "install", "-q", "--no-deps", "--target", folder, REFERENCE], "", {});
  const lines = records
    .filter(({ headers }) => headers.error === undefined)
    .map(({ headers, value }) =>
      JSON.stringify({
        content_type: headers.content_type,
        body: Buffer.from(value ?? []).toString("base64"),
        job: headers.job,
        instance: headers.instance,
        start_ms: Number(headers.scrape_start_ms),
      }),
    );
  const output = python([join(import.meta.dirname, "reference_rows.py")], lines.join("\n"), { PYTHONPATH: folder });
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [metric, job, instance, labels, timestamp, value] = JSON.parse(line);
      return rowText({ metric, job, instance, labels, timestamp, value: Number(readFloat(value)) });
    });
}

/** What Python's repr writes for what JSON can't hold. */
function readFloat(text: string): number {
  if (text === "inf") return Number.POSITIVE_INFINITY;
  if (text === "-inf") return Number.NEGATIVE_INFINITY;
  return text === "nan" ? Number.NaN : Number(text);
}

function python(args: readonly string[], input: string, environment: Readonly<Record<string, string>>): string {
  const result = spawnSync("python3", args, {
    input,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    env: { ...process.env, ...environment },
  });
  if (result.status !== 0) throw new Error(`python3 ${args[0]} failed: ${result.stderr || result.error?.message}`);
  return result.stdout;
}

/** Everything in prometheus_metrics. */
export async function storedRows(cassandraPort: number): Promise<RowText[]> {
  const client = new Client({
    contactPoints: [`127.0.0.1:${cassandraPort}`],
    localDataCenter: "datacenter1",
    credentials: { username: "cassandra", password: "cassandra" },
  });
  try {
    const query = "SELECT metric_name, job, instance, labels, timestamp, value FROM spark_streams.prometheus_metrics";
    const result = await client.execute(query, [], { prepare: true, fetchSize: 2000 });
    const rows: RowText[] = [];
    for await (const row of result) {
      const { metric_name: metric, job, instance, labels, timestamp, value } = row;
      rows.push(rowText({ metric, job, instance, labels: labels ?? {}, timestamp: timestamp.getTime(), value }));
    }
    return rows;
  } finally {
    await client.shutdown();
  }
}

interface Row {
  readonly metric: string;
  readonly job: string;
  readonly instance: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly timestamp: number;
  readonly value: number;
}

function rowText({ metric, job, instance, labels, timestamp, value }: Row): RowText {
  const sorted = Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([metric, job, instance, sorted, timestamp, String(value)]);
}

/** The series that a scrape makes about itself; the reference parser knows nothing of them. */
const OF_THE_SCRAPE = new Set([
  "up",
  "scrape_duration_seconds",
  "scrape_samples_scraped",
  "scrape_samples_post_metric_relabeling",
  "scrape_series_added",
]);

export function isOfTheScrape(row: RowText): boolean {
  return OF_THE_SCRAPE.has(JSON.parse(row)[0]);
}

export function metricOf(row: RowText): string {
  return JSON.parse(row)[0];
}
