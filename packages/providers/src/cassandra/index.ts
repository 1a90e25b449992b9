/** Cassandra for DAG files and operators: settings from an Airflow connection, and a client. */
export {
  type CassandraClient,
  type CassandraRow,
  type CassandraValue,
  type Conditional,
  connectCassandra,
  type Statement,
} from "./cassandra-client.ts";
export { type CassandraSettings, cassandraSettings } from "./cassandra-connection.ts";
export { CassandraError, type CassandraErrorCode } from "./cassandra-error.ts";
