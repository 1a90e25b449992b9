/** The servers beside the product: ours as child processes, or the user's own where the environment names them. */
import { join } from "node:path";
import type { ServiceState } from "@updraft/contract";
import {
  CASSANDRA_LOGIN,
  type RunningServer,
  startCassandra,
  startKafka,
  startPostgres,
  startRedis,
} from "@updraft/local-services";
import type { Config, Environment, Logger } from "@updraft/service-kit";
import { KeptServer } from "./kept-server.ts";

export interface Servers {
  /** What the roles must know: addresses and logins, as variables. */
  readonly variables: Readonly<Record<string, string>>;
  states(): ServiceState[];
  stop(): Promise<void>;
}

interface Place {
  readonly name: string;
  readonly folder: string;
  readonly portOf: (config: Config) => number;
  /** Any of these set means that the user has an own one. */
  readonly given: readonly [string, ...string[]];
  readonly start: (options: Parameters<typeof startRedis>[0]) => Promise<RunningServer>;
  readonly variablesOf: (server: { readonly url: string; readonly port: number }) => Record<string, string>;
}

const { username, password } = CASSANDRA_LOGIN;

const METADATA: readonly Place[] = [
  {
    name: "Postgres",
    folder: "postgres",
    portOf: ({ postgresPort }) => postgresPort,
    given: ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "DATABASE_URL"],
    start: startPostgres,
    variablesOf: ({ url }) => ({ AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: url }),
  },
  {
    name: "Redis",
    folder: "redis",
    portOf: ({ redisPort }) => redisPort,
    given: ["AIRFLOW__CELERY__BROKER_URL", "REDIS_URL"],
    start: startRedis,
    variablesOf: ({ url }) => ({ AIRFLOW__CELERY__BROKER_URL: url }),
  },
];

const PIPELINE: readonly Place[] = [
  {
    name: "Kafka",
    folder: "kafka",
    portOf: ({ kafkaPort }) => kafkaPort,
    given: ["AIRFLOW_CONN_KAFKA_DEFAULT"],
    start: startKafka,
    variablesOf: ({ port }) => ({ AIRFLOW_CONN_KAFKA_DEFAULT: `kafka://127.0.0.1:${port}` }),
  },
  {
    name: "Cassandra",
    folder: "cassandra",
    portOf: ({ cassandraPort }) => cassandraPort,
    given: ["AIRFLOW_CONN_CASSANDRA_DEFAULT"],
    start: startCassandra,
    variablesOf: ({ port }) => ({
      AIRFLOW_CONN_CASSANDRA_DEFAULT: `cassandra://${username}:${password}@127.0.0.1:${port}/spark_streams`,
    }),
  },
];

export interface ServersOptions {
  readonly environment: Environment;
  readonly config: Config;
  readonly logger: Logger;
  readonly say: (text: string) => void;
}

/** Waits for Postgres and Redis, which the product can't do without; Kafka and Cassandra go on starting. */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const kept: KeptServer[] = [];
  const external: ServiceState[] = [];
  const variables: Record<string, string> = {};
  for (const place of [...METADATA, ...PIPELINE]) {
    const own = place.given.find((name) => (options.environment[name] ?? "") !== "");
    if (own !== undefined) {
      external.push({ name: place.name, state: "external", detail: `Given by ${own}` });
      continue;
    }
    const port = place.portOf(options.config);
    const server = keep(place, port, options);
    kept.push(server);
    if (PIPELINE.includes(place)) Object.assign(variables, place.variablesOf({ url: `127.0.0.1:${port}`, port }));
    else
      void server.first.then(
        (running) => Object.assign(variables, place.variablesOf(running)),
        () => undefined,
      );
  }
  const metadata = kept.filter((server) => METADATA.some(({ name }) => name === server.state().name));
  const stop = async () => {
    await Promise.all(kept.map((server) => server.stop()));
  };
  try {
    await Promise.all(metadata.map((server) => server.first));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    variables,
    states: () => [...kept.map((server) => server.state()), ...external],
    stop,
  };
}

function keep(place: Place, port: number, { config, logger, say }: ServersOptions): KeptServer {
  const folder = join(config.dataFolder, place.folder);
  let claimed = port;
  const server: KeptServer = new KeptServer({
    name: place.name,
    logger,
    start: async () => {
      const begun = Date.now();
      const running = await place.start({
        dataFolder: folder,
        port: claimed,
        mode: "durable",
        onProgress: (text) => {
          server.tell(text);
          say(`${place.name}: ${text}`);
        },
      });
      // A port of our own choice stays the same when the server is started again.
      claimed = running.port;
      say(`${place.name} is ready on port ${running.port} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
      return running;
    },
  });
  return server;
}
