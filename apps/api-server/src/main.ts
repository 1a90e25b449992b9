/** The api-server as a process of its own. */
import { createAnnouncer, createListener, openMetadataStore } from "@updraft/metadata-store";
import {
  createLogger,
  createMetrics,
  createWorkloadTokens,
  loadConfig,
  processEnvironment,
  requireSettings,
  startMetricsServer,
  stopAll,
  stopOnSignal,
  systemClock,
  systemIds,
} from "@updraft/service-kit";
import { createTaskQueue } from "@updraft/task-queue";
import { createEventHub } from "./events/hub.ts";
import { createApiServer } from "./index.ts";

const config = loadConfig(processEnvironment());
requireSettings(config, "api-server", ["databaseUrl", "redisUrl", "jwtSecret"]);
const logger = createLogger("api-server", config.logLevel);
const metrics = createMetrics("api-server", { processMetrics: true });
const { databaseUrl, parallelism, rerunWithLatestVersion, maxMapLength } = config;
const store = await openMetadataStore({
  ...{ databaseUrl, parallelism, rerunWithLatestVersion, maxMapLength, logger },
  clock: systemClock,
  ids: systemIds,
});
const queue = createTaskQueue({ redisUrl: config.redisUrl, logger });
const tokenFor = createWorkloadTokens(config.jwtSecret).sign;
const announcer = createAnnouncer({ databaseUrl, logger, queue, tokenFor });
const events = createEventHub();
const listener = await createListener({ databaseUrl, logger, onEvents: events.publish });
const server = createApiServer({ config, logger, metrics, store, announcer, events });

stopOnSignal(async () => {
  const closers = [store, queue, announcer].map((one) => ({ stop: () => one.close() }));
  await stopAll([...closers, listener, server], logger);
}, logger);
await server.start();
if (config.metricsPort !== null) await startMetricsServer(metrics.registry, config.metricsPort, config.metricsHost);
