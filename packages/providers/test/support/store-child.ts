/** A try of process_and_store in a process of its own, to be killed: `store-child.ts <json>`. */
import { processAndStore } from "../../src/prometheus/index.ts";
import { openCassandra, openKafka } from "./servers.ts";

const { kafkaUrl, cassandraUrl, keyspace, topic, groupId, runId } = JSON.parse(process.argv[2] ?? "{}");
const kafka = openKafka(kafkaUrl);
const cassandra = await openCassandra(cassandraUrl, keyspace);
process.stdout.write("connected\n");
const silent = { info: () => undefined, warning: () => undefined, error: () => undefined };
await processAndStore({
  kafka,
  cassandra,
  keyspace,
  topics: [topic],
  groupId,
  task: { dagId: "d", runId, taskId: "process_and_store" },
  signal: AbortSignal.timeout(60_000),
  log: silent,
});
await Promise.all([kafka.close(), cassandra.close()]);
