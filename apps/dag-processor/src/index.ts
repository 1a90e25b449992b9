/**
 * The dag-processor: watches the DAGs folder, bundles and reads each file in a child process, and stores what it finds.
 * A watcher tells of changes within milliseconds; a sweep finds what it missed.
 */
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { relative, sep } from "node:path";
import type { Announcer, MetadataStore } from "@updraft/metadata-store";
import {
  type Clock,
  type Config,
  type Logger,
  type Metrics,
  processEnvironment,
  type Service,
  startLoop,
  stopAll,
  systemClock,
  userName,
} from "@updraft/service-kit";
import { type FSWatcher, watch } from "chokidar";
import { SKIPPED_FOLDERS } from "./dag-folder.ts";
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
  /** Resolves when the folder is watched; its files are read meanwhile. */
  start(): Promise<void>;
}

const SWEEP_MS = 30_000;
const REPORT_MS = 5000;
/** Airflow's dagbag_import_timeout. */
const PARSE_TIMEOUT_SECONDS = 30;
const PARSE_MEMORY_MEBIBYTES = 512;
const LANES = 2;

export function createDagProcessor(options: DagProcessorOptions): DagProcessor {
  const { config, logger, metrics, store, announcer, clock = systemClock } = options;
  const services: Service[] = [];
  const parseSeconds = metrics.duration("dag_processing_file_duration", "Time to bundle, read and store a DAG file");
  const parser = createParseProcesses({
    environment: processEnvironment(),
    allowedNames: config.taskEnvironment,
    dataFolder: config.dataFolder,
    timeoutSeconds: PARSE_TIMEOUT_SECONDS,
    memoryMebibytes: PARSE_MEMORY_MEBIBYTES,
    clock,
  });
  const isSkipped = (path: string) =>
    relative(config.dagsFolder, path)
      .split(sep)
      .some((part) => SKIPPED_FOLDERS.has(part));
  const isOutside = (path: string) => relative(config.dagsFolder, path).startsWith("..");
  let watcher: FSWatcher | undefined;
  const processor = new Processor({
    ...{ config, store, announcer, parser, lanes: LANES, logger, clock },
    onParsed: (seconds) => parseSeconds.observe(seconds),
    onInputs: (paths) => watcher?.add(paths.filter((path) => isOutside(path) && !isSkipped(path))),
  });

  const report = (state: "running" | "stopped") =>
    store.reportJob({
      name: `dag-processor ${config.instanceName} ${process.pid}`,
      job_type: "DagProcessorJob",
      state,
      hostname: hostname(),
      unixname: userName(),
    });

  return {
    async start() {
      mkdirSync(config.dagsFolder, { recursive: true });
      const watching = watch(config.dagsFolder, { ignored: isSkipped, ignoreInitial: true });
      watcher = watching;
      watching.on("error", (error) => logger.warn({ err: error }, "the DAGs folder can't be watched; it is swept"));
      // The first sweep comes after: what is saved before would be told by neither.
      await new Promise<void>((resolve) => {
        watching.once("ready", resolve);
        watching.once("error", () => resolve());
      });
      const runOnce = () => processor.sweep();
      const sweeping = startLoop({ name: "dag-files", intervalMs: SWEEP_MS, runOnce, logger, clock });
      watching.on("all", () => sweeping.wake());
      const reporting = startLoop({
        name: "report",
        intervalMs: REPORT_MS,
        runOnce: () => report("running"),
        logger,
        clock,
      });
      services.push({ stop: () => watching.close() }, sweeping, reporting);
      logger.info({ folder: config.dagsFolder }, "the DAGs folder is watched");
    },
    async stop() {
      await stopAll(services.splice(0), logger);
      // A file in hand may take long; without its child it ends at once.
      const stopping = processor.stop();
      await parser.close();
      await stopping;
      await report("stopped");
    },
  };
}
