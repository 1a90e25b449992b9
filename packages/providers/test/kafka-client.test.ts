/** The Kafka port on a real broker: any adapter has to pass this. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KafkaClient, KafkaMessage, OffsetRange } from "../src/kafka/index.ts";
import { openKafka, startLimitMs, type TestServer, testKafka, uniqueName } from "./support/servers.ts";

let server: TestServer;
let url: string;
let kafka: KafkaClient;

beforeAll(async () => {
  server = await testKafka();
  url = server.url;
  kafka = openKafka(url);
}, startLimitMs);
afterAll(async () => {
  await kafka.close();
  await server.stop();
});

async function newTopic(partitions = 1): Promise<string> {
  const name = uniqueName("port");
  await kafka.ensureTopics([{ name, partitions, replicationFactor: 1, configs: {} }]);
  return name;
}

async function readAll(range: OffsetRange, client = kafka): Promise<KafkaMessage[]> {
  const messages: KafkaMessage[] = [];
  for await (const chunk of client.readRange(range)) messages.push(...chunk);
  return messages;
}

function record(topic: string, text: string, key = "k") {
  return { topic, key, value: Buffer.from(text), headers: { job: "jöb", empty: "" } };
}

describe("the Kafka port", () => {
  it("makes the missing topics, once", async () => {
    const topic = {
      name: uniqueName("port"),
      partitions: 3,
      replicationFactor: 1,
      configs: { "max.message.bytes": "2000000" },
    };
    expect(await kafka.ensureTopics([topic])).toEqual([topic.name]);
    expect(await kafka.ensureTopics([topic])).toEqual([]);
    const offsets = await kafka.offsets([topic.name]);
    expect(offsets.map((found) => [found.partition, found.earliest, found.latest])).toEqual([
      [0, 0n, 0n],
      [1, 0n, 0n],
      [2, 0n, 0n],
    ]);
  });

  it("lets two make the same topic at once", async () => {
    const name = uniqueName("port");
    const topic = { name, partitions: 1, replicationFactor: 1, configs: {} };
    const other = openKafka(url);
    await Promise.all([kafka.ensureTopics([topic]), other.ensureTopics([topic])]);
    await other.close();
    expect(await kafka.offsets([name])).toHaveLength(1);
  });

  it("gives back key, headers and bytes of exactly the range", async () => {
    const topic = await newTopic();
    await kafka.produce(["a", "b", "c", "d"].map((text) => record(topic, text)));
    await kafka.produce([record(topic, "e")]);
    const messages = await readAll({ topic, partition: 0, from: 1n, to: 4n });
    expect(messages.map((message) => [message.offset, Buffer.from(message.value ?? []).toString()])).toEqual([
      [1n, "b"],
      [2n, "c"],
      [3n, "d"],
    ]);
    expect(messages[0]).toMatchObject({ topic, partition: 0, key: "k", headers: { job: "jöb", empty: "" } });
    expect(Math.abs(Date.now() - (messages[0]?.timestampMs ?? 0))).toBeLessThan(60_000);
  });

  it("keeps one key in one partition and in order", async () => {
    const topic = await newTopic(3);
    await kafka.produce([1, 2, 3, 4].flatMap((n) => [record(topic, `x${n}`, "x"), record(topic, `y${n}`, "y")]));
    const offsets = await kafka.offsets([topic]);
    const read = await Promise.all(
      offsets.map(({ partition, latest }) => readAll({ topic, partition, from: 0n, to: latest })),
    );
    const texts = read.map((messages) => messages.map((message) => Buffer.from(message.value ?? []).toString()));
    const ofX = texts.map((list) => list.filter((text) => text.startsWith("x"))).filter((list) => list.length > 0);
    expect(ofX).toEqual([["x1", "x2", "x3", "x4"]]);
  });

  it("reads a long range in bounded chunks", async () => {
    const topic = await newTopic();
    const body = Array.from({ length: 20_000 }, () => Math.random().toString(36).slice(2, 5)).join("");
    for (let n = 0; n < 8; n++) await kafka.produce([record(topic, `${n}${body}`)]);
    const small = openKafka(url, 100_000);
    const chunks: number[] = [];
    for await (const chunk of small.readRange({ topic, partition: 0, from: 0n, to: 8n })) chunks.push(chunk.length);
    await small.close();
    expect(chunks.reduce((sum, count) => sum + count, 0)).toBe(8);
    expect(chunks.length).toBeGreaterThan(2);
  });

  it("says that a topic has no offsets while it doesn't exist", async () => {
    expect(await kafka.offsets([uniqueName("nowhere")])).toEqual([]);
  });

  it("says that a range is gone", async () => {
    const topic = await newTopic();
    await kafka.produce([record(topic, "a")]);
    await expect(readAll({ topic, partition: 0, from: 7n, to: 9n })).rejects.toMatchObject({ code: "range_gone" });
  });

  it("says soon that no broker answers, and what to do", async () => {
    const away = openKafka("127.0.0.1:1");
    const began = Date.now();
    const failure = await away.offsets(["x"]).catch((error: unknown) => error);
    await away.close();
    expect(failure).toMatchObject({ code: "unavailable" });
    expect(String(failure)).toMatch(
      /asking for the offsets of x on 127\.0\.0\.1:1 failed: .*To do: check that the broker runs/,
    );
    expect(Date.now() - began).toBeLessThan(5000);
  });
});
