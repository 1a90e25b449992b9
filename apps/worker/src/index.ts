/**
 * The worker: takes task messages, runs their tries in task processes, and serves their logs.
 *
 * It knows neither the database nor the API's signing secret: its way to the metadata is the Task Execution API.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { createArtefactCache } from "@updraft/execution-client";
import {
  type Clock,
  type Config,
  type Logger,
  type Loop,
  type Metrics,
  processEnvironment,
  requireSettings,
  type Service,
  startLoop,
  systemClock,
} from "@updraft/service-kit";
import { createTaskConsumer, type TaskConsumer, type TaskConsumerOptions } from "@updraft/task-queue";
import { createExecutionClient } from "./execution-client.ts";
import { startLogServer } from "./log-server.ts";
import { createProcessPool } from "./process-pool.ts";
import { spawnTaskProcess } from "./spawn-task-process.ts";
import { TaskProcess } from "./task-process-handle.ts";
import { createTryRunner, type TryRunner } from "./try-runner.ts";
import { startWatchdog } from "./watchdog.ts";
import { createWorkerMetrics } from "./worker-metrics.ts";
import { createWorkerReporter } from "./worker-report.ts";

export interface WorkerOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  /** The queue; Redis as configured unless given. */
  readonly consumerFactory?: (options: TaskConsumerOptions) => TaskConsumer;
}

export interface Worker extends Service {
  start(): Promise<void>;
}

/** After the running tries were stopped, what is left to do takes no longer than this. */
const LAST_CALLS_MS = 10_000;
/** The queue is left without a word when it doesn't answer: nothing of it is needed any more. */
const QUEUE_CLOSE_MS = 1000;

export function createWorker(options: WorkerOptions): Worker {
  let started: Promise<() => Promise<void>> | undefined;
  let stopped: Promise<void> | undefined;
  return {
    async start() {
      started ??= startWorker(options);
      await started;
    },
    stop() {
      stopped ??= started === undefined ? Promise.resolve() : started.then((stop) => stop());
      return stopped;
    },
  };
}

async function startWorker({ config, logger, metrics, clock = systemClock, consumerFactory }: WorkerOptions) {
  requireSettings(config, "worker", consumerFactory === undefined ? ["redisUrl", "workerToken"] : ["workerToken"]);
  const shutdown = new AbortController();
  const client = createExecutionClient(config.executionApiUrl, config.instanceName);
  const logServer = await startLogServerIfWanted(config, clock, logger);
  const fetch = (hash: string, token: string) => client.artefact(hash, token);
  const artefacts = createArtefactCache({ folder: join(config.dataFolder, "artefacts"), fetch, clock });
  await artefacts.prune();
  const processes = createProcesses(config, clock, logger);
  const workerMetrics = createWorkerMetrics(metrics);
  const { pool } = processes;
  const runner = createTryRunner({
    config,
    client,
    pool,
    artefacts,
    metrics: workerMetrics,
    logger,
    clock,
    shutdown: shutdown.signal,
  });
  const reporter = createWorkerReporter({ config, client, logger, running: runner.running, logPort: logServer?.port });
  const consumer = (consumerFactory ?? queueOf(config))({
    queues: config.workerQueues,
    concurrency: config.workerConcurrency,
    handle(message, offeredAt) {
      workerMetrics.taken(clock.now() - offeredAt);
      return runner.run(message);
    },
    onError: (error) => logger.error({ err: error }, "taking task messages failed"),
  });
  const reports = startLoop({
    name: "worker-report",
    intervalMs: config.heartbeatSeconds * 1000,
    jitter: 0.1,
    runOnce: () => {
      workerMetrics.sizes(runner.running(), pool.sizes());
      return reporter.report("running");
    },
    logger,
    clock,
  });
  logger.info({ queues: config.workerQueues, concurrency: config.workerConcurrency }, "the worker takes tasks");

  return async () => {
    await finishTries({ config, clock, logger, runner, consumer, reports, shutdown, reportStopping: reporter.report });
    await processes.stop();
    await logServer?.stop();
    await reporter.report("stopped");
    client.close();
  };
}

function queueOf({ redisUrl }: Config) {
  return (options: TaskConsumerOptions) => createTaskConsumer({ redisUrl, ...options });
}

async function startLogServerIfWanted(config: Config, clock: Clock, logger: Logger) {
  // Without a secret no token could open anything; the logs are then read from a shared folder.
  if (config.workerLogServerPort === 0 || config.logServerSecret === "") return undefined;
  return startLogServer({
    logsFolder: config.logsFolder,
    secret: config.logServerSecret,
    host: config.workerLogServerHost,
    port: config.workerLogServerPort,
    clock,
    logger,
  });
}

function createProcesses(config: Config, clock: Clock, logger: Logger) {
  const environment = processEnvironment();
  const { taskEnvironment, dataFolder } = config;
  const workerMarker = randomUUID();
  const watchdog = startWatchdog(workerMarker);
  let spawned = 0;

  function spawn(): TaskProcess {
    spawned += 1;
    const marker = `${workerMarker}.${spawned}`;
    const process = new TaskProcess(
      spawnTaskProcess({ environment, taskEnvironment, dataFolder, marker }),
      marker,
      clock,
    );
    if (process.pid !== 0) {
      watchdog.watch(process.pid);
      void process.gone.then(() => watchdog.forget(process.pid));
    }
    return process;
  }

  const pool = createProcessPool({ spawn, concurrency: config.workerConcurrency, clock, logger });
  return {
    pool,
    async stop() {
      await pool.close();
      await watchdog.stop();
    },
  };
}

interface Finishing {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runner: TryRunner;
  readonly consumer: TaskConsumer;
  readonly reports: Loop;
  readonly shutdown: AbortController;
  readonly reportStopping: (state: "stopping") => Promise<void>;
}

/** Takes nothing new, waits for what runs, and then stops it. */
async function finishTries(finishing: Finishing): Promise<void> {
  const { config, clock, runner, consumer, reports, shutdown, reportStopping, logger } = finishing;
  await reports.stop();
  const closed = consumer
    .close()
    .catch((error: unknown) => logger.warn({ err: error }, "the queue was left without a word"));
  await reportStopping("stopping");
  await within(clock, config.workerShutdownSeconds * 1000, runner.idle());
  shutdown.abort();
  await within(clock, LAST_CALLS_MS, runner.idle());
  await within(clock, QUEUE_CLOSE_MS, closed);
}

async function within(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, clock.sleep(ms, done.signal)]);
  done.abort();
}
