/** Every role in this process, through the same ports as in processes of their own. */
import { createApiServer } from "@updraft/api-server";
import type { LiveEvent, ServiceState } from "@updraft/contract";
import { createDagProcessor } from "@updraft/dag-processor";
import { createAnnouncer, createListener, openMetadataStore } from "@updraft/metadata-store";
import { createScheduler } from "@updraft/scheduler";
import {
  type Config,
  createLogger,
  createMetrics,
  createWorkloadTokens,
  type Logger,
  type Service,
  stopAll,
  systemClock,
  systemIds,
} from "@updraft/service-kit";
import { createTaskQueue } from "@updraft/task-queue";
import { createTriggerer } from "@updraft/triggerer";
import { createWorker } from "@updraft/worker";

export interface RolesOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly services: () => readonly ServiceState[];
}

/** Resolves when all of them run. */
export async function startRoles({ config, logger, services }: RolesOptions): Promise<Service> {
  const running: Service[] = [];
  const stop = () => stopAll(running.splice(0), logger);
  const { databaseUrl, redisUrl, parallelism, maxMapLength, logLevel } = config;
  const { dagsArePausedAtCreation, disableBundleVersioning, rerunWithLatestVersion } = config;
  try {
    const clock = systemClock;
    const storeLogger = createLogger("metadata-store", logLevel);
    const store = await openMetadataStore({
      ...{ databaseUrl, parallelism, maxMapLength, clock },
      ...{ dagsArePausedAtCreation, disableBundleVersioning, rerunWithLatestVersion },
      ids: systemIds,
      logger: storeLogger,
    });
    running.push({ stop: () => store.close() });
    const queue = createTaskQueue({ redisUrl, logger });
    running.push({ stop: () => queue.close() });
    const tokenFor = createWorkloadTokens(config.jwtSecret).sign;
    const announcer = createAnnouncer({ databaseUrl, logger: storeLogger, queue, tokenFor });
    running.push({ stop: () => announcer.close() });
    const events = new EventHub();
    running.push(
      await createListener({ databaseUrl, logger: storeLogger, onEvents: (heard) => events.publish(heard) }),
    );

    const metrics = {
      "dag-processor": createMetrics("dag-processor"),
      scheduler: createMetrics("scheduler"),
      triggerer: createMetrics("triggerer"),
      worker: createMetrics("worker"),
    };
    const shared = { config, store, announcer };
    const roles = [
      createApiServer({
        ...shared,
        logger: createLogger("api-server", logLevel),
        metrics: createMetrics("standalone", { processMetrics: true }),
        registries: Object.values(metrics).map(({ registry }) => registry),
        events,
        services,
      }),
      createDagProcessor({
        ...shared,
        logger: createLogger("dag-processor", logLevel),
        metrics: metrics["dag-processor"],
      }),
      createScheduler({ ...shared, logger: createLogger("scheduler", logLevel), metrics: metrics.scheduler }),
      createTriggerer({ config, logger: createLogger("triggerer", logLevel), metrics: metrics.triggerer }),
      createWorker({ config, logger: createLogger("worker", logLevel), metrics: metrics.worker }),
    ];
    for (const role of roles) {
      running.push(role);
      await role.start();
    }
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

class EventHub {
  readonly #listeners = new Set<(events: readonly LiveEvent[]) => void>();

  subscribe(listener: (events: readonly LiveEvent[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(events: readonly LiveEvent[]): void {
    for (const listener of this.#listeners) listener(events);
  }
}
