/**
 * What Updraft asks of Kafka: five calls, whichever client library answers them.
 *
 * A batch task needs no consumer group: it looks where a partition ends, reads an exact range and remembers how far it
 * came. Groups, rebalances and subscriptions are therefore not part of this.
 */

/** A topic to be there before anything is sent to it. */
export interface TopicToEnsure {
  readonly name: string;
  readonly partitions: number;
  /** -1 leaves it to the broker's default. */
  readonly replicationFactor: number;
  /** Topic settings such as `max.message.bytes`; they apply only when the topic is made. */
  readonly configs: Readonly<Record<string, string>>;
}

export interface RecordToProduce {
  readonly topic: string;
  /** Records of one key keep their order: they go to one partition. */
  readonly key: string;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where a partition begins and ends now: `earliest` is readable, `latest` is the offset the next record will get. */
export interface PartitionOffsets extends TopicPartition {
  readonly earliest: bigint;
  readonly latest: bigint;
}

/** The records `from <= offset < to` of one partition. */
export interface OffsetRange extends TopicPartition {
  readonly from: bigint;
  readonly to: bigint;
}

export interface KafkaMessage extends TopicPartition {
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Uint8Array | null;
}

export interface KafkaClient {
  /** Makes the topics that are missing and returns their names. */
  ensureTopics(topics: readonly TopicToEnsure[]): Promise<readonly string[]>;
  /** Sends all records, idempotently, and waits until every in-sync replica has them. */
  produce(records: readonly RecordToProduce[]): Promise<void>;
  /** The offsets of every partition of the topics; a topic that doesn't exist has none. */
  offsets(topics: readonly string[]): Promise<readonly PartitionOffsets[]>;
  /**
   * Reads exactly the range, in order, in chunks bounded in bytes. It ends when the position reaches `to`, not when
   * message `to - 1` was seen: compaction and transactions leave gaps.
   */
  readRange(range: OffsetRange): AsyncGenerator<readonly KafkaMessage[]>;
  /** Lets go of every connection. May be called twice. */
  close(): Promise<void>;
}
