/** The dag-processor as a process of its own. */
import { createAnnouncer, openMetadataStore } from "@updraft/metadata-store";
import {
  createLogger,
  createMetrics,
  loadConfig,
  processEnvironment,
  requireSettings,
  startMetricsServer,
  stopOnSignal,
  systemClock,
  systemIds,
} from "@updraft/service-kit";
import { createDagProcessor } from "./index.ts";

const config = loadConfig(processEnvironment());
requireSettings(config, "dag-processor", ["databaseUrl"]);
const logger = createLogger("dag-processor", config.logLevel);
const metrics = createMetrics("dag-processor", { processMetrics: true });
const { databaseUrl, parallelism, dagsArePausedAtCreation, disableBundleVersioning } = config;
const store = await openMetadataStore({
  ...{ databaseUrl, parallelism, dagsArePausedAtCreation, disableBundleVersioning, logger },
  clock: systemClock,
  ids: systemIds,
});
// Reading files queues no tasks.
const queue = { offer: async () => undefined };
const announcer = createAnnouncer({ databaseUrl, logger, queue, tokenFor: async () => "" });
const processor = createDagProcessor({ config, logger, metrics, store, announcer });

stopOnSignal(async () => {
  await processor.stop();
  await announcer.close();
  await store.close();
}, logger);
if (config.metricsPort !== null) await startMetricsServer(metrics.registry, config.metricsPort, config.metricsHost);
await processor.start();
