/**
 * Payloads that nobody can parse: set aside with their reason, so that one bad answer doesn't hold the others up.
 *
 * The record goes to the dead-letter topic first and is noted after that, so none is lost; a repeated try finds the
 * note and sends nothing twice.
 */
import type { CassandraClient } from "../cassandra/index.ts";
import type { KafkaClient, KafkaMessage } from "../kafka/index.ts";
import { deadLetterTopic } from "./scrape-record.ts";

export class DeadLetters {
  readonly #kafka: KafkaClient;
  readonly #cassandra: CassandraClient;
  readonly #table: string;

  constructor(kafka: KafkaClient, cassandra: CassandraClient, keyspace: string) {
    this.#kafka = kafka;
    this.#cassandra = cassandra;
    this.#table = `${keyspace}.kafka_dead_letters`;
  }

  async setAside(message: KafkaMessage, reason: string): Promise<void> {
    const { topic, partition, offset, headers } = message;
    const place = [topic, partition, offset];
    const query = `SELECT offset FROM ${this.#table} WHERE topic = ? AND partition = ? AND offset = ?`;
    if ((await this.#cassandra.select({ query, values: place })).length > 0) return;
    await this.#kafka.produce([
      {
        topic: deadLetterTopic,
        key: `${topic}/${partition}/${offset}`,
        value: message.value ?? new Uint8Array(),
        headers: { ...headers, dead_letter_reason: reason, dead_letter_source: `${topic}/${partition}/${offset}` },
      },
    ]);
    const { job = "", instance = "" } = headers;
    await this.#cassandra.write([
      [
        {
          query: `INSERT INTO ${this.#table} (topic, partition, offset, job, instance, error, noticed_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
          values: [...place, job, instance, reason, new Date(message.timestampMs)],
        },
      ],
    ]);
  }
}
