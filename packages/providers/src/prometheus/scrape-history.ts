/**
 * Which series of a scrape are new, by the scrape before it of the same target.
 *
 * The series of each good scrape are kept for some hours, with what was found new in it: a repeated try finds its own
 * note and writes the same number again. A failed scrape leaves no note, so the series of the last good one still count
 * as known, as in Prometheus.
 */
import type { CassandraClient, CassandraRow, Statement } from "../cassandra/index.ts";
import type { WriteTime } from "./sample-writer.ts";
import type { ScrapeRecord } from "./scrape-record.ts";
import type { SeriesRow } from "./scrape-rows.ts";
import { bucketMs } from "./tables.ts";

export interface Novelty {
  readonly seriesAdded: number;
  /** Series to note in the table of series: the new ones, and once an hour all of them. */
  readonly toNote: readonly SeriesRow[];
  /** What keeps this scrape in mind. */
  readonly note: Statement;
}

interface Known {
  readonly startMs: number;
  readonly keys: ReadonlySet<string>;
  readonly seriesAdded: number;
}

/** Enough of an id to tell the series of one target apart. */
const keyBytes = 8;

export class ScrapeHistory {
  readonly #cassandra: CassandraClient;
  readonly #table: string;
  readonly #last = new Map<string, Known>();

  constructor(cassandra: CassandraClient, keyspace: string) {
    this.#cassandra = cassandra;
    this.#table = `${keyspace}.prometheus_scrapes`;
  }

  async compare(record: ScrapeRecord, series: readonly SeriesRow[], time: WriteTime): Promise<Novelty> {
    const byKey = new Map(series.map((one) => [keyOf(one), one]));
    const target = JSON.stringify([record.job, record.instance]);
    const remembered = this.#last.get(target);
    const before =
      remembered !== undefined && remembered.startMs < record.startMs ? remembered : await this.#find(record);
    const isRepeated = before?.startMs === record.startMs;
    const added = [...byKey].filter(([key]) => before === null || !before.keys.has(key)).map(([, one]) => one);
    const seriesAdded = isRepeated ? before.seriesAdded : added.length;
    const isFirstOfHour = before === null || isRepeated || hourOf(before.startMs) !== hourOf(record.startMs);
    this.#last.set(target, { startMs: record.startMs, keys: new Set(byKey.keys()), seriesAdded });
    const toNote = isFirstOfHour ? [...byKey.values()] : added;
    return { seriesAdded, toNote, note: this.#note(record, [...byKey.keys()], { seriesAdded, ...time }) };
  }

  async #find({ job, instance, startMs }: ScrapeRecord): Promise<Known | null> {
    const query = `SELECT timestamp, series, series_added FROM ${this.#table} WHERE job = ? AND instance = ? AND timestamp <= ? LIMIT 1`;
    const [row] = await this.#cassandra.select({ query, values: [job, instance, new Date(startMs)] });
    return row === undefined ? null : toKnown(row);
  }

  #note(
    { job, instance, startMs }: ScrapeRecord,
    keys: readonly string[],
    written: { readonly seriesAdded: number; readonly writtenAt: bigint },
  ): Statement {
    return {
      query: `INSERT INTO ${this.#table} (job, instance, timestamp, series, series_added) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?`,
      values: [
        job,
        instance,
        new Date(startMs),
        Buffer.from(keys.join(""), "latin1"),
        written.seriesAdded,
        written.writtenAt,
      ],
    };
  }
}

function keyOf({ id }: SeriesRow): string {
  return Buffer.from(id.subarray(0, keyBytes)).toString("latin1");
}

function hourOf(ms: number): number {
  return Math.floor(ms / bucketMs);
}

function toKnown({ timestamp, series, series_added }: CassandraRow): Known | null {
  if (!(timestamp instanceof Date) || !(series instanceof Uint8Array)) return null;
  const text = Buffer.from(series).toString("latin1");
  const keys = new Set<string>();
  for (let at = 0; at < text.length; at += keyBytes) keys.add(text.slice(at, at + keyBytes));
  return { startMs: timestamp.getTime(), keys, seriesAdded: Number(series_added) };
}
