/** The api-server: one Express app on one port, and its heartbeat. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { userInfo } from "node:os";
import type { ServiceState } from "@updraft/contract";
import type { Announcer, JobReport, MetadataStore } from "@updraft/metadata-store";
import {
  type Clock,
  type Config,
  createTaskTokens,
  type Environment,
  type Ids,
  type Logger,
  type Loop,
  type Metrics,
  processEnvironment,
  requireSettings,
  startLoop,
  systemClock,
  systemIds,
} from "@updraft/service-kit";
import { createApp } from "./app.ts";
import { ensureAdmin } from "./auth/admin.ts";
import { createUserTokens } from "./auth/user-tokens.ts";
import type { EventSource } from "./context.ts";
import type { LogReader } from "./task-logs/log-reader.ts";
import { createLogReader } from "./task-logs/places.ts";

export interface ApiServerOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: MetadataStore;
  readonly announcer: Announcer;
  readonly events: EventSource;
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** Servers beside the product, for the UI. */
  readonly services?: () => readonly ServiceState[];
  /** Of the other roles in this process; `/metrics` serves them all. */
  readonly registries?: readonly Metrics["registry"][];
  readonly logReader?: LogReader;
  readonly environment?: Environment;
}

export interface ApiServer {
  /** Resolves when the server listens. Throws `ConfigError` where it must not. */
  start(): Promise<{ readonly url: string }>;
  /** Ends open streams and lets running requests finish. May be called twice. */
  stop(): Promise<void>;
}

const HEARTBEAT_MS = 5000;
/** Longer than a worker keeps an idle connection, so that the worker is the one to close it. */
const KEEP_ALIVE_MS = 65_000;
const STOP_WAIT_MS = 3000;

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { config, logger, metrics, store, clock = systemClock, ids = systemIds } = options;
  requireSettings(config, "api-server", ["jwtSecret"]);
  const stopping = new AbortController();
  const app = createApp({
    ...options,
    clock,
    ids,
    logs: options.logReader ?? createLogReader({ config, store, clock }),
    userTokens: createUserTokens(config.jwtSecret, config.jwtExpirationSeconds, clock),
    taskTokens: createTaskTokens(config.jwtSecret, clock),
    services: options.services ?? (() => []),
    registries: [metrics.registry, ...(options.registries ?? [])],
    environment: options.environment ?? processEnvironment(),
    stopping: stopping.signal,
  });
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, app);
  let heartbeat: Loop | undefined;

  const report = (state: JobReport["state"]) =>
    store.reportJob({
      name: `api-server ${config.instanceName} ${process.pid}`,
      job_type: "ApiServerJob",
      state,
      hostname: config.instanceName,
      unixname: userInfo().username,
    });

  return {
    async start() {
      await ensureAdmin(store, config);
      await listen(server, config.apiPort, config.apiHost);
      heartbeat = startLoop({
        name: "api-server heartbeat",
        intervalMs: HEARTBEAT_MS,
        runOnce: () => report("running"),
        logger,
        clock,
      });
      const url = urlOf(config.apiHost, (server.address() as AddressInfo).port);
      logger.info({ url }, "api-server listens");
      return { url };
    },
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await heartbeat?.stop();
      await close(server);
      if (heartbeat !== undefined)
        await report("stopped").catch((error: unknown) => logger.debug({ err: error }, "the last heartbeat failed"));
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), STOP_WAIT_MS);
  await closed;
  clearTimeout(timer);
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
