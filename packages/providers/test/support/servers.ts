/**
 * Real servers for the tests of this package, and names that don't meet those of other tests.
 *
 * UPDRAFT_TEST_KAFKA and UPDRAFT_TEST_CASSANDRA (`host:port`) name servers that run already, which saves their start.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CASSANDRA_LOGIN, startCassandra, startKafka } from "@updraft/local-services";
import type { ConnectionResult } from "@updraft/sdk";
import { type CassandraClient, cassandraSettings, connectCassandra } from "../../src/cassandra/index.ts";
import { createKafkaClient, type KafkaClient, kafkaSettings } from "../../src/kafka/index.ts";

/** For `beforeAll`: the first start on a machine fetches the servers. */
export const startLimitMs = 300_000;

export interface TestServer {
  readonly url: string;
  stop(): Promise<void>;
}

export async function testKafka(): Promise<TestServer> {
  const url = process.env.UPDRAFT_TEST_KAFKA;
  return url === undefined ? startIn((dataFolder) => startKafka({ ...options(dataFolder), port: 0 })) : running(url);
}

export async function testCassandra(): Promise<TestServer> {
  const url = process.env.UPDRAFT_TEST_CASSANDRA;
  return url === undefined
    ? startIn((dataFolder) => startCassandra({ ...options(dataFolder), port: 0 }))
    : running(url);
}

export function options(dataFolder: string) {
  const serversFolder =
    process.env.UPDRAFT_SERVERS_FOLDER ?? resolve(import.meta.dirname, "../../../../.updraft/servers");
  return { dataFolder, mode: "fast" as const, serversFolder };
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "updraft-providers-"));
}

async function startIn(start: (dataFolder: string) => Promise<TestServer>): Promise<TestServer> {
  const folder = await temporaryFolder();
  const server = await start(folder);
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { url: server.url, stop };
}

function running(url: string): TestServer {
  return { url, stop: async () => undefined };
}

export function kafkaConnection(url: string): ConnectionResult {
  return { id: "kafka_default", type: "kafka", ...addressOf(url) };
}

export function cassandraConnection(url: string, keyspace: string): ConnectionResult {
  const { username: login, password } = CASSANDRA_LOGIN;
  return { id: "cassandra_default", type: "cassandra", ...addressOf(url), login, password, schema: keyspace };
}

export function openKafka(url: string, chunkBytes?: number): KafkaClient {
  const settings = kafkaSettings(kafkaConnection(url));
  const limits = { timeoutMs: 5000, ...(chunkBytes === undefined ? {} : { chunkBytes }) };
  return createKafkaClient({ settings, clientId: "test", ...limits });
}

export async function openCassandra(url: string, keyspace: string): Promise<CassandraClient> {
  return connectCassandra(cassandraSettings(cassandraConnection(url, keyspace)));
}

/** A suffix of its own for each test, so that tests share a server without meeting. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(5).toString("hex")}`;
}

function addressOf(url: string): { host: string; port: number } {
  const [host = "", port = ""] = url.split(":");
  return { host, port: Number(port) };
}
