/** Real Postgres, Redis, Kafka and Cassandra as child processes, for `npm start` and for tests. */
export { CASSANDRA_LOGIN, startCassandra } from "./cassandra.ts";
export { startKafka } from "./kafka.ts";
export { claimPort } from "./ports.ts";
export { startPostgres } from "./postgres.ts";
export { startRedis } from "./redis.ts";
export type { RunningServer, StartOptions } from "./running-server.ts";
export { ServerError } from "./server-error.ts";
export type { FetchOptions } from "./servers-folder.ts";
