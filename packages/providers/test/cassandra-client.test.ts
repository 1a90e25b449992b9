/** The Cassandra client on a real node: values that survive the way, batches, compare-and-set, and its errors. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CassandraClient, cassandraSettings, connectCassandra } from "../src/cassandra/index.ts";
import {
  cassandraConnection,
  openCassandra,
  startLimitMs,
  type TestServer,
  testCassandra,
  uniqueName,
} from "./support/servers.ts";

const keyspace = uniqueName("client");
let server: TestServer;
let url: string;
let cassandra: CassandraClient;

beforeAll(async () => {
  server = await testCassandra();
  url = server.url;
  cassandra = await openCassandra(url, keyspace);
  await cassandra.define(
    `CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
  );
  await cassandra.define(
    `CREATE TABLE ${keyspace}.items (p text, k int, big bigint, at timestamp, id blob, labels frozen<map<text, text>>, value double, PRIMARY KEY ((p), k))`,
  );
}, startLimitMs);
afterAll(async () => {
  await cassandra.define(`DROP KEYSPACE ${keyspace}`);
  await cassandra.close();
  await server.stop();
});

const insert = `INSERT INTO ${keyspace}.items (p, k, big, at, id, labels, value) VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`;

function item(p: string, k: number, value: number, writtenAt: bigint) {
  const values = [p, k, 9007199254740993n, new Date(5), Buffer.from([1, 2]), { a: "ä" }, value, writtenAt];
  return { query: insert, values };
}

function itemsOf(p: string) {
  return cassandra.select({ query: `SELECT * FROM ${keyspace}.items WHERE p = ?`, values: [p] });
}

describe("the Cassandra client", () => {
  it("keeps values as they are", async () => {
    await cassandra.write([[item("kept", 1, Number.POSITIVE_INFINITY, 1n)]]);
    const [row] = await itemsOf("kept");
    expect(row).toMatchObject({
      big: 9007199254740993n,
      at: new Date(5),
      labels: { a: "ä" },
      value: Number.POSITIVE_INFINITY,
    });
    expect(Buffer.from(row?.id as Uint8Array).toString("hex")).toBe("0102");
  });

  it("writes groups, and lets the later write time win inside one", async () => {
    const groups = Array.from({ length: 40 }, (_, p) => [0, 1, 2].map((k) => item(`many${p}`, k, p, 10n)));
    await cassandra.write(groups, 8);
    expect(await itemsOf("many39")).toHaveLength(3);
    await cassandra.write([[item("many39", 0, -1, 9n), item("many39", 1, -1, 11n)]]);
    expect((await itemsOf("many39")).map((row) => row.value)).toEqual([39, -1, 39]);
  });

  it("pages through more rows than one answer holds", async () => {
    const rows = Array.from({ length: 6000 }, (_, k) => item("pages", k, k, 1n));
    const groups = Array.from({ length: 200 }, (_, n) => rows.slice(n * 30, n * 30 + 30));
    await cassandra.write(groups);
    expect(await itemsOf("pages")).toHaveLength(6000);
  });

  it("compares and sets all statements of a partition, or none", async () => {
    const set = (k: number, expected: bigint | null, next: bigint) => ({
      query: `UPDATE ${keyspace}.items SET big = ? WHERE p = ? AND k = ? IF big = ?`,
      values: [next, "cas", k, expected],
    });
    expect((await cassandra.compareAndSet([set(1, null, 5n), set(2, null, 6n)])).applied).toBe(true);
    const refused = await cassandra.compareAndSet([set(1, 5n, 50n), set(2, 7n, 60n)]);
    expect(refused.applied).toBe(false);
    expect(refused.found.map((row) => row.big)).toContain(6n);
    expect((await itemsOf("cas")).map((row) => row.big)).toEqual([5n, 6n]);
  });

  it("names the table that is missing", async () => {
    const failure = await cassandra.select({ query: `SELECT * FROM ${keyspace}.nothing`, values: [] }).catch((e) => e);
    expect(failure).toMatchObject({ code: "invalid" });
    expect(String(failure)).toMatch(/reading \(SELECT \* FROM .*nothing\) on .* failed: .*To do:/);
  });

  it("says soon that a password is wrong", async () => {
    const connection = { ...cassandraConnection(url, keyspace), password: "wrong" };
    const failure = await connectCassandra(cassandraSettings(connection)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "not_authenticated" });
    expect(String(failure)).toContain("check login and password");
    expect(String(failure)).not.toContain("wrong ");
  });

  it("says soon that nobody answers", async () => {
    const began = Date.now();
    const connection = { ...cassandraConnection(url, keyspace), host: "127.0.0.1", port: 1 };
    const failure = await connectCassandra(cassandraSettings(connection)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "unavailable" });
    expect(String(failure)).toMatch(/connecting on 127\.0\.0\.1:1 failed/);
    expect(Date.now() - began).toBeLessThan(5000);
  });
});
