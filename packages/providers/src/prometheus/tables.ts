/**
 * The tables of the pipeline, and how they come to be.
 *
 * The key of a sample holds its series and its time: whatever is left out of it would let samples overwrite each other.
 */
import { type CassandraClient, CassandraError, type CassandraSettings } from "../cassandra/index.ts";

/** How long samples live. */
export const retentionSeconds = 1_209_600;
/** The samples of one metric and job share a partition for this long. */
export const bucketMs = 3_600_000;
export const defaultKeyspace = "spark_streams";

const tables: Readonly<Record<string, string>> = {
  prometheus_metrics: `(
    metric_name text, job text, bucket timestamp, timestamp timestamp, series_id blob,
    instance text, labels frozen<map<text, text>>, value double,
    PRIMARY KEY ((metric_name, job, bucket), timestamp, series_id)
  ) WITH CLUSTERING ORDER BY (timestamp DESC, series_id ASC) AND default_time_to_live = ${retentionSeconds}
    AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS', 'compaction_window_size': 12}`,
  prometheus_series: `(
    metric_name text, job text, series_id blob, instance text, labels map<text, text>,
    type text, help text, unit text, last_seen timestamp,
    PRIMARY KEY ((metric_name, job), series_id)
  ) WITH default_time_to_live = ${retentionSeconds}`,
  // The series of a target's last scrapes, by which the next one tells which are new.
  prometheus_scrapes: `(
    job text, instance text, timestamp timestamp, series blob, series_added int,
    PRIMARY KEY ((job, instance), timestamp)
  ) WITH CLUSTERING ORDER BY (timestamp DESC) AND default_time_to_live = 21600
    AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS', 'compaction_window_size': 1}`,
  // The lease stands beside the offsets, in the same partition: one compare-and-set looks at both.
  kafka_offsets: `(
    group_id text, topic text, partition int, epoch bigint static, holder text static, committed bigint,
    PRIMARY KEY ((group_id), topic, partition)
  )`,
  kafka_batches: `(
    dag_id text, run_id text, task_id text, topic text, partition int, from_offset bigint, to_offset bigint,
    state text, rows bigint,
    PRIMARY KEY ((dag_id, run_id, task_id), topic, partition)
  ) WITH default_time_to_live = ${retentionSeconds}`,
  kafka_gaps: `(
    group_id text, topic text, partition int, from_offset bigint, to_offset bigint, reason text, noticed_at timestamp,
    PRIMARY KEY ((group_id), topic, partition, from_offset)
  )`,
  kafka_dead_letters: `(
    topic text, partition int, offset bigint, job text, instance text, error text, noticed_at timestamp,
    PRIMARY KEY ((topic, partition), offset)
  ) WITH CLUSTERING ORDER BY (offset DESC) AND default_time_to_live = ${retentionSeconds}`,
};

/** Makes what is missing; one query when all is there. Returns the names of what was made. */
export async function ensureTables(
  cassandra: CassandraClient,
  keyspace: string,
  replication: CassandraSettings["replication"],
): Promise<readonly string[]> {
  const columns = await columnsOf(cassandra, keyspace);
  refuseEarlierForm(keyspace, columns.get("prometheus_metrics"));
  const missing = Object.keys(tables).filter((table) => !columns.has(table));
  if (missing.length === 0) return [];
  await cassandra.define(
    `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${replicationText(replication)}`,
  );
  for (const table of missing)
    await cassandra.define(`CREATE TABLE IF NOT EXISTS ${keyspace}.${table} ${tables[table]}`);
  if (missing.includes("prometheus_series")) await indexLabels(cassandra, keyspace);
  return missing;
}

async function columnsOf(cassandra: CassandraClient, keyspace: string): Promise<Map<string, Set<string>>> {
  const rows = await cassandra.select({
    query: "SELECT table_name, column_name FROM system_schema.columns WHERE keyspace_name = ?",
    values: [keyspace],
  });
  const columns = new Map<string, Set<string>>();
  for (const { table_name, column_name } of rows) {
    const known = columns.get(String(table_name)) ?? new Set();
    columns.set(String(table_name), known.add(String(column_name)));
  }
  return columns;
}

/** A table of the earlier set-up has no series in its key, and most samples would overwrite each other. */
function refuseEarlierForm(keyspace: string, columns: ReadonlySet<string> | undefined): void {
  if (columns === undefined || columns.has("series_id")) return;
  const table = `${keyspace}.prometheus_metrics`;
  throw new CassandraError(
    "invalid",
    `Cassandra: ${table} has another form: its key has no series_id, so samples would overwrite each other. To do: copy what you need and DROP TABLE ${table}, or name another keyspace in the connection's schema.`,
  );
}

/** Finds series by a label. Cassandra 4 has no such index; the pipeline itself needs none. */
async function indexLabels(cassandra: CassandraClient, keyspace: string): Promise<void> {
  try {
    await cassandra.define(
      `CREATE INDEX IF NOT EXISTS prometheus_series_labels ON ${keyspace}.prometheus_series (ENTRIES(labels)) USING 'sai'`,
    );
  } catch (error) {
    if (!(error instanceof CassandraError) || error.code !== "invalid") throw error;
  }
}

function replicationText(replication: CassandraSettings["replication"]): string {
  if (typeof replication === "number") return `{'class': 'SimpleStrategy', 'replication_factor': ${replication}}`;
  const centers = Object.entries(replication).map(([name, count]) => `'${name}': ${count}`);
  return `{'class': 'NetworkTopologyStrategy', ${centers.join(", ")}}`;
}
