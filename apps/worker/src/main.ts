/** The worker as a process of its own. */
import {
  createLogger,
  createMetrics,
  loadConfig,
  processEnvironment,
  startMetricsServer,
  stopOnSignal,
} from "@updraft/service-kit";
import { createWorker } from "./index.ts";

const config = loadConfig(processEnvironment());
const logger = createLogger("worker", config.logLevel);
const metrics = createMetrics("worker", { processMetrics: true });
const worker = createWorker({ config, logger, metrics });
stopOnSignal(() => worker.stop(), logger);
await worker.start();
if (config.metricsPort !== null) await startMetricsServer(metrics.registry, config.metricsPort, config.metricsHost);
