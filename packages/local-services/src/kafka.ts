/** Kafka 4 (KRaft): one node, broker and controller in one, on loopback. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fetchJars, type JarSet } from "./jars.ts";
import { findJava, type Java } from "./java.ts";
import pins from "./pins/kafka.json" with { type: "json" };
import { claimPort, waitForPort } from "./ports.ts";
import { type RunningServer, type StartOptions, whenReady } from "./running-server.ts";
import { ServerError } from "./server-error.ts";
import { startServerProcess } from "./server-process.ts";
import type { FetchOptions } from "./servers-folder.ts";

const KAFKA: JarSet = {
  name: "kafka-4.4.0",
  coordinates: ["org.apache.kafka:kafka_2.13:4.4.0", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5"],
  pins,
};
const CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg";
const JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
const READY_LIMIT_MS = 120_000;

export async function startKafka(options: StartOptions & FetchOptions): Promise<RunningServer> {
  const { dataFolder } = options;
  const port = await claimPort("Kafka", options.port, "UPDRAFT__SERVICES__KAFKA_PORT");
  const controllerPort = await claimPort("Kafka's controller", 0, "UPDRAFT__SERVICES__KAFKA_PORT");
  const folder = await fetchJars(KAFKA, options);
  const java = await findJava("Kafka", false, options);
  const data = join(dataFolder, "data");
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const properties = join(dataFolder, "server.properties");
  writeFileSync(properties, serverProperties(port, controllerPort, data));
  writeFileSync(join(dataFolder, "log4j2.properties"), LOG4J);
  if (!existsSync(join(data, "meta.properties"))) format(java, folder, properties);
  const server = startServerProcess({
    name: "Kafka",
    command: java.command,
    args: [
      ...["-Xms64m", "-Xmx256m", ...JVM, ...archive(dataFolder, java)],
      `-Dlog4j2.configurationFile=${join(dataFolder, "log4j2.properties")}`,
      ...["-cp", join(folder, "lib", "*"), "kafka.Kafka", properties],
    ],
    cwd: dataFolder,
    logFile: join(dataFolder, "kafka.log"),
    stopSignal: "SIGTERM",
  });
  await whenReady("Kafka", server, READY_LIMIT_MS, (signal) => waitForPort(port, signal));
  return { url: `127.0.0.1:${port}`, port, pid: server.pid, exited: server.exited, stop: server.stop };
}

/** Loaded classes kept from the first start on: halves the later ones. It belongs to one Java and one set of jars. */
function archive(dataFolder: string, java: Java): string[] {
  const file = join(dataFolder, `classes-${KAFKA.name}-${java.version}.jsa`);
  return existsSync(file) ? [`-XX:SharedArchiveFile=${file}`] : [`-XX:ArchiveClassesAtExit=${file}`];
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

/**
 * The short session lets a broker that was killed come back at once: the controller keeps the old registration until it
 * ends.
 */
function serverProperties(port: number, controllerPort: number, data: string): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=${data}
num.partitions=3
auto.create.topics.enable=true
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
min.insync.replicas=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=2
num.recovery.threads.per.data.dir=1
background.threads=2
log.cleaner.dedupe.buffer.size=16777216
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
log.retention.hours=168
metric.reporters=
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
controller.quorum.election.timeout.ms=300
controller.quorum.election.backoff.max.ms=300
`;
}

const LOG4J = `status = warn
appender.console.type = Console
appender.console.name = STDOUT
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
logger.cfg.name = org.apache.kafka.common.config.AbstractConfig
logger.cfg.level = warn
rootLogger.appenderRef.stdout.ref = STDOUT
`;
