/** Cassandra 5: one node on loopback with logins (cassandra / cassandra). */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "cassandra-driver";
import { CASSANDRA_JVM_ARGUMENTS, cassandraYaml, LOGBACK } from "./cassandra-settings.ts";
import { classArchive } from "./class-archive.ts";
import { claimFolder } from "./data-folder.ts";
import { fetchJars, type JarSet } from "./jars.ts";
import { findJava, type Java } from "./java.ts";
import pins from "./pins/cassandra.json" with { type: "json" };
import { claimPort, waitForPort } from "./ports.ts";
import { type RunningServer, type StartOptions, whenReady } from "./running-server.ts";
import { startServerProcess } from "./server-process.ts";
import type { FetchOptions } from "./servers-folder.ts";

const CASSANDRA: JarSet = {
  name: "cassandra-5.0.9",
  megabytes: 67,
  coordinates: ["org.apache.cassandra:cassandra-all:5.0.9"],
  pins,
  without: "use a Cassandra of your own: AIRFLOW_CONN_CASSANDRA_DEFAULT=cassandra://user:password@host:9042",
};
const READY_LIMIT_MS = 180_000;
const LOGIN_POLL_MS = 50;
export const CASSANDRA_LOGIN = { username: "cassandra", password: "cassandra" } as const;

export interface RunningCassandra extends RunningServer {
  readonly login: string;
  readonly password: string;
}

/** Its jars and a Java for them. */
export async function fetchCassandra(options: FetchOptions): Promise<{ folder: string; java: Java }> {
  const java = await findJava("Cassandra", true, options);
  return { folder: await fetchJars(CASSANDRA, java, options), java };
}

export async function startCassandra(options: StartOptions & FetchOptions): Promise<RunningCassandra> {
  const dataFolder = await claimFolder("Cassandra", options.dataFolder);
  const port = await claimPort("Cassandra", options.port, "UPDRAFT__SERVICES__CASSANDRA_PORT");
  const storagePort = await claimPort("Cassandra's storage", 0, "UPDRAFT__SERVICES__CASSANDRA_PORT");
  const { folder, java } = await fetchCassandra(options);
  const configuration = join(dataFolder, "configuration");
  mkdirSync(join(configuration, "triggers"), { recursive: true, mode: 0o700 });
  writeFileSync(join(configuration, "cassandra.yaml"), cassandraYaml(port, storagePort, dataFolder));
  writeFileSync(join(configuration, "logback.xml"), LOGBACK);
  const archive = await classArchive(folder, java, options.mode);
  const server = startServerProcess({
    name: "Cassandra",
    command: java.command,
    args: [
      ...["-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxDirectMemorySize=64m"],
      ...archive.flags,
      ...CASSANDRA_JVM_ARGUMENTS,
      `-Dcassandra.config=file://${configuration}/cassandra.yaml`,
      `-Dcassandra.storagedir=${dataFolder}`,
      `-Dlogback.configurationFile=${configuration}/logback.xml`,
      `-Dcassandra.triggers_dir=${configuration}/triggers`,
      ...["-cp", join(folder, "lib", "*"), "org.apache.cassandra.service.CassandraDaemon"],
    ],
    cwd: dataFolder,
    logFile: join(dataFolder, "cassandra.log"),
    stopSignal: "SIGTERM",
    killAfterMs: archive.stopWithinMs,
    afterExit: archive.afterExit,
  });
  await whenReady("Cassandra", server, READY_LIMIT_MS, (signal) => whenLoginWorks(port, signal));
  const { pid, exited, stop } = server;
  const { username: login, password } = CASSANDRA_LOGIN;
  return { url: `127.0.0.1:${port}`, port, pid, exited, stop, login, password };
}

/** An open port is not enough: in a fresh start the role is made a moment later. */
async function whenLoginWorks(port: number, signal: AbortSignal): Promise<boolean> {
  await waitForPort(port, signal);
  while (!signal.aborted) {
    const client = new Client({
      contactPoints: [`127.0.0.1:${port}`],
      localDataCenter: "datacenter1",
      credentials: CASSANDRA_LOGIN,
    });
    try {
      await client.connect();
      return true;
    } catch {
      await delay(LOGIN_POLL_MS, undefined, { signal }).catch(() => undefined);
    } finally {
      await client.shutdown();
    }
  }
  return false;
}
