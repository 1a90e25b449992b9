/**
 * The product as a user starts it, for black-box tests and benchmarks: `updraft standalone` on free ports with a data
 * folder of its own. Kafka and Cassandra are started only when asked for; the connections of the others point nowhere.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { RestClient } from "./rest-client.ts";

export const PROJECT = resolve(import.meta.dirname, "../..");

export interface ProductOptions {
  readonly dagsFolder: string;
  /** Each role as a process of its own. */
  readonly separate?: boolean;
  /** With `separate`: how many of each. */
  readonly schedulers?: number;
  readonly workers?: number;
  /** Start Kafka and Cassandra too. */
  readonly pipeline?: boolean;
  /** Keep an earlier data folder instead of a fresh one. */
  readonly dataFolder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with the address the product is going to have. */
  readonly beforeStart?: (url: string) => void;
}

export interface Product {
  readonly url: string;
  readonly dataFolder: string;
  readonly process: ChildProcess;
  readonly rest: RestClient;
  readonly ports: { readonly kafka: number; readonly cassandra: number; readonly redis: number };
  /** Everything the product printed so far. */
  output(): string;
  /** Ends it as Ctrl-C does and waits. */
  stop(): Promise<void>;
}

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 30_000;

export async function startProduct(options: ProductOptions): Promise<Product> {
  const dataFolder = options.dataFolder ?? mkdtempSync(join(tmpdir(), "updraft-"));
  const ports = await freePorts(6);
  const url = `http://127.0.0.1:${ports[0]}`;
  options.beforeStart?.(url);
  const child = spawn(
    process.execPath,
    [join(PROJECT, "apps/cli/src/main.ts"), "standalone", ...roleArguments(options)],
    {
      cwd: PROJECT,
      env: {
        ...inherited(),
        ...ownPorts(ports),
        ...nowhere(options),
        ...facts(options, dataFolder),
        ...options.environment,
      },
      // The channel tells the product that whoever started it is gone, even after a kill -9.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    },
  );
  child.channel?.unref();
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data: Buffer) => (printed = (printed + data).slice(-1_000_000)));
  const rest = new RestClient(url);
  try {
    await rest.waitUntilUp(START_LIMIT_MS, () => child.exitCode !== null);
    await rest.login("airflow", "airflow");
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`the product did not start at ${url}; it printed:\n${printed.slice(-5000)}`, { cause: error });
  }
  const ownsFolder = options.dataFolder === undefined;
  return {
    url,
    dataFolder,
    process: child,
    rest,
    ports: { kafka: ports[3] ?? 0, cassandra: ports[4] ?? 0, redis: ports[2] ?? 0 },
    output: () => printed,
    stop: () => stop(child, ownsFolder ? dataFolder : null),
  };
}

function roleArguments({ separate, schedulers = 1, workers = 1 }: ProductOptions): string[] {
  return separate ? ["--separate", "--schedulers", `${schedulers}`, "--workers", `${workers}`] : [];
}

function inherited(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ["PATH", "HOME", "LANG", "JAVA_HOME", "UPDRAFT_SERVERS_FOLDER"]) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

function ownPorts(ports: readonly number[]): Record<string, string> {
  const [api, postgres, redis, kafka, cassandra, workerLog] = ports.map(String);
  return {
    AIRFLOW__API__PORT: `${api}`,
    UPDRAFT__SERVICES__POSTGRES_PORT: `${postgres}`,
    UPDRAFT__SERVICES__REDIS_PORT: `${redis}`,
    UPDRAFT__SERVICES__KAFKA_PORT: `${kafka}`,
    UPDRAFT__SERVICES__CASSANDRA_PORT: `${cassandra}`,
    AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT: `${workerLog}`,
  };
}

/** A connection that is given is one the product starts no server for. */
function nowhere(options: ProductOptions): Record<string, string> {
  if (options.pipeline === true) return {};
  return {
    AIRFLOW_CONN_KAFKA_DEFAULT: "kafka://127.0.0.1:9",
    AIRFLOW_CONN_CASSANDRA_DEFAULT: "cassandra://a:b@127.0.0.1:9/none",
  };
}

function facts(options: ProductOptions, dataFolder: string): Record<string, string> {
  return {
    AIRFLOW__CORE__DAGS_FOLDER: options.dagsFolder,
    UPDRAFT__CORE__DATA_FOLDER: dataFolder,
    UPDRAFT_SERVERS_FOLDER: process.env.UPDRAFT_SERVERS_FOLDER ?? join(PROJECT, ".updraft/servers"),
  };
}

async function stop(child: ChildProcess, folder: string | null): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGINT");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  }
  if (folder !== null) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((done) =>
          server.listen(0, "127.0.0.1", () => done((server.address() as { port: number }).port)),
        ),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
