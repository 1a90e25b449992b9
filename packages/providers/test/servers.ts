/** Real servers for the tests of this package, and names that don't meet those of other tests. */
import { randomBytes } from "node:crypto";
import type { ConnectionResult } from "@updraft/sdk";
import { createKafkaClient, type KafkaClient, kafkaSettings } from "../src/kafka/index.ts";

export interface TestServers {
  readonly kafkaUrl: string;
  readonly cassandraUrl: string;
}

export async function testServers(): Promise<TestServers> {
  return { kafkaUrl: process.env.UPDRAFT_TEST_KAFKA ?? "", cassandraUrl: process.env.UPDRAFT_TEST_CASSANDRA ?? "" };
}

export function cassandraConnection(url: string, keyspace: string): ConnectionResult {
  const { hostname, port, username, password } = new URL(url);
  return {
    id: "cassandra_default",
    type: "cassandra",
    host: hostname,
    port: Number(port),
    login: username,
    password,
    schema: keyspace,
  };
}

export function kafkaConnection(url: string): ConnectionResult {
  const { hostname, port } = new URL(url.includes("://") ? url : `kafka://${url}`);
  return { id: "kafka_default", type: "kafka", host: hostname, port: Number(port) };
}

export function openKafka(url: string, chunkBytes?: number): KafkaClient {
  const settings = kafkaSettings(kafkaConnection(url));
  return createKafkaClient({
    settings,
    clientId: "test",
    timeoutMs: 5000,
    ...(chunkBytes === undefined ? {} : { chunkBytes }),
  });
}

/** A suffix of its own for each test, so that tests share a server without meeting. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(5).toString("hex")}`;
}
