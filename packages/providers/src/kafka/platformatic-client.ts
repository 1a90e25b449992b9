/**
 * The Kafka port over @platformatic/kafka, which reads ranges without a consumer group.
 *
 * Retries inside the client are few and short: a task has retries of its own, and its log should say soon what is
 * wrong. The producer is always idempotent; without that, a send that meets a topic just made can write records twice.
 */
import {
  Admin,
  type BaseOptions,
  type ClusterMetadata,
  Consumer,
  compatibilityPartitioner,
  findErrorBy,
  Producer,
} from "@platformatic/kafka";
import type {
  KafkaClient,
  KafkaMessage,
  OffsetRange,
  PartitionOffsets,
  RecordToProduce,
  TopicToEnsure,
} from "./kafka-client.ts";
import type { KafkaSettings } from "./kafka-connection.ts";
import { KafkaError, kafkaErrorOf } from "./kafka-error.ts";
import { messagesOf } from "./record-batches.ts";

export interface KafkaClientOptions {
  readonly settings: KafkaSettings;
  readonly clientId: string;
  /** How long one request may take; a range may take longer as long as it gets on. */
  readonly timeoutMs?: number;
  /** The most that one chunk of a range holds. A single record may be larger and is then a chunk of its own. */
  readonly chunkBytes?: number;
}

const connectTimeoutMs = 2500;
const fetchWaitMs = 100;
const earliest = -2n;
const latest = -1n;
const readCommitted = 1;
const allInSyncReplicas = -1;

export function createKafkaClient(options: KafkaClientOptions): KafkaClient {
  return new PlatformaticClient(options);
}

class PlatformaticClient implements KafkaClient {
  readonly #brokers: string;
  readonly #base: BaseOptions;
  readonly #timeoutMs: number;
  readonly #chunkBytes: number;
  #admin: Admin | null = null;
  #producer: Producer<string, Buffer, string, string> | null = null;
  #reader: Consumer | null = null;

