/**
 * Every 5 seconds: exporters -> Kafka -> Cassandra.
 *
 * `fetch_to_kafka` scrapes the targets of prometheus.yml and sends each answer, as it came, to the topic
 * prometheus_metrics_<job>. `process_and_store` takes what is new there and stores each sample in a row of its own in
 * spark_streams.prometheus_metrics. A try that fails or is killed loses and doubles nothing; a store that is away only
 * makes the next range longer.
 *
 * Connections: kafka_default, cassandra_default. Variable (not needed): prometheus_config, the path of prometheus.yml.
 */
import { CassandraError, cassandraSettings, connectCassandra } from "@updraft/providers/cassandra";
import { createKafkaClient, type KafkaClient, KafkaError, kafkaSettings } from "@updraft/providers/kafka";
import {
  ConfigurationError,
  defaultKeyspace,
  ensureTables,
  type FetchSummary,
  fetchToKafka,
  processAndStore,
  readConfigurationFile,
  secretsOf,
} from "@updraft/providers/prometheus";
import { Bundle, Dag, fail, getClient, getContext, getLogger, maskSecret } from "@updraft/sdk";

const dag = new Dag("prometheus_to_kafka_and_cassandra", {
  schedule: { every: 5 },
  catchup: false,
  maxActiveRuns: 16,
  isPausedUponCreation: false,
  description: "Prometheus exporters to Kafka and Cassandra, every five seconds",
  tags: ["prometheus", "kafka", "cassandra"],
});
const retries = { retries: 5, retryDelay: 4 };

const fetch = dag.task(
  "fetch_to_kafka",
  () =>
    explained(async () => {
      const path = (await getClient().getVariable("prometheus_config")) ?? "prometheus.yml";
      const configuration = await readConfigurationFile(path);
      for (const secret of secretsOf(configuration)) maskSecret(secret);
      await using kafka = await openKafka();
      return await fetchToKafka({ kafka: kafka.client, configuration, signal: getContext().signal, log: getLogger() });
    }),
  { ...retries, executionTimeout: 60 },
);

const store = dag.task(
  "process_and_store",
  ({ fetched }: { fetched: FetchSummary }) =>
    explained(async () => {
      const { dagId, runId, taskId, signal } = getContext();
      await using kafka = await openKafka();
      await using cassandra = await openCassandra();
      const { client, keyspace, replication } = cassandra;
      const made = await ensureTables(client, keyspace, replication);
      if (made.length > 0) getLogger().info(`Made the tables ${made.join(", ")} in keyspace ${keyspace}`);
      return await processAndStore({
        kafka: kafka.client,
        cassandra: client,
        keyspace,
        topics: fetched.topics,
        groupId: `${dagId}.${taskId}`,
        task: { dagId, runId, taskId },
        signal,
        log: getLogger(),
      });
    }),
  { ...retries, executionTimeout: 300, maxActiveTisPerDag: 1 },
);

store({ fetched: fetch() });

async function openKafka(): Promise<AsyncDisposable & { readonly client: KafkaClient }> {
  const settings = kafkaSettings(await getClient().getConnectionOrThrow("kafka_default"));
  const client = createKafkaClient({ settings, clientId: "prometheus_to_kafka_and_cassandra" });
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

async function openCassandra() {
  const settings = cassandraSettings(await getClient().getConnectionOrThrow("cassandra_default"));
  const client = await connectCassandra(settings);
  const { keyspace, replication } = settings;
  return { client, keyspace: keyspace ?? defaultKeyspace, replication, [Symbol.asyncDispose]: () => client.close() };
}

/** What no retry can mend ends the task at once, with its reason. */
async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isConnection = error instanceof KafkaError || error instanceof CassandraError;
    if (error instanceof ConfigurationError || (isConnection && error.code === "bad_connection")) fail(error.message);
    throw error;
  }
}

await new Bundle(dag).serve();
