/** From Airflow connections to hosts, keyspace and replication. */
import type { ConnectionResult } from "@updraft/sdk";
import { describe, expect, it } from "vitest";
import { cassandraSettings } from "../src/cassandra/index.ts";

function connection(fields: Partial<ConnectionResult>): ConnectionResult {
  return { id: "cassandra_default", type: "cassandra", ...fields };
}

describe("cassandraSettings", () => {
  it("reads what the connection says", () => {
    const extra = JSON.stringify({ local_data_center: "dc1", replication: { dc1: 3 }, ssl: true });
    const fields = { host: "a, b:1", port: 9043, login: "u", password: "p", schema: "spark_streams", extra };
    expect(cassandraSettings(connection(fields))).toEqual({
      contactPoints: ["a:9043", "b:1"],
      credentials: { username: "u", password: "p" },
      keyspace: "spark_streams",
      localDataCenter: "dc1",
      replication: { dc1: 3 },
      tls: { ca: null, verify: true },
    });
  });

  it("needs no more than a host", () => {
    expect(cassandraSettings(connection({ host: "a" }))).toMatchObject({
      contactPoints: ["a:9042"],
      credentials: null,
      keyspace: null,
      replication: 1,
      tls: null,
    });
  });

  it.each([
    [{}, "it names no host"],
    [{ host: "a", schema: "x; DROP" }, "is no keyspace"],
    [{ host: "a", extra: "[1]" }, "its extra is not a JSON object"],
    [{ host: "a", extra: '{"datacenter":"x"}' }, 'the unknown key "datacenter"'],
    [{ host: "a", extra: '{"replication":0}' }, "replication in its extra must be a number"],
    [{ host: "a", extra: '{"replication":{"dc\'":1}}' }, "replication in its extra must be a number"],
  ])("refuses %j", (fields, reason) => {
    expect(() => cassandraSettings(connection(fields))).toThrow(reason);
  });
});
