/** Stores the records of a range: parses each, writes its rows, sets aside what can't be parsed, and counts. */
import type { CassandraClient, Statement } from "../cassandra/index.ts";
import type { KafkaClient, KafkaMessage } from "../kafka/index.ts";
import { DeadLetters } from "./dead-letters.ts";
import { SampleWriter, type WriteTime, writeTimeOf } from "./sample-writer.ts";
import { ScrapeHistory } from "./scrape-history.ts";
import { fromMessage, MalformedRecordError, type ScrapeRecord } from "./scrape-record.ts";
import { reportRows, rowsOf, type ScrapeRows } from "./scrape-rows.ts";
import type { StageTimes } from "./stage-times.ts";
import type { TaskLog } from "./task-log.ts";

export interface StoredCounts {
  readonly records: number;
  readonly targets: number;
  readonly bytes: number;
  readonly samples: number;
  readonly rows: number;
  readonly deadLetters: number;
  /** Scrapes older than the retention, which have no rows any more. */
  readonly expired: number;
}

export interface RecordStoreOptions {
  readonly kafka: KafkaClient;
  readonly cassandra: CassandraClient;
  readonly keyspace: string;
  readonly signal: AbortSignal;
  readonly log: TaskLog;
}

/** Rows gathered before they are written: enough for full batches, little enough to hold. */
const rowsAtOnce = 5000;

export class RecordStore {
  readonly #options: RecordStoreOptions;
  readonly #times: StageTimes;
  readonly #writer: SampleWriter;
  readonly #history: ScrapeHistory;
  readonly #deadLetters: DeadLetters;
  readonly #targets = new Set<string>();
  #counts = { records: 0, bytes: 0, samples: 0, rows: 0, deadLetters: 0, expired: 0 };
  #pending: Statement[][] = [];
  #pendingRows = 0;

  constructor(options: RecordStoreOptions, times: StageTimes) {
    const { kafka, cassandra, keyspace } = options;
    this.#options = options;
    this.#times = times;
    this.#writer = new SampleWriter(keyspace);
    this.#history = new ScrapeHistory(cassandra, keyspace);
    this.#deadLetters = new DeadLetters(kafka, cassandra, keyspace);
  }

  counts(): StoredCounts {
    return { ...this.#counts, targets: this.#targets.size };
  }

  /** Returns when every row of the messages is acknowledged. `onProgress` is called between the writes. */
  async store(messages: readonly KafkaMessage[], onProgress: () => Promise<void>): Promise<void> {
    for (const message of messages) {
      await this.#take(message);
      if (this.#pendingRows < rowsAtOnce) continue;
      await this.#flush();
      await onProgress();
      this.#options.signal.throwIfAborted();
    }
    await this.#flush();
  }

  async #take(message: KafkaMessage): Promise<void> {
    this.#counts.records++;
    this.#counts.bytes += message.value?.length ?? 0;
    const record = await this.#decode(message);
    if (record === null) return;
    this.#targets.add(JSON.stringify([record.job, record.instance]));
    const time = writeTimeOf(record.startMs, Date.now());
    if (time === null) {
      this.#counts.expired++;
      return;
    }
    const result = await this.#times.measure("parse", async () => rowsOf(record));
    if (result.malformed) await this.#setAside(message, result.failure ?? "");
    this.#warn(record, result);
    await this.#gather(record, result, time);
  }

  async #decode(message: KafkaMessage): Promise<ScrapeRecord | null> {
    try {
      return fromMessage(message);
    } catch (error) {
      if (!(error instanceof MalformedRecordError)) throw error;
      await this.#setAside(message, error.message);
      return null;
    }
  }

  async #setAside(message: KafkaMessage, reason: string): Promise<void> {
    const { topic, partition, offset } = message;
    this.#options.log.warning(`${topic}/${partition} offset ${offset} goes to the dead letters: ${reason}`);
    this.#counts.deadLetters++;
    await this.#times.measure("dead_letters", () => this.#deadLetters.setAside(message, reason));
  }

  #warn({ job, instance }: ScrapeRecord, { failure, malformed, nativeHistograms }: ScrapeRows): void {
    if (failure !== null && !malformed) this.#options.log.warning(`${job} ${instance}: up 0: ${failure}`);
    if (nativeHistograms > 0)
      this.#options.log.warning(
        `${job} ${instance}: ${nativeHistograms} native histograms have no single value and no row`,
      );
  }

  async #gather(record: ScrapeRecord, result: ScrapeRows, time: WriteTime): Promise<void> {
    let seriesAdded = 0;
    if (result.failure === null) {
      const series = result.rows.map((row) => row.series);
      const novelty = await this.#times.measure("history", () => this.#history.compare(record, series, time));
      seriesAdded = novelty.seriesAdded;
      this.#pending.push(...this.#writer.series(novelty.toNote, record.startMs, time), [novelty.note]);
    }
    const rows = [...result.rows, ...reportRows(record, result, seriesAdded)];
    this.#pending.push(...this.#writer.samples(rows, time));
    this.#pendingRows += rows.length;
    this.#counts.samples += result.scraped;
    this.#counts.rows += rows.length;
  }

  async #flush(): Promise<void> {
    const groups = this.#pending;
    this.#pending = [];
    this.#pendingRows = 0;
    await this.#times.measure("write", () => this.#options.cassandra.write(groups));
  }
}
