/**
 * From a scrape to the rows it means. Pure, apart from hashing.
 *
 * The same record always gives the same rows: same series, same times, same values. That is what makes writing them
 * twice harmless.
 */
import { createHash } from "node:crypto";
import {
  canonicalSeriesBytes,
  type Exposition,
  ExpositionError,
  type ExpositionFormat,
  expositionFormatOf,
  type Label,
  type MetricFamily,
  parseExposition,
  type Sample,
} from "@updraft/prometheus-text";
import type { ScrapeRecord } from "./scrape-record.ts";

/** A series as a row names it. */
export interface SeriesRow {
  readonly metricName: string;
  readonly job: string;
  readonly instance: string;
  /** Without `job` and `instance`, which have columns of their own. */
  readonly labels: Readonly<Record<string, string>>;
  readonly id: Uint8Array;
  /** null for the series that the scrape itself makes, such as `up`. */
  readonly family: MetricFamily | null;
}

export interface SampleRow {
  readonly series: SeriesRow;
  readonly timestampMs: number;
  readonly value: number;
}

export interface ScrapeRows {
  /** null: the scrape is good. Otherwise there are no rows, and `up` is 0. */
  readonly failure: string | null;
  /** Whether the payload itself is at fault, so that somebody should look at it. */
  readonly malformed: boolean;
  readonly rows: readonly SampleRow[];
  /** Samples in the answer; a repeated or a far too early one counts here and has no row. */
  readonly scraped: number;
  /** Samples that have no row of their own: native histograms, which have no single value. */
  readonly nativeHistograms: number;
}

/** Samples further ahead than this are a broken clock. */
const maxAheadMs = 600_000;
const lineFeed = 0x0a;

export function rowsOf(record: ScrapeRecord): ScrapeRows {
  if (record.error !== null) return failed(record.error, false);
  const format = formatOf(record);
  if (format === null)
    return failed(`Content-Type "${record.contentType}" is no exposition; set fallback_scrape_protocol`, true);
  try {
    return rowsOfExposition(record, parseExposition(terminated(record.body, format), format));
  } catch (error) {
    if (error instanceof ExpositionError) return failed(error.message, true);
    throw error;
  }
}

function rowsOfExposition(record: ScrapeRecord, { samples }: Exposition): ScrapeRows {
  if (record.sampleLimit > 0 && samples.length > record.sampleLimit)
    return failed(`${samples.length} samples are more than the sample_limit of ${record.sampleLimit}`, false);
  const rows: SampleRow[] = [];
  const taken = new Set<string>();
  let nativeHistograms = 0;
  for (const sample of samples) {
    if (sample.histogram !== null) {
      nativeHistograms++;
      continue;
    }
    const row = rowOf(record, sample);
    const key = `${row.timestampMs} ${Buffer.from(row.series.id).toString("latin1")}`;
    // Of two values of one series at one time Prometheus keeps the first.
    if (row.timestampMs > record.startMs + maxAheadMs || taken.has(key)) continue;
    taken.add(key);
    rows.push(row);
  }
  return { failure: null, malformed: false, rows, scraped: samples.length, nativeHistograms };
}

function failed(failure: string, malformed: boolean): ScrapeRows {
  return { failure, malformed, rows: [], scraped: 0, nativeHistograms: 0 };
}

/** The series a scrape adds about itself, as Prometheus writes them. */
export function reportRows(record: ScrapeRecord, result: ScrapeRows, seriesAdded: number): SampleRow[] {
  const values: readonly (readonly [string, number])[] = [
    ["up", result.failure === null ? 1 : 0],
    ["scrape_duration_seconds", record.durationSeconds],
    ["scrape_samples_scraped", result.scraped],
    ["scrape_samples_post_metric_relabeling", result.scraped],
    ["scrape_series_added", seriesAdded],
  ];
  return values.map(([name, value]) => ({
    series: seriesOf({ name, labels: record.labels, family: null }),
    timestampMs: record.startMs,
    value,
  }));
}

function rowOf(record: ScrapeRecord, sample: Sample): SampleRow {
  const labels = mergedLabels(record, sample.labels);
  return {
    series: seriesOf({ name: sample.name, labels, family: sample.family }),
    timestampMs: (record.honorTimestamps ? sample.timestampMs : null) ?? record.startMs,
    value: sample.value,
  };
}

function seriesOf(named: {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly family: MetricFamily | null;
}): SeriesRow {
  // With honor_labels a target may take its own job or instance away.
  const { job = "", instance = "", ...labels } = named.labels;
  return {
    metricName: named.name,
    job,
    instance,
    labels,
    id: seriesId(named.name, named.labels),
    family: named.family,
  };
}

/** The first 16 bytes of the SHA-256 over the canonical series. The Spark form computes the same. */
export function seriesId(name: string, labels: Readonly<Record<string, string>>): Uint8Array {
  const list = Object.entries(labels).map(([label, value]): Label => ({ name: label, value }));
  return createHash("sha256").update(canonicalSeriesBytes(name, list)).digest().subarray(0, 16);
}

/**
 * The labels of a sample and of its target together. The target's win and a scraped one of the same name becomes
 * `exported_<name>`; with honor_labels the scraped ones win. Empty labels are no labels.
 */
function mergedLabels(record: ScrapeRecord, scraped: readonly Label[]): Record<string, string> {
  const own = Object.fromEntries(scraped.map(({ name, value }) => [name, value]));
  if (record.honorLabels) return withoutEmpty({ ...record.labels, ...own });
  const merged = { ...own };
  for (const [name, value] of Object.entries(record.labels)) {
    const hidden = own[name] ?? "";
    if (hidden !== "") merged[exportedName(name, own, record.labels)] = hidden;
    merged[name] = value;
  }
  return withoutEmpty(merged);
}

/** `exported_` as often as it takes to meet no other label. */
function exportedName(
  name: string,
  scraped: Readonly<Record<string, string>>,
  target: Readonly<Record<string, string>>,
): string {
  let exported = `exported_${name}`;
  while (Object.hasOwn(scraped, exported) || Object.hasOwn(target, exported)) exported = `exported_${exported}`;
  return exported;
}

function withoutEmpty(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));
}

function formatOf({ contentType, fallbackProtocol }: ScrapeRecord): ExpositionFormat | null {
  const format = expositionFormatOf(contentType);
  if (format !== null || fallbackProtocol === null) return format;
  return fallbackProtocol.startsWith("OpenMetrics") ? "openmetrics" : "prometheus";
}

/** The parser is strict about the last line feed; Prometheus' scraper is not. */
function terminated(body: Uint8Array, format: ExpositionFormat): Uint8Array {
  if (format === "openmetrics" || body.length === 0 || body.at(-1) === lineFeed) return body;
  const text = new Uint8Array(body.length + 1);
  text.set(body);
  text[body.length] = lineFeed;
  return text;
}
