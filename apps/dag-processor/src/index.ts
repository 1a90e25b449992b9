/**
 * The dag-processor: watches the DAGs folder, bundles and reads each file in a child process, and stores what it finds.
 * A watcher tells of changes within milliseconds; a sweep finds what it missed.
 */
import { mkdirSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import type { Announcer, MetadataStore } from "@updraft/metadata-store";
import {
  type Clock,
  type Config,
  type Logger,
  type Metrics,
  processEnvironment,
  type Service,
  spawnUserCodeProcess,
  startLoop,
  systemClock,
} from "@updraft/service-kit";
import { watch } from "chokidar";
import { createParseProcesses } from "./parse-processes.ts";
import { Processor } from "./processor.ts";

export interface DagProcessorOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: MetadataStore;
  readonly announcer: Announcer;
  readonly clock?: Clock;
}

export interface DagProcessor extends Service {
  /** Resolves when the folder was read once. */
  start(): Promise<void>;
}

const SWEEP_MS = 30_000;
const REPORT_MS = 5000;
const PARSE_TIMEOUT_SECONDS = 30;

export function createDagProcessor(options: DagProcessorOptions): DagProcessor {
  const { config, logger, metrics, store, announcer, clock = systemClock } = options;
  const services: Service[] = [];
  const parseSeconds = metrics.duration("dag_processing_file_duration", "Time to bundle, read and store a DAG file");
  const parser = createParseProcesses({
    spawn: spawnUserCodeProcess,
    environment: processEnvironment(),
    dataFolder: config.dataFolder,
    timeoutSeconds: PARSE_TIMEOUT_SECONDS,
  });
  const onParsed = (seconds: number) => parseSeconds.observe(seconds);
  const processor = new Processor({ config, store, announcer, parser, logger, clock, onParsed });

  const report = (state: "running" | "stopped") =>
    store.reportJob({
      name: `dag-processor ${config.instanceName} ${process.pid}`,
      job_type: "DagProcessorJob",
      state,
      hostname: hostname(),
      unixname: userInfo().username,
    });

  return {
    async start() {
      mkdirSync(config.dagsFolder, { recursive: true });
      await processor.processAll();
      const runOnce = () => processor.processAll();
      const reading = startLoop({ name: "dag-files", intervalMs: SWEEP_MS, runOnce, logger, clock });
      const watcher = watch(config.dagsFolder, {
        ignored: (path) => /[\\/](node_modules|\.git|dist)([\\/]|$)/.test(path),
        ignoreInitial: true,
      });
      watcher.on("all", () => reading.wake());
      watcher.on("error", (error) => logger.warn({ err: error }, "the DAGs folder can't be watched; it is swept"));
      const reporting = startLoop({
        name: "report",
        intervalMs: REPORT_MS,
        runOnce: () => report("running"),
        logger,
        clock,
      });
      services.push(reading, { stop: () => watcher.close() }, reporting);
      logger.info({ folder: config.dagsFolder }, "the DAGs folder is watched");
    },
    async stop() {
      for (const service of services.splice(0).toReversed()) await service.stop();
      parser.close();
      await report("stopped");
    },
  };
}
