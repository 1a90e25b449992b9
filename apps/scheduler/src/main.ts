/** The scheduler as a process of its own. */
import { createAnnouncer, openMetadataStore } from "@updraft/metadata-store";
import {
  createLogger,
  createMetrics,
  createWorkloadTokens,
  loadConfig,
  processEnvironment,
  requireSettings,
  startMetricsServer,
  stopOnSignal,
  systemClock,
  systemIds,
} from "@updraft/service-kit";
import { createTaskQueue } from "@updraft/task-queue";
import { createScheduler } from "./index.ts";

const config = loadConfig(processEnvironment());
requireSettings(config, "scheduler", ["databaseUrl", "redisUrl", "jwtSecret"]);
const logger = createLogger("scheduler", config.logLevel);
const metrics = createMetrics("scheduler", { processMetrics: true });
const { databaseUrl, parallelism, maxMapLength } = config;
const store = await openMetadataStore({
  ...{ databaseUrl, parallelism, maxMapLength, logger },
  clock: systemClock,
  ids: systemIds,
});
const queue = createTaskQueue({ redisUrl: config.redisUrl, logger });
const announcer = createAnnouncer({
  databaseUrl,
  logger,
  queue,
  tokenFor: createWorkloadTokens(config.jwtSecret).sign,
});
const scheduler = createScheduler({ config, logger, metrics, store, announcer });

stopOnSignal(async () => {
  await scheduler.stop();
  await announcer.close();
  await queue.close();
  await store.close();
}, logger);
await scheduler.start();
if (config.metricsPort !== null) await startMetricsServer(metrics.registry, config.metricsPort, config.metricsHost);
