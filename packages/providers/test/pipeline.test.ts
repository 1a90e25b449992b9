/** The pipeline on real servers: what a scrape becomes, and that nothing is lost or doubled whatever happens between. */
import { Admin } from "@platformatic/kafka";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CassandraClient } from "../src/cassandra/index.ts";
import type { KafkaClient } from "../src/kafka/index.ts";
import { deadLetterTopic, ensureTables, LeaseLostError } from "../src/prometheus/index.ts";
import { CutOffError, Fuse, withFuse } from "./support/faulty.ts";
import { type Exporter, Pipeline, startExporter, valuesOf } from "./support/pipeline.ts";
import {
  openCassandra,
  openKafka,
  startLimitMs,
  type TestServer,
  testCassandra,
  testKafka,
} from "./support/servers.ts";

const reports = 5;
const servers: TestServer[] = [];
let kafka: KafkaClient;
let cassandra: CassandraClient;
let exporter: Exporter;
let pipeline: Pipeline;

beforeAll(async () => {
  servers.push(...(await Promise.all([testKafka(), testCassandra()])));
  kafka = openKafka(servers[0]?.url ?? "");
  cassandra = await openCassandra(servers[1]?.url ?? "", "none");
}, startLimitMs);
afterAll(async () => {
  await Promise.all([kafka.close(), cassandra.close()]);
  await Promise.all(servers.map((server) => server.stop()));
});

beforeEach(async () => {
  exporter = await startExporter('# TYPE a counter\na{x="1"} 1\na{x="2"} 2\nb 3\n');
  pipeline = await new Pipeline({ kafka, cassandra }, [exporter.address]).prepare();
  return async () => {
    await exporter.stop();
    await pipeline.drop();
  };
});

const samples = 3;

describe("a scrape", () => {
  it("becomes a row for each sample and for each report", async () => {
    expect(await pipeline.fetch()).toMatchObject({ targets: 1, up: 1, topics: [pipeline.topic] });
    expect(await pipeline.store("r1")).toMatchObject({
      records: 1,
      targets: 1,
      samples,
      rows: samples + reports,
      deadLetters: 0,
      left: 0,
    });
    const rows = await pipeline.rows();
    expect(rows).toHaveLength(samples + reports);
    const [first] = rows.filter((row) => row.metric_name === "a" && row.value === 1);
    expect(first).toMatchObject({ job: pipeline.job, instance: exporter.address, labels: { x: "1" } });
    expect(Number(first?.timestamp) - Number(first?.bucket)).toBeLessThan(3_600_000);
    expect(
      Object.fromEntries(rows.filter((row) => row.metric_name !== "a").map((row) => [row.metric_name, row.value])),
    ).toMatchObject({
      up: 1,
      scrape_samples_scraped: samples,
      scrape_samples_post_metric_relabeling: samples,
      scrape_series_added: samples,
      b: 3,
    });
    expect(await pipeline.table("prometheus_series")).toHaveLength(samples);
    expect(pipeline.log.at(-1)).toMatch(/Stored 1 scrapes of 1 targets: \d+ bytes, 3 samples, 8 rows/);
  });

  it("asks as Prometheus asks", async () => {
    await pipeline.fetch();
    expect(exporter.requests[0]).toMatchObject({
      url: "/metrics",
      headers: {
        accept: expect.stringMatching(
          /^application\/openmetrics-text;version=1\.0\.0;escaping=allow-utf-8;q=0\.5,.*\*\/\*;q=0\.1$/,
        ),
        "accept-encoding": "gzip",
        "x-prometheus-scrape-timeout-seconds": "2",
      },
    });
  });

  it("counts as new what the scrape before did not have", async () => {
    await pipeline.fetch();
    await pipeline.store("r1");
    await pipeline.fetch();
    exporter.text += "c 4\n";
    await pipeline.fetch();
    await pipeline.store("r2");
    expect(valuesOf(await pipeline.rows(), "scrape_series_added")).toEqual([3, 0, 1]);
  });

  it("of a target that is away leaves up 0, and the others are stored", async () => {
    const away = await new Pipeline({ kafka, cassandra }, ["127.0.0.1:1", exporter.address]).prepare();
    expect(await away.fetch()).toMatchObject({ targets: 2, up: 1 });
    await away.store("r1");
    const up = (await away.rows()).filter((row) => row.metric_name === "up");
    expect(up.map((row) => [row.instance, row.value]).sort()).toEqual([
      ["127.0.0.1:1", 0],
      [exporter.address, 1],
    ]);
    expect(await away.rows()).toHaveLength(samples + 2 * reports);
    await away.drop();
  });

  it("that nobody can parse goes to the dead letters, once, and holds nothing up", async () => {
    await pipeline.fetch();
    exporter.text = "a{ 1\n";
    await pipeline.fetch();
    await kafka.produce([{ topic: pipeline.topic, key: "k", value: Buffer.from("?"), headers: {} }]);
    exporter.text = "a 1\n";
    await pipeline.fetch();
    expect(await pipeline.store("r1")).toMatchObject({ records: 4, deadLetters: 2 });
    expect(valuesOf(await pipeline.rows(), "up")).toEqual([1, 0, 1]);
    const noted = await pipeline.table("kafka_dead_letters");
    expect(noted.map((row) => row.error).sort()).toEqual([
      "it has no header labels; it was not written by fetch_to_kafka",
      'line 1, column 4: expected a label name, found "1"',
    ]);
    const letters = await deadLettersOf(pipeline.topic);
    expect(letters.map((letter) => Buffer.from(letter.value ?? []).toString()).sort()).toEqual(["?", "a{ 1\n"]);
  });
});

