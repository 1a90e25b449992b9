/** Prometheus for DAG files: the configuration, and the two tasks of the pipeline as functions. */
export { readConfigurationFile, secretsOf } from "./configuration-file.ts";
export { type FetchSummary, type FetchToKafka, fetchToKafka } from "./fetch-to-kafka.ts";
export { LeaseLostError, type ProcessAndStore, processAndStore, type StoreSummary } from "./process-and-store.ts";
export { readScrapeConfiguration, type ScrapeConfiguration, type ScrapeTarget } from "./scrape-config.ts";
export { deadLetterTopic, topicOf } from "./scrape-record.ts";
export { defaultKeyspace, ensureTables } from "./tables.ts";
export type { TaskLog } from "./task-log.ts";
export { ConfigurationError } from "./yaml-section.ts";
