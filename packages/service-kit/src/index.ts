/**
 * What every role needs to start, run and stop: configuration, logs, metrics, clock, ids, loops.
 */
export { type Clock, NO_REASON, systemClock } from "./clock.ts";
export { type Config, loadConfig, requireSettings } from "./config.ts";
export { ConfigError } from "./errors.ts";
export { type Ids, systemIds } from "./ids.ts";
export { type JwtClaims, type JwtVerdict, signJwt, verifyJwt } from "./jwt.ts";
export { type Service, stopAll, stopOnSignal } from "./lifecycle.ts";
export { signLogToken, verifyLogToken } from "./log-token.ts";
export { createLogger, type LogFields, type Logger, type LogMethod } from "./logger.ts";
export { type Loop, type LoopOptions, startLoop } from "./loop.ts";
export { createMetrics, type Metrics, startMetricsServer } from "./metrics.ts";
export { extendProcessEnvironment, processEnvironment } from "./process-environment.ts";
export type { LogLevel } from "./setting-schemas.ts";
export type { Environment } from "./settings-reader.ts";
export { nearest } from "./suggestion.ts";
export { resolveLogPath, type TaskLogKey, taskLogPath } from "./task-log-path.ts";
export {
  createTaskTokens,
  createWorkloadTokens,
  isWatcher,
  type TaskToken,
  type TaskTokenScope,
  type TaskTokens,
  type TaskTokenVerdict,
  type TryAddress,
  type WorkloadTokens,
} from "./task-token.ts";
export { spawnUserCodeProcess, type UserCodeProcessOptions } from "./user-code-process.ts";
export { userName } from "./user-name.ts";