async function deadLettersOf(topic: string) {
  const [end] = await kafka.offsets([deadLetterTopic]);
  const letters = [];
  for await (const chunk of kafka.readRange({ topic: deadLetterTopic, partition: 0, from: 0n, to: end?.latest ?? 0n }))
    letters.push(...chunk.filter((letter) => letter.headers.dead_letter_source?.startsWith(`${topic}/`)));
  return letters;
}

describe("storing", () => {
  it.each(["request", "answer"] as const)(
    "cut off at each call, losing the %s, loses and doubles nothing",
    { timeout: 120_000 },
    async (lost) => {
      let scrapes = 0;
      for (let calls = 1; ; calls++) {
        await pipeline.fetch();
        scrapes++;
        const fuse = new Fuse(calls, lost);
        const cut = { kafka: withFuse(kafka, fuse), cassandra: withFuse(cassandra, fuse) };
        const outcome = await pipeline.store(`r${calls}`, cut).catch((error: unknown) => error);
        if (!fuse.blown) break;
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(CutOffError);
        await pipeline.store(`r${calls}`);
        expect(await pipeline.rows()).toHaveLength(scrapes * (samples + reports));
      }
      expect(scrapes).toBeGreaterThan(8);
      const rows = await pipeline.rows();
      expect(rows).toHaveLength(scrapes * (samples + reports));
      expect(valuesOf(rows, "scrape_series_added")).toEqual([samples, ...Array.from({ length: scrapes - 1 }, () => 0)]);
      const batches = await pipeline.table("kafka_batches");
      expect(new Set(batches.map((row) => row.state))).toEqual(new Set(["done"]));
    },
  );

  it("again does nothing", async () => {
    await pipeline.fetch();
    await pipeline.store("r1");
    expect(await pipeline.store("r1")).toMatchObject({ records: 0, rows: 0 });
    expect(await pipeline.store("r2")).toMatchObject({ records: 0, rows: 0, ranges: 0 });
    expect(await pipeline.rows()).toHaveLength(samples + reports);
  });

  it("by two runs at once stores each record once, with no double row", async () => {
    for (let n = 0; n < 6; n++) await pipeline.fetch();
    const both = await Promise.all([pipeline.store("r1"), pipeline.store("r2")]);
    expect(both.reduce((sum, one) => sum + one.records, 0)).toBe(6);
    expect(await pipeline.rows()).toHaveLength(6 * (samples + reports));
  });

  it("by a try that was thought dead commits nothing after the next try took over", async () => {
    for (let n = 0; n < 3; n++) await pipeline.fetch();
    const gate = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const slow = except({
      write: async (groups, concurrency) => {
        reached.resolve();
        await gate.promise;
        await cassandra.write(groups, concurrency);
      },
    });
    const zombie = pipeline.store("r1", { cassandra: slow }).catch((error: unknown) => error);
    await reached.promise;
    expect(await pipeline.store("r1")).toMatchObject({ records: 3 });
    await pipeline.fetch();
    gate.resolve();
    expect(await zombie).toBeInstanceOf(LeaseLostError);
    expect(await pipeline.store("r2")).toMatchObject({ records: 1 });
    expect(await pipeline.rows()).toHaveLength(4 * (samples + reports));
  });

  it("leaves alone what another run has stored of a frozen range", async () => {
    await pipeline.fetch();
    const full = except({ write: async () => Promise.reject(new Error("disk full")) });
    await expect(pipeline.store("r1", { cassandra: full })).rejects.toThrow("disk full");
    await pipeline.fetch();
    expect(await pipeline.store("r2")).toMatchObject({ records: 2 });
    expect(await pipeline.store("r1")).toMatchObject({ records: 0, ranges: 0 });
    expect(pipeline.log.join("\n")).toContain("stored by another run");
    expect(await pipeline.rows()).toHaveLength(2 * (samples + reports));
  });

  it("takes a long range in portions", async () => {
    for (let n = 0; n < 5; n++) await pipeline.fetch();
    expect(await pipeline.store("r1", { maxRecords: 2 })).toMatchObject({ records: 2, left: 3 });
    expect(await pipeline.store("r2", { maxRecords: 2 })).toMatchObject({ records: 2, left: 1 });
    expect(await pipeline.store("r3", { maxRecords: 2 })).toMatchObject({ records: 1, left: 0 });
    expect(await pipeline.rows()).toHaveLength(5 * (samples + reports));
  });

  it("records what retention took before it was stored, and goes on", async () => {
    await pipeline.fetch();
    await pipeline.store("r1");
    await pipeline.fetch();
    await pipeline.fetch();
    const offsets = (await kafka.offsets([pipeline.topic])).filter((end) => end.latest > 0n);
    const admin = new Admin({ clientId: "test", bootstrapBrokers: [servers[0]?.url ?? ""] });
    await admin.deleteRecords({
      topics: [{ name: pipeline.topic, partitions: offsets.map(({ partition }) => ({ partition, offset: 2n })) }],
    });
    await admin.close();
    expect(await pipeline.store("r2")).toMatchObject({ records: 1 });
    expect(await pipeline.table("kafka_gaps")).toMatchObject([
      { from_offset: 1n, to_offset: 2n, reason: "retention deleted the records" },
    ]);
    expect(await pipeline.rows()).toHaveLength(2 * (samples + reports));
  });
});

/** The real client, but for what `changes` replaces. */
function except(changes: Partial<CassandraClient>): CassandraClient {
  return {
    define: (query) => cassandra.define(query),
    select: (statement, consistency) => cassandra.select(statement, consistency),
    write: (groups, concurrency) => cassandra.write(groups, concurrency),
    compareAndSet: (statements) => cassandra.compareAndSet(statements),
    close: () => cassandra.close(),
    ...changes,
  };
}

describe("ensureTables", () => {
  it("makes everything once, and refuses the table of the earlier set-up", async () => {
    expect(await ensureTables(cassandra, pipeline.keyspace, 1)).toEqual([]);
    const table = `${pipeline.keyspace}.prometheus_metrics`;
    await cassandra.define(`DROP TABLE ${table}`);
    await cassandra.define(
      `CREATE TABLE ${table} (metric_name text, job text, timestamp timestamp, PRIMARY KEY ((metric_name, job), timestamp))`,
    );
    await expect(ensureTables(cassandra, pipeline.keyspace, 1)).rejects.toThrow(
      /its key has no series_id.*DROP TABLE/s,
    );
  });
});
