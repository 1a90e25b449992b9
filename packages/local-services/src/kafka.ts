/** Kafka 4 (KRaft): one node, broker and controller in one, on loopback. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { classArchive } from "./class-archive.ts";
import { claimFolder } from "./data-folder.ts";
import { fetchJars, type JarSet } from "./jars.ts";
import { findJava, type Java } from "./java.ts";
import { LOG4J, serverProperties } from "./kafka-settings.ts";
import pins from "./pins/kafka.json" with { type: "json" };
import { claimPort } from "./ports.ts";
import { type RunningServer, type StartOptions, whenReady } from "./running-server.ts";
import { ServerError } from "./server-error.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";
import type { FetchOptions } from "./servers-folder.ts";

const KAFKA: JarSet = {
  name: "kafka-4.4.0",
  megabytes: 43,
  coordinates: ["org.apache.kafka:kafka_2.13:4.4.0", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5"],
  pins,
  without: "use a Kafka of your own: AIRFLOW_CONN_KAFKA_DEFAULT=kafka://host:9092",
};
const CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg";
const JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
const READY_LIMIT_MS = 120_000;

/** Its jars and a Java for them. */
export async function fetchKafka(options: FetchOptions): Promise<{ folder: string; java: Java }> {
  const java = await findJava("Kafka", false, options);
  return { folder: await fetchJars(KAFKA, java, options), java };
}

export async function startKafka(options: StartOptions & FetchOptions): Promise<RunningServer> {
  const dataFolder = await claimFolder("Kafka", options.dataFolder);
  const port = await claimPort("Kafka", options.port, "UPDRAFT__SERVICES__KAFKA_PORT");
  const controllerPort = await claimPort("Kafka's controller", 0, "UPDRAFT__SERVICES__KAFKA_PORT");
  const { folder, java } = await fetchKafka(options);
  const data = join(dataFolder, "data");
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const properties = join(dataFolder, "server.properties");
  writeFileSync(properties, serverProperties(port, controllerPort, data));
  writeFileSync(join(dataFolder, "log4j2.properties"), LOG4J);
  if (!existsSync(join(data, "meta.properties"))) format(java, folder, properties);
  const archive = await classArchive(folder, java, options.mode);
  const server = startServerProcess({
    name: "Kafka",
    command: java.command,
    args: [
      ...["-Xms64m", "-Xmx256m", ...JVM, ...archive.flags],
      `-Dlog4j2.configurationFile=${join(dataFolder, "log4j2.properties")}`,
      ...["-cp", join(folder, "lib", "*"), "kafka.Kafka", properties],
    ],
    cwd: dataFolder,
    logFile: join(dataFolder, "kafka.log"),
    stopSignal: "SIGTERM",
    killAfterMs: archive.stopWithinMs,
    afterExit: archive.afterExit,
  });
  await whenReady("Kafka", server, READY_LIMIT_MS, (signal) => whenStarted(server, signal));
  return { url: `127.0.0.1:${port}`, port, pid: server.pid, exited: server.exited, stop: server.stop };
}

/** The port opens before the broker takes messages; the line comes when it does. */
async function whenStarted(server: ServerProcess, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (server.lastWords().includes("Kafka Server started")) return true;
    await delay(20, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

function format(java: Java, folder: string, properties: string): void {
  const { status, stdout, stderr, error } = spawnSync(
    java.command,
    [
      ...["-Xmx96m", ...JVM, "-cp", join(folder, "lib", "*")],
      ...["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", properties, "--ignore-formatted"],
    ],
    { encoding: "utf8" },
  );
  if (status === 0) return;
  rmSync(properties, { force: true });
  throw new ServerError(
    "Kafka could not make its data folder",
    "Check that there is space and the folder may be written.",
    {
      cause: error,
      log: `${stdout}${stderr}`.trim().slice(-2000),
    },
  );
}
