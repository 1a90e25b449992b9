/** Kafka and Cassandra as real child processes, each started once, killed, and started again on its data. */
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "cassandra-driver";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchServers, startCassandra, startKafka } from "../src/index.ts";

const SLOW_MS = 180_000;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "updraft-pipeline-"));
  await fetchServers(["kafka", "cassandra"]);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("Kafka comes back on its own log after kill -9 and stops politely", { timeout: SLOW_MS }, async () => {
  const options = { dataFolder: join(folder, "kafka"), port: 0, mode: "fast" } as const;
  const identity = () => readFile(join(options.dataFolder, "data", "meta.properties"), "utf8");
  const killed = await startKafka(options);
  const made = await identity();
  process.kill(killed.pid, "SIGKILL");
  expect((await killed.exited).signal).toBe("SIGKILL");

  const again = await startKafka(options);
  expect(await identity()).toBe(made);
  await again.stop();
  expect(await again.exited).toEqual({ code: 143, signal: null });
});

test("Cassandra wants its login and keeps its rows through kill -9", { timeout: SLOW_MS }, async () => {
  const options = { dataFolder: join(folder, "cassandra"), port: 0, mode: "fast" } as const;
  const killed = await startCassandra(options);
  const write = await connect(killed.url, killed.login, killed.password);
  await write.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
  await write.execute("CREATE TABLE k.kept (id int PRIMARY KEY, word text)");
  await write.execute("INSERT INTO k.kept (id, word) VALUES (1, 'yes')");
  await write.shutdown();
  await expect(connect(killed.url, killed.login, "wrong")).rejects.toThrow();
  process.kill(killed.pid, "SIGKILL");
  await killed.exited;

  const again = await startCassandra(options);
  const read = await connect(again.url, again.login, again.password);
  expect((await read.execute("SELECT word FROM k.kept")).first().get("word")).toBe("yes");
  await read.shutdown();
  await again.stop();
});

test("tests leave no class archive beside their data", async () => {
  const below = await readdir(folder, { recursive: true });
  expect(below.filter((file) => file.includes(".jsa"))).toEqual([]);
});

async function connect(url: string, username: string, password: string): Promise<Client> {
  const client = new Client({
    contactPoints: [url],
    localDataCenter: "datacenter1",
    credentials: { username, password },
  });
  try {
    await client.connect();
  } catch (error) {
    await client.shutdown();
    throw error;
  }
  return client;
}
