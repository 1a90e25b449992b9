/** Kafka for DAG files and operators: `kafkaHook(connection)` and the port it answers. */
export type {
  KafkaClient,
  KafkaMessage,
  OffsetRange,
  PartitionOffsets,
  RecordToProduce,
  TopicPartition,
  TopicToEnsure,
} from "./kafka-client.ts";
export { type KafkaSettings, kafkaSettings } from "./kafka-connection.ts";
export { KafkaError, type KafkaErrorCode } from "./kafka-error.ts";
export { createKafkaClient, type KafkaClientOptions } from "./platformatic-client.ts";
