/**
 * The configuration of every role: read once from an environment record into one frozen object.
 *
 * `AIRFLOW__SECTION__KEY` is honoured where the meaning is Airflow's; what Airflow has no word for is
 * `UPDRAFT__SECTION__KEY`. A wrong value stops the start with all problems in one message; an unknown key that looks
 * like one of ours only warns. A role names what it can't do without by `requireSettings`, since no role needs all:
 * workers have neither the database nor the signing secret.
 */
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { ConfigError } from "./errors.ts";
import type { LogLevel } from "./setting-schemas.ts";
import * as schema from "./setting-schemas.ts";
import { type Environment, SettingsReader } from "./settings-reader.ts";

/** See the table in `loadConfig` for each one's variable and default. Texts that may be missing are "". */
export interface Config {
  readonly dagsFolder: string;
  /** Tries queued or running in the whole installation (Airflow: per scheduler). */
  readonly parallelism: number;
  readonly maxActiveTasksPerDag: number;
  /** The most instances of one mapped task or group. */
  readonly maxMapLength: number;
  readonly maxActiveRunsPerDag: number;
  readonly dagsArePausedAtCreation: boolean;
  readonly catchupByDefault: boolean;
  /** Cron expressions and intervals stand for the period that is over (Airflow's data intervals). */
  readonly createCronDataIntervals: boolean;
  /** One run for all queued events of assets instead of one for each. */
  readonly batchAssetEvents: boolean;
  /** The clock of schedules that name no time zone; an IANA name. */
  readonly defaultTimezone: string;
  /** Whether clearing (and backfilling) moves a run to the newest version of its DAG; null: not configured. */
  readonly rerunWithLatestVersion: boolean | null;
  /** Unfinished runs move to the newest version of their DAG whenever it changes. */
  readonly disableBundleVersioning: boolean;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly apiHost: string;
  readonly apiPort: number;
  readonly baseUrl: string;
  /** Ends with a slash. */
  readonly executionApiUrl: string;
  readonly jwtSecret: string;
  readonly jwtExpirationSeconds: number;
  readonly adminUsername: string;
  readonly adminPassword: string;
  /** False means the password is the published default, good on loopback only. */
  readonly adminPasswordSet: boolean;
  readonly dataFolder: string;
  readonly logsFolder: string;
  readonly logLevel: LogLevel;
  /** One try's log file is cut here, with a mark. */
  readonly maxLogFileBytes: number;
  /** Where a worker serves its logs; 0 turns it off. */
  readonly workerLogServerPort: number;
  readonly workerLogServerHost: string;
  /** Signs requests from api-server to the workers' log servers; not the API's secret. */
  readonly logServerSecret: string;
  /** Shared by workers and api-server: lets a worker report itself. */
  readonly workerToken: string;
  /** Shared by triggerers and api-server: lets a triggerer take triggers. */
  readonly triggererToken: string;
  /** Triggers that one triggerer runs at once. */
  readonly triggererCapacity: number;
  readonly workerConcurrency: number;
  readonly workerQueues: readonly string[];
  /** Names of further environment variables that tasks may see. */
  readonly taskEnvironment: readonly string[];
  /** How long a stopping worker waits for its running tries. */
  readonly workerShutdownSeconds: number;
  /** A warm process is retired after so many tries. */
  readonly taskProcessMaxTries: number;
  /** A warm process is retired when its resident memory grew by so much. */
  readonly taskProcessMaxGrowthBytes: number;
  readonly heartbeatSeconds: number;
  readonly leaseSeconds: number;
  readonly taskQueuedTimeoutSeconds: number;
  readonly instanceName: string;
  /** `/metrics` of a separate role; null turns it off. */
  readonly metricsPort: number | null;
  readonly metricsHost: string;
  /** Where `standalone` starts the servers that the user has not. */
  readonly postgresPort: number;
  readonly redisPort: number;
  readonly kafkaPort: number;
  readonly cassandraPort: number;
}

const MEBIBYTE = 1024 * 1024;
const DEFAULT_ADMIN = "airflow";

/** Reads the configuration; throws `ConfigError`. `warn` hears of keys that look misspelt. */
export function loadConfig(env: Environment, warn: (message: string) => void = warnOnStderr): Config {
  const reader = new SettingsReader(env);
  const dataFolder = reader.read({
    keys: ["UPDRAFT__CORE__DATA_FOLDER"],
    schema: schema.folder,
    fallback: resolve(".updraft"),
  });
  const config: Config = {
    ...readCore(reader),
    ...readApi(reader),
    ...readWorker(reader),
    ...readLogging(reader, dataFolder),
    ...readServers(reader),
    dataFolder,
  };
  reader.finish();
  for (const message of reader.warnings()) warn(message);
  return Object.freeze(config);
}

