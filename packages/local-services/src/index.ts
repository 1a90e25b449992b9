/** Real Postgres, Redis, Kafka and Cassandra as child processes, for `npm start` and for tests. */
export { CASSANDRA_LOGIN, type RunningCassandra, startCassandra } from "./cassandra.ts";
export { fetchServers, type ServerName } from "./fetch-servers.ts";
export { startKafka } from "./kafka.ts";
export { claimPort } from "./ports.ts";
export { startPostgres } from "./postgres.ts";
export { startRedis } from "./redis.ts";
export type { RunningServer, StartOptions } from "./running-server.ts";
export { ServerError } from "./server-error.ts";
export type { FetchOptions } from "./servers-folder.ts";
