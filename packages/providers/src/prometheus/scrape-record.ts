/**
 * A scrape as a Kafka record: the raw answer as value, the facts around it as headers.
 *
 * Everything that decides the rows is in the record, so whoever reads it, and however often, makes the same rows. The
 * Spark form of the pipeline reads the same headers.
 */
import type { KafkaMessage, RecordToProduce } from "../kafka/index.ts";
import type { Scrape } from "./scrape-target.ts";

const topicPrefix = "prometheus_metrics_";
export const deadLetterTopic = "prometheus_metrics_dead_letter";

export interface ScrapeRecord {
  /** The labels of the target; `job` and `instance` among them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly job: string;
  readonly instance: string;
  readonly startMs: number;
  readonly durationSeconds: number;
  readonly contentType: string;
  readonly fallbackProtocol: string | null;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  /** 0: no limit. */
  readonly sampleLimit: number;
  /** null: the target answered. */
  readonly error: string | null;
  readonly body: Uint8Array;
}

/** A record that no scrape wrote; the payload can't be used. */
export class MalformedRecordError extends Error {
  override readonly name = "MalformedRecordError";
}

/** The topic of a job. Kafka's names allow less than Prometheus' do. */
export function topicOf(jobName: string): string {
  return `${topicPrefix}${jobName.replace(/[^a-zA-Z0-9._-]/g, "_")}`.slice(0, 249);
}

export function toRecord(scrape: Scrape): RecordToProduce {
  const { target } = scrape;
  const { job = "", instance = "" } = target.labels;
  return {
    topic: topicOf(target.jobName),
    key: instance,
    value: scrape.body,
    headers: {
      job,
      instance,
      labels: JSON.stringify(target.labels),
      scrape_start_ms: String(scrape.startMs),
      duration_seconds: String(scrape.durationSeconds),
      http_status: String(scrape.status ?? 0),
      content_type: scrape.contentType,
      ...(target.fallbackProtocol === null ? {} : { fallback_protocol: target.fallbackProtocol }),
      ...(target.honorLabels ? { honor_labels: "true" } : {}),
      ...(target.honorTimestamps ? {} : { honor_timestamps: "false" }),
      ...(target.sampleLimit === 0 ? {} : { sample_limit: String(target.sampleLimit) }),
      ...(scrape.error === null ? {} : { error: scrape.error }),
    },
  };
}

export function fromMessage({ headers, value }: Pick<KafkaMessage, "headers" | "value">): ScrapeRecord {
  const labels = readLabels(headers.labels);
  const { job = "", instance = "" } = labels;
  if (job === "" || instance === "") throw new MalformedRecordError("its header labels lacks job or instance");
  return {
    labels,
    job,
    instance,
    startMs: readNumber(headers, "scrape_start_ms"),
    durationSeconds: readNumber(headers, "duration_seconds"),
    contentType: headers.content_type ?? "",
    fallbackProtocol: headers.fallback_protocol ?? null,
    honorLabels: headers.honor_labels === "true",
    honorTimestamps: headers.honor_timestamps !== "false",
    sampleLimit: headers.sample_limit === undefined ? 0 : readNumber(headers, "sample_limit"),
    error: headers.error ?? null,
    body: value ?? new Uint8Array(),
  };
}

function readLabels(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined)
    throw new MalformedRecordError("it has no header labels; it was not written by fetch_to_kafka");
  let labels: unknown;
  try {
    labels = JSON.parse(text);
  } catch {
    throw new MalformedRecordError("its header labels is not JSON");
  }
  const entries = typeof labels === "object" && labels !== null ? Object.entries(labels) : [];
  if (entries.length === 0 || !entries.every(([, value]) => typeof value === "string"))
    throw new MalformedRecordError("its header labels is not an object of texts");
  return Object.fromEntries(entries);
}

/** The largest time a JavaScript date holds; beyond it no row could be written. */
const maxNumber = 8.64e15;

function readNumber(headers: Readonly<Record<string, string>>, name: string): number {
  const text = headers[name] ?? "";
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (!(number >= 0 && number <= maxNumber))
    throw new MalformedRecordError(`its header ${name} is no number from 0: "${text}"`);
  return number;
}
