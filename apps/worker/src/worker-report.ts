/**
 * What a worker says about itself to the API, again and again: that it lives, what it takes, and where its logs are.
 */
import type { WorkerReport } from "@updraft/contract";
import { type Config, type Logger, userName } from "@updraft/service-kit";
import type { ExecutionClient } from "./execution-client.ts";

export interface WorkerReporterOptions {
  readonly config: Config;
  readonly client: ExecutionClient;
  readonly logger: Logger;
  readonly running: () => number;
  /** Undefined: this worker serves no logs. */
  readonly logPort: number | undefined;
}

export interface WorkerReporter {
  report(state: NonNullable<WorkerReport["state"]>): Promise<void>;
}

/** Addresses that mean every interface: others reach the worker by its name. */
const EVERYWHERE: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

export function createWorkerReporter(options: WorkerReporterOptions): WorkerReporter {
  const { config, client, logger, running, logPort } = options;
  // Two workers may run on one host.
  const name = `${config.instanceName}-${process.pid}`;
  const unixname = userName();
  let reachable = true;

  return {
    async report(state) {
      const problem = await client.reportWorker(name, config.workerToken, {
        queues: [...config.workerQueues],
        concurrency: config.workerConcurrency,
        running: running(),
        hostname: config.instanceName,
        unixname,
        log_server_url: logPort === undefined ? null : logServerUrl(config, logPort),
        state,
      });
      if (problem !== null && reachable) {
        const api = config.executionApiUrl;
        logger.warn({ api, reason: problem.reason }, "the API doesn't take this worker's report; trying on");
      }
      if (problem === null && !reachable) logger.info({ api: config.executionApiUrl }, "the API is back");
      reachable = problem === null;
    },
  };
}

function logServerUrl({ workerLogServerHost, instanceName }: Config, port: number): string {
  const host = EVERYWHERE.has(workerLogServerHost) ? instanceName : workerLogServerHost;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
