/**
 * The scheduler: what time brings. Due runs, retries and timeouts wake it exactly when they are due; a sweep finds what
 * a lost wake-up left, tries whose worker is gone, messages that never arrived, and counters that are wrong. Any number
 * of schedulers may run: the locks of the store let each thing be done once.
 */
import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { type Announcer, createListener, type MetadataStore } from "@updraft/metadata-store";
import {
  type Clock,
  type Config,
  type Logger,
  type Metrics,
  type Service,
  startLoop,
  systemClock,
} from "@updraft/service-kit";
import { startScheduling } from "./loops.ts";

export interface SchedulerOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: MetadataStore;
  readonly announcer: Announcer;
  readonly clock?: Clock;
}

export interface Scheduler extends Service {
  start(): Promise<void>;
}

const REPORT_MS = 5000;

export function createScheduler({
  config,
  logger,
  metrics,
  store,
  announcer,
  clock = systemClock,
}: SchedulerOptions): Scheduler {
  const services: Service[] = [];
  const name = `scheduler-${randomUUID()}`;
  const turnSeconds = metrics.duration("scheduler_loop_duration", "Duration of a turn of the scheduler");
  const heartbeats = metrics.counter("scheduler_heartbeat", "Heartbeats of the scheduler");

  async function report(state: "running" | "stopped"): Promise<void> {
    heartbeats.inc();
    const who = { hostname: hostname(), unixname: userInfo().username };
    await store.reportJob({ name, job_type: "SchedulerJob", state, ...who });
  }

  return {
    async start() {
      const { databaseUrl, leaseSeconds, taskQueuedTimeoutSeconds } = config;
      const limits = { leaseSeconds, taskQueuedTimeoutSeconds };
      const onTurn = () => turnSeconds.startTimer();
      const scheduling = startScheduling({ store, announcer, clock, logger, onTurn, ...limits });
      services.push(scheduling, await createListener({ databaseUrl, logger, onWake: () => scheduling.wake() }));
      services.push(
        startLoop({ name: "report", intervalMs: REPORT_MS, runOnce: () => report("running"), logger, clock }),
      );
      logger.info("the scheduler runs");
    },
    async stop() {
      for (const service of services.splice(0).toReversed()) await service.stop();
      await report("stopped");
    },
  };
}
