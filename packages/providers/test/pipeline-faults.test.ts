/** What happens to processes and servers: a try killed with -9 at any moment, and Cassandra away for a while. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningServer, startCassandra } from "@updraft/local-services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KafkaClient } from "../src/kafka/index.ts";
import { type Exporter, Pipeline, startExporter, valuesOf } from "./support/pipeline.ts";
import {
  openCassandra,
  openKafka,
  options,
  startLimitMs,
  type TestServer,
  temporaryFolder,
  testKafka,
} from "./support/servers.ts";

const lines = 400;
const rowsPerScrape = lines + 5;
let folder: string;
let kafkaServer: TestServer;
let cassandraServer: RunningServer;
let kafka: KafkaClient;
let exporter: Exporter;

beforeAll(async () => {
  folder = await temporaryFolder();
  [kafkaServer, cassandraServer] = await Promise.all([testKafka(), startCassandra({ ...options(folder), port: 0 })]);
  kafka = openKafka(kafkaServer.url);
  exporter = await startExporter(Array.from({ length: lines }, (_, n) => `metric_${n % 40}{n="${n}"} ${n}\n`).join(""));
}, startLimitMs);
afterAll(async () => {
  await exporter.stop();
  await kafka.close();
  await Promise.all([kafkaServer.stop(), cassandraServer.stop()]);
  await rm(folder, { recursive: true, force: true });
});

describe("process_and_store", () => {
  it("killed with -9 at any moment loses and doubles nothing", { timeout: 180_000 }, async () => {
    const cassandra = await openCassandra(cassandraServer.url, "none");
    const pipeline = await new Pipeline({ kafka, cassandra }, [exporter.address]).prepare();
    const killed: boolean[] = [];
    let scrapes = 0;
    for (const killAfterMs of [5, 25, 50, 80, 120, 160, 220, 300]) {
      for (let n = 0; n < 5; n++, scrapes++) await pipeline.fetch();
      killed.push(await storeInProcess(pipeline, `r${scrapes}`, killAfterMs));
      await pipeline.store(`r${scrapes}`);
      expect(await pipeline.rows()).toHaveLength(scrapes * rowsPerScrape);
    }
    expect(killed.filter((wasKilled) => wasKilled).length).toBeGreaterThan(3);
    expect(valuesOf(await pipeline.rows(), "scrape_series_added")).toEqual([
      lines,
      ...Array.from({ length: scrapes - 1 }, () => 0),
    ]);
    await cassandra.close();
  });

  it("finds Cassandra away soon, and stores the longer range when it is back", { timeout: 180_000 }, async () => {
    let cassandra = await openCassandra(cassandraServer.url, "none");
    const before = await new Pipeline({ kafka, cassandra }, [exporter.address]).prepare();
    await before.fetch();
    await before.store("r1");
    await before.fetch();
    await cassandraServer.stop();

    const began = Date.now();
    const failure = await before.store("r2").catch((error: unknown) => error);
    await cassandra.close();
    expect(String(failure)).toMatch(
      /CassandraError: Cassandra: .* on 127\.0\.0\.1:\d+ failed: .*To do: check that Cassandra runs/,
    );
    expect(Date.now() - began).toBeLessThan(15_000);
    for (let n = 0; n < 3; n++) await before.fetch();

    cassandraServer = await startCassandra({ ...options(folder), port: cassandraServer.port });
    cassandra = await openCassandra(cassandraServer.url, "none");
    const back = Object.assign(before, { cassandra });
    expect(await back.store("r2")).toMatchObject({ records: 4 });
    expect(await back.rows()).toHaveLength(5 * rowsPerScrape);
    expect(valuesOf(await back.rows(), "up")).toEqual([1, 1, 1, 1, 1]);
    await cassandra.close();
  });
});

/** True: the process was still at work when it was killed. */
async function storeInProcess(pipeline: Pipeline, runId: string, killAfterMs: number): Promise<boolean> {
  const { keyspace, topic, groupId } = pipeline;
  const facts = { kafkaUrl: kafkaServer.url, cassandraUrl: cassandraServer.url, keyspace, topic, groupId, runId };
  const child = spawn(process.execPath, [join(import.meta.dirname, "support/store-child.ts"), JSON.stringify(facts)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), ended]);
  await delay(killAfterMs);
  child.kill("SIGKILL");
  const [, signal] = await ended;
  return signal === "SIGKILL";
}
