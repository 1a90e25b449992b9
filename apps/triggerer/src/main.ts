/** The triggerer as a process of its own. */
import {
  createLogger,
  createMetrics,
  loadConfig,
  processEnvironment,
  startMetricsServer,
  stopOnSignal,
} from "@updraft/service-kit";
import { createTriggerer } from "./index.ts";

const config = loadConfig(processEnvironment());
const logger = createLogger("triggerer", config.logLevel);
const metrics = createMetrics("triggerer", { processMetrics: true });
const triggerer = createTriggerer({ config, logger, metrics });
stopOnSignal(() => triggerer.stop(), logger);
await triggerer.start();
if (config.metricsPort !== null) await startMetricsServer(metrics.registry, config.metricsPort, config.metricsHost);
