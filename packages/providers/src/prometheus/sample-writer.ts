/**
 * From rows to the statements that store them.
 *
 * Each write names its own time, the time of the scrape, so repeating it changes nothing; and its own time to live,
 * counted from the scrape, so repeating it does not make a sample live longer.
 */
import type { Statement } from "../cassandra/index.ts";
import type { SampleRow, SeriesRow } from "./scrape-rows.ts";
import { bucketMs, retentionSeconds } from "./tables.ts";

/** When a scrape was, and what is left of its rows' lives. */
export interface WriteTime {
  readonly writtenAt: bigint;
  readonly ttlSeconds: number;
}

/** null: the scrape is older than the retention, and its rows would be dead on arrival. */
export function writeTimeOf(startMs: number, nowMs: number): WriteTime | null {
  const ttlSeconds = retentionSeconds - Math.max(0, Math.floor((nowMs - startMs) / 1000));
  // The server's clock may be ahead of the target's; a life is never longer than the retention.
  return ttlSeconds > 0 ? { writtenAt: BigInt(Math.trunc(startMs)) * 1000n, ttlSeconds } : null;
}

/** Fits below Cassandra's warning of batches above 5 KiB, and 30 rows gave the highest rate when measured. */
const maxBatchBytes = 4600;
const maxBatchRows = 30;

export class SampleWriter {
  readonly #insertSample: string;
  readonly #insertSeries: string;

  constructor(keyspace: string) {
    this.#insertSample = `INSERT INTO ${keyspace}.prometheus_metrics (metric_name, job, bucket, timestamp, series_id, instance, labels, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?`;
    this.#insertSeries = `INSERT INTO ${keyspace}.prometheus_series (metric_name, job, series_id, instance, labels, type, help, unit, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?`;
  }

  /** The statements of the samples, in groups of one partition each. */
  samples(rows: readonly SampleRow[], time: WriteTime): Statement[][] {
    const byPartition = Map.groupBy(rows, ({ series, timestampMs }) =>
      JSON.stringify([series.metricName, series.job, bucketOf(timestampMs)]),
    );
    return [...byPartition.values()].flatMap((group) =>
      inBatches(group, (row) => this.#sample(row, time), sizeOfSample),
    );
  }

  /** The statements that note which series there are, in groups of one partition each. */
  series(list: readonly SeriesRow[], lastSeenMs: number, time: WriteTime): Statement[][] {
    const byPartition = Map.groupBy(list, ({ metricName, job }) => JSON.stringify([metricName, job]));
    const make = (series: SeriesRow) => this.#series(series, lastSeenMs, time);
    return [...byPartition.values()].flatMap((group) => inBatches(group, make, sizeOfSeries));
  }

  #sample({ series, timestampMs, value }: SampleRow, { writtenAt, ttlSeconds }: WriteTime): Statement {
    const { metricName, job, id, instance, labels } = series;
    const [bucket, at] = [new Date(bucketOf(timestampMs)), new Date(timestampMs)];
    return {
      query: this.#insertSample,
      values: [metricName, job, bucket, at, id, instance, labels, value, writtenAt, ttlSeconds],
    };
  }

  #series(series: SeriesRow, lastSeenMs: number, { writtenAt, ttlSeconds }: WriteTime): Statement {
    const { metricName, job, id, instance, labels, family } = series;
    const described = [family?.type ?? "gauge", family?.help ?? "", family?.unit ?? ""];
    const values = [metricName, job, id, instance, labels, ...described, new Date(lastSeenMs), writtenAt, ttlSeconds];
    return { query: this.#insertSeries, values };
  }
}

function bucketOf(timestampMs: number): number {
  return Math.floor(timestampMs / bucketMs) * bucketMs;
}

function inBatches<T>(items: readonly T[], make: (item: T) => Statement, sizeOf: (item: T) => number): Statement[][] {
  const batches: Statement[][] = [];
  let batch: Statement[] = [];
  let size = 0;
  for (const item of items) {
    const next = sizeOf(item);
    if (batch.length > 0 && (batch.length === maxBatchRows || size + next > maxBatchBytes)) {
      batches.push(batch);
      batch = [];
      size = 0;
    }
    batch.push(make(item));
    size += next;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

const fixedBytes = 110;

function sizeOfSample({ series }: SampleRow): number {
  return sizeOfSeries(series);
}

function sizeOfSeries({ metricName, job, instance, labels, family }: SeriesRow): number {
  const texts = [metricName, job, instance, family?.help ?? "", ...Object.entries(labels).flat()];
  return texts.reduce((size, text) => size + Buffer.byteLength(text) + 4, fixedBytes);
}