  constructor({ settings, clientId, timeoutMs = 10_000, chunkBytes = 8 * 1024 * 1024 }: KafkaClientOptions) {
    this.#brokers = settings.brokers.join(", ");
    this.#timeoutMs = timeoutMs;
    this.#chunkBytes = chunkBytes;
    this.#base = {
      clientId,
      bootstrapBrokers: [...settings.brokers],
      connectTimeout: connectTimeoutMs,
      requestTimeout: timeoutMs,
      timeout: timeoutMs,
      retries: 2,
      retryDelay: 200,
      autocreateTopics: false,
      ...(settings.sasl === null ? {} : { sasl: settings.sasl }),
      ...(settings.tls === null ? {} : { tls: { rejectUnauthorized: settings.tls.verify, ...caOf(settings.tls.ca) } }),
    };
  }

  async ensureTopics(topics: readonly TopicToEnsure[]): Promise<readonly string[]> {
    if (topics.length === 0) return [];
    return this.#attempt(`making the topics ${topics.map((topic) => topic.name).join(", ")}`, async () => {
      this.#admin ??= new Admin(this.#base);
      const known = new Set(await this.#admin.listTopics({ includeInternals: false }));
      const missing = topics.filter((topic) => !known.has(topic.name));
      for (const topic of missing) await createTopic(this.#admin, topic);
      return missing.map((topic) => topic.name);
    });
  }

  async produce(records: readonly RecordToProduce[]): Promise<void> {
    if (records.length === 0) return;
    const topics = [...new Set(records.map((record) => record.topic))].join(", ");
    await this.#attempt(`sending ${records.length} records to ${topics}`, async () => {
      this.#producer ??= new Producer<string, Buffer, string, string>({
        ...this.#base,
        idempotent: true,
        acks: allInSyncReplicas,
        compression: "zstd",
        partitioner: compatibilityPartitioner,
        serializers: { key: toBuffer, headerKey: toBuffer, headerValue: toBuffer },
      });
      const messages = records.map(({ topic, key, value, headers }) => ({
        topic,
        key,
        value: asBuffer(value),
        headers,
      }));
      await this.#producer.send({ messages });
    });
  }

  async offsets(topics: readonly string[]): Promise<readonly PartitionOffsets[]> {
    if (topics.length === 0) return [];
    return this.#attempt(`asking for the offsets of ${topics.join(", ")}`, async () => {
      this.#admin ??= new Admin(this.#base);
      const all = new Set(await this.#admin.listTopics({ includeInternals: false }));
      const present = topics.filter((topic) => all.has(topic));
      if (present.length === 0) return [];
      const reader = this.#openReader();
      const begins = await reader.listOffsets({ topics: present, timestamp: earliest, isolationLevel: readCommitted });
      const ends = await reader.listOffsets({ topics: present, timestamp: latest, isolationLevel: readCommitted });
      return present.flatMap((topic) => pairOffsets(topic, begins.get(topic) ?? [], ends.get(topic) ?? []));
    });
  }

  async *readRange(range: OffsetRange): AsyncGenerator<readonly KafkaMessage[]> {
    const what = `reading ${range.topic}/${range.partition} from ${range.from} to ${range.to}`;
    let position = range.from;
    let deadline = Date.now() + this.#timeoutMs;
    while (position < range.to) {
      const read = await this.#attempt(what, () => this.#fetch(range, position));
      if (read.messages.length > 0) yield read.messages;
      if (read.position > position) deadline = Date.now() + this.#timeoutMs;
      else if (Date.now() > deadline) throw this.#stuck(what, position);
      position = read.position;
    }
  }

  async close(): Promise<void> {
    const [admin, producer, reader] = [this.#admin, this.#producer, this.#reader];
    this.#admin = null;
    this.#producer = null;
    this.#reader = null;
    // What can't be closed is gone already; the work itself was acknowledged or failed before.
    await Promise.allSettled([admin?.close(), producer?.close(true), reader?.close(true)]);
  }

  async #fetch(range: OffsetRange, position: bigint): Promise<ReturnType<typeof messagesOf>> {
    const reader = this.#openReader();
    const { id, leader } = await leaderOf(reader, range);
    const partitionMaxBytes = this.#chunkBytes;
    const wanted = { partition: range.partition, currentLeaderEpoch: -1, fetchOffset: position, lastFetchedEpoch: -1 };
    const { responses } = await reader.fetch({
      node: leader,
      topics: [{ topicId: id, partitions: [{ ...wanted, partitionMaxBytes }] }],
      minBytes: 1,
      maxBytes: this.#chunkBytes,
      maxWaitTime: fetchWaitMs,
      isolationLevel: readCommitted,
    });
    const partitions = responses.flatMap((topic) => topic.partitions);
    const found = partitions.find((partition) => partition.partitionIndex === range.partition);
    return messagesOf(range, position, { batches: found?.records ?? [], aborted: found?.abortedTransactions ?? [] });
  }

  #openReader(): Consumer {
    // The library wants a group's name even of a reader that never joins one.
    this.#reader ??= new Consumer({ ...this.#base, groupId: `${this.#base.clientId}-ranges` });
    return this.#reader;
  }

  #stuck(what: string, position: bigint): KafkaError {
    const text = `Kafka: ${what} on ${this.#brokers} stays at ${position} for ${this.#timeoutMs} ms.`;
    return new KafkaError("timeout", `${text} To do: look at the broker's log; the partition may have lost its end.`);
  }

  async #attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw kafkaErrorOf({ what, brokers: this.#brokers }, error);
    }
  }
}

/** Two tasks may make the same topic at once; the second finds it made, which is as good. */
async function createTopic(admin: Admin, topic: TopicToEnsure): Promise<void> {
  try {
    await admin.createTopics({
      topics: [topic.name],
      partitions: topic.partitions,
      replicas: topic.replicationFactor,
      configs: Object.entries(topic.configs).map(([name, value]) => ({ name, value })),
    });
  } catch (error) {
    const failure = error instanceof Error ? error : null;
    if (findErrorBy(failure, "apiId", "TOPIC_ALREADY_EXISTS") === null) throw error;
  }
}

async function leaderOf(reader: Consumer, { topic, partition }: OffsetRange): Promise<{ id: string; leader: number }> {
  const metadata: ClusterMetadata = await reader.metadata({ topics: [topic] });
  const found = metadata.topics.get(topic);
  const leader = found?.partitions[partition]?.leader;
  if (found === undefined || leader === undefined)
    throw new KafkaError("unknown_topic", `Kafka: partition ${partition} of topic ${topic} doesn't exist.`);
  return { id: found.id, leader };
}

function pairOffsets(topic: string, begins: readonly bigint[], ends: readonly bigint[]): PartitionOffsets[] {
  return ends.map((end, partition) => ({ topic, partition, earliest: begins[partition] ?? 0n, latest: end }));
}

function caOf(ca: string | null): { ca?: string } {
  return ca === null ? {} : { ca };
}

function toBuffer(text?: string): Buffer | undefined {
  return text === undefined ? undefined : Buffer.from(text);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
