/**
 * Fetches what servers need before they are started, one after the other, so that the words about it stay readable.
 */
import { fetchCassandra } from "./cassandra.ts";
import { fetchKafka } from "./kafka.ts";
import { redisBinary } from "./redis.ts";
import type { FetchOptions } from "./servers-folder.ts";

export type ServerName = "postgres" | "redis" | "kafka" | "cassandra";

const FETCH: Readonly<Record<ServerName, (options: FetchOptions) => Promise<unknown>>> = {
  // It came by npm with the other dependencies.
  postgres: async () => undefined,
  redis: redisBinary,
  kafka: fetchKafka,
  cassandra: fetchCassandra,
};

/** After this the named servers start without the network. */
export async function fetchServers(names: readonly ServerName[], options: FetchOptions = {}): Promise<void> {
  for (const name of names) await FETCH[name](options);
}