/** Settings that `requireSettings` may ask for, with the variable to set. */
const REQUIRABLE = {
  databaseUrl: "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
  redisUrl: "AIRFLOW__CELERY__BROKER_URL",
  jwtSecret: "AIRFLOW__API_AUTH__JWT_SECRET",
  logServerSecret: "UPDRAFT__LOGGING__LOG_SERVER_SECRET",
  workerToken: "UPDRAFT__WORKER__TOKEN",
  triggererToken: "UPDRAFT__TRIGGERER__TOKEN",
} as const;

/** Throws `ConfigError` naming the variables a role can't do without. */
export function requireSettings(config: Config, role: string, settings: readonly (keyof typeof REQUIRABLE)[]): void {
  const missing = settings.filter((setting) => config[setting] === "");
  if (missing.length === 0) return;
  throw new ConfigError(
    missing.map(
      (setting) => `${REQUIRABLE[setting]} is not set and the ${role} needs it. Set it, or use \`npm start\`.`,
    ),
  );
}

function readCore(reader: SettingsReader) {
  const count = schema.numeric(1, 1_000_000);
  const seconds = schema.numeric(0.05, 86_400, true);
  return {
    dagsFolder: reader.read({ keys: ["AIRFLOW__CORE__DAGS_FOLDER"], schema: schema.folder, fallback: resolve("dags") }),
    parallelism: reader.read({ keys: ["AIRFLOW__CORE__PARALLELISM"], schema: count, fallback: 32 }),
    maxActiveTasksPerDag: reader.read({
      keys: ["AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG"],
      schema: count,
      fallback: 16,
    }),
    maxMapLength: reader.read({ keys: ["AIRFLOW__CORE__MAX_MAP_LENGTH"], schema: count, fallback: 100_000 }),
    maxActiveRunsPerDag: reader.read({ keys: ["AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG"], schema: count, fallback: 16 }),
    dagsArePausedAtCreation: reader.read({
      keys: ["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"],
      schema: schema.boolean,
      fallback: true,
    }),
    rerunWithLatestVersion: reader.read<boolean | null>({
      keys: ["AIRFLOW__CORE__RERUN_WITH_LATEST_VERSION"],
      schema: schema.boolean,
      fallback: null,
    }),
    disableBundleVersioning: reader.read({
      keys: ["AIRFLOW__DAG_PROCESSOR__DISABLE_BUNDLE_VERSIONING"],
      schema: schema.boolean,
      fallback: false,
    }),
    catchupByDefault: reader.read({
      keys: ["AIRFLOW__SCHEDULER__CATCHUP_BY_DEFAULT"],
      schema: schema.boolean,
      fallback: false,
    }),
    batchAssetEvents: reader.read({
      keys: ["AIRFLOW__SCHEDULER__BATCH_ASSET_EVENTS"],
      schema: schema.boolean,
      fallback: false,
    }),
    createCronDataIntervals: reader.read({
      keys: ["AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS"],
      schema: schema.boolean,
      fallback: false,
    }),
    defaultTimezone: reader.read({
      keys: ["AIRFLOW__CORE__DEFAULT_TIMEZONE"],
      schema: schema.timezone,
      fallback: "UTC",
    }),
    databaseUrl: reader.read({
      keys: ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "DATABASE_URL"],
      schema: schema.databaseUrl,
      fallback: "",
      secret: true,
    }),
    redisUrl: reader.read({
      keys: ["AIRFLOW__CELERY__BROKER_URL", "REDIS_URL"],
      schema: schema.redisUrl,
      fallback: "",
      secret: true,
    }),
    leaseSeconds: reader.read({ keys: ["UPDRAFT__SCHEDULER__LEASE_SECONDS"], schema: seconds, fallback: 10 }),
    taskQueuedTimeoutSeconds: reader.read({
      keys: ["AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT"],
      schema: seconds,
      fallback: 600,
    }),
    instanceName: reader.read({ keys: ["UPDRAFT__CORE__INSTANCE_NAME"], schema: schema.text, fallback: hostname() }),
    metricsHost: reader.read({ keys: ["UPDRAFT__METRICS__HOST"], schema: schema.text, fallback: "127.0.0.1" }),
    metricsPort: reader.read<number | null>({ keys: ["UPDRAFT__METRICS__PORT"], schema: schema.port, fallback: null }),
  };
}

function readApi(reader: SettingsReader) {
  const apiPort = reader.read({ keys: ["AIRFLOW__API__PORT"], schema: schema.port, fallback: 8080 });
  const executionApiUrl = reader.read({
    keys: ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"],
    schema: schema.httpUrl,
    fallback: `http://127.0.0.1:${apiPort}/execution/`,
  });
  return {
    apiHost: reader.read({ keys: ["AIRFLOW__API__HOST"], schema: schema.text, fallback: "127.0.0.1" }),
    apiPort,
    baseUrl: reader.read({
      keys: ["AIRFLOW__API__BASE_URL"],
      schema: schema.httpUrl,
      fallback: `http://localhost:${apiPort}`,
    }),
    executionApiUrl: executionApiUrl.endsWith("/") ? executionApiUrl : `${executionApiUrl}/`,
    jwtSecret: reader.read({
      keys: ["AIRFLOW__API_AUTH__JWT_SECRET"],
      schema: schema.text,
      fallback: "",
      secret: true,
    }),
    jwtExpirationSeconds: reader.read({
      keys: ["AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME"],
      schema: schema.numeric(1, 31_536_000),
      fallback: 86_400,
    }),
    adminUsername: reader.read({
      keys: ["UPDRAFT__API__ADMIN_USERNAME"],
      schema: schema.text,
      fallback: DEFAULT_ADMIN,
    }),
    adminPassword: reader.read({
      keys: ["UPDRAFT__API__ADMIN_PASSWORD"],
      schema: schema.text,
      fallback: DEFAULT_ADMIN,
      secret: true,
    }),
    adminPasswordSet: reader.isSet("UPDRAFT__API__ADMIN_PASSWORD"),
  };
}

