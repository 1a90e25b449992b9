/**
 * The task fetch_to_kafka: scrapes every target at once and sends each answer, as it came, to the topic of its job.
 *
 * Nothing is parsed here: what a target said is safe in Kafka before anybody judges it. A target that is away is a
 * record too, and becomes `up 0`. A repeated try is a later scrape with a time of its own.
 */
import type { KafkaClient, RecordToProduce, TopicToEnsure } from "../kafka/index.ts";
import type { ScrapeConfiguration, ScrapeTarget } from "./scrape-config.ts";
import { deadLetterTopic, topicOf, toRecord } from "./scrape-record.ts";
import { maxBodyBytes, type Scrape, scrapeTarget } from "./scrape-target.ts";
import { StageTimes } from "./stage-times.ts";
import type { TaskLog } from "./task-log.ts";

export interface FetchToKafka {
  readonly kafka: KafkaClient;
  readonly configuration: ScrapeConfiguration;
  /** Of topics that have to be made. */
  readonly partitions?: number;
  readonly signal: AbortSignal;
  readonly log: TaskLog;
}

export interface FetchSummary {
  readonly targets: number;
  readonly up: number;
  readonly bytes: number;
  readonly topics: readonly string[];
  readonly ms: Readonly<Record<string, number>>;
}

const scrapesAtOnce = 64;
/** Of one send before compression; a larger record goes alone. */
const sendBytes = 4 * 1024 * 1024;

export async function fetchToKafka(request: FetchToKafka): Promise<FetchSummary> {
  const { kafka, configuration, signal, log } = request;
  const times = new StageTimes();
  const topics = [...new Set(configuration.jobNames.map(topicOf))];
  const made = await times.measure("topics", () => kafka.ensureTopics(topicsToEnsure(topics, request.partitions ?? 3)));
  if (made.length > 0) log.info(`Made the topics ${made.join(", ")}`);
  const scrapes = await times.measure("scrape", () => scrapeAll(configuration.targets, signal));
  for (const scrape of scrapes) logScrape(scrape, log);
  await times.measure("send", () => sendAll(kafka, scrapes));
  const summary = {
    targets: scrapes.length,
    up: scrapes.filter((scrape) => scrape.error === null).length,
    bytes: scrapes.reduce((sum, scrape) => sum + scrape.body.length, 0),
    topics,
    ms: times.all(),
  };
  log.info(`Scraped ${summary.targets} targets, ${summary.up} up, ${summary.bytes} bytes sent to Kafka`, {
    ...summary.ms,
  });
  return summary;
}

async function scrapeAll(targets: readonly ScrapeTarget[], signal: AbortSignal): Promise<readonly Scrape[]> {
  const scrapes: Scrape[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let target = targets[next++]; target !== undefined; target = targets[next++])
      scrapes.push(await scrapeTarget(target, signal));
  };
  await Promise.all(Array.from({ length: Math.min(scrapesAtOnce, targets.length) }, lane));
  return scrapes;
}

function logScrape({ target, status, body, durationSeconds, error }: Scrape, log: TaskLog): void {
  const { job = "", instance = "" } = target.labels;
  const ms = Math.round(durationSeconds * 1000);
  if (error === null) log.info(`${job} ${instance}: ${body.length} bytes in ${ms} ms`, { job, instance, status });
  else log.warning(`${job} ${instance}: down: ${error}`, { job, instance, status });
}

async function sendAll(kafka: KafkaClient, scrapes: readonly Scrape[]): Promise<void> {
  let group: RecordToProduce[] = [];
  let size = 0;
  for (const scrape of scrapes) {
    if (group.length > 0 && size + scrape.body.length > sendBytes) {
      await kafka.produce(group);
      group = [];
      size = 0;
    }
    group.push(toRecord(scrape));
    size += scrape.body.length;
  }
  await kafka.produce(group);
}

function topicsToEnsure(topics: readonly string[], partitions: number): TopicToEnsure[] {
  // Room for the largest answer even where it does not compress.
  const configs = { "max.message.bytes": String(maxBodyBytes + 1024 * 1024) };
  return [
    ...topics.map((name) => ({ name, partitions, replicationFactor: -1, configs })),
    { name: deadLetterTopic, partitions: 1, replicationFactor: -1, configs },
  ];
}