function readWorker(reader: SettingsReader) {
  const seconds = schema.numeric(0, 86_400, true);
  const growthMebibytes = reader.read({
    keys: ["UPDRAFT__WORKER__TASK_PROCESS_MAX_GROWTH_MB"],
    schema: schema.numeric(1, 1_000_000),
    fallback: 256,
  });
  return {
    workerToken: reader.read({ keys: ["UPDRAFT__WORKER__TOKEN"], schema: schema.text, fallback: "", secret: true }),
    triggererToken: reader.read({
      keys: ["UPDRAFT__TRIGGERER__TOKEN"],
      schema: schema.text,
      fallback: "",
      secret: true,
    }),
    triggererCapacity: reader.read({
      keys: ["AIRFLOW__TRIGGERER__CAPACITY"],
      schema: schema.numeric(1, 1_000_000),
      fallback: 1000,
    }),
    workerConcurrency: reader.read({
      keys: ["AIRFLOW__CELERY__WORKER_CONCURRENCY"],
      schema: schema.numeric(1, 1000),
      fallback: 16,
    }),
    workerQueues: Object.freeze(
      reader.read<readonly string[]>({
        keys: ["UPDRAFT__WORKER__QUEUES"],
        schema: schema.names,
        fallback: ["default"],
      }),
    ),
    taskEnvironment: Object.freeze(
      reader.read<readonly string[]>({
        keys: ["UPDRAFT__WORKER__TASK_ENVIRONMENT"],
        schema: schema.names,
        fallback: [],
      }),
    ),
    workerShutdownSeconds: reader.read({
      keys: ["UPDRAFT__WORKER__SHUTDOWN_SECONDS"],
      schema: seconds,
      fallback: 10,
    }),
    taskProcessMaxTries: reader.read({
      keys: ["UPDRAFT__WORKER__TASK_PROCESS_MAX_TRIES"],
      schema: schema.numeric(1, 1_000_000),
      fallback: 1000,
    }),
    taskProcessMaxGrowthBytes: growthMebibytes * MEBIBYTE,
    heartbeatSeconds: reader.read({
      keys: ["UPDRAFT__WORKER__HEARTBEAT_SECONDS"],
      schema: schema.numeric(0.05, 3600, true),
      fallback: 2,
    }),
  };
}

function readServers(reader: SettingsReader) {
  const port = (name: string, fallback: number) =>
    reader.read({ keys: [`UPDRAFT__SERVICES__${name}_PORT`], schema: schema.port, fallback });
  return {
    postgresPort: port("POSTGRES", 15_432),
    redisPort: port("REDIS", 16_379),
    kafkaPort: port("KAFKA", 9092),
    cassandraPort: port("CASSANDRA", 9042),
  };
}

function readLogging(reader: SettingsReader, dataFolder: string) {
  const maxLogFileMebibytes = reader.read({
    keys: ["UPDRAFT__LOGGING__MAX_FILE_MB"],
    schema: schema.numeric(1, 1_000_000),
    fallback: 1024,
  });
  return {
    logsFolder: reader.read({
      keys: ["AIRFLOW__LOGGING__BASE_LOG_FOLDER"],
      schema: schema.folder,
      fallback: join(dataFolder, "logs"),
    }),
    logLevel: reader.read<LogLevel>({
      keys: ["AIRFLOW__LOGGING__LOGGING_LEVEL"],
      schema: schema.logLevel,
      fallback: "info",
    }),
    maxLogFileBytes: maxLogFileMebibytes * MEBIBYTE,
    workerLogServerPort: reader.read({
      keys: ["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"],
      schema: schema.port,
      fallback: 8793,
    }),
    workerLogServerHost: reader.read({
      keys: ["AIRFLOW__LOGGING__WORKER_LOG_SERVER_HOST"],
      schema: schema.text,
      fallback: "127.0.0.1",
    }),
    logServerSecret: reader.read({
      keys: ["UPDRAFT__LOGGING__LOG_SERVER_SECRET"],
      schema: schema.text,
      fallback: "",
      secret: true,
    }),
  };
}

function warnOnStderr(message: string): void {
  process.stderr.write(`warning: ${message}\n`);
}
