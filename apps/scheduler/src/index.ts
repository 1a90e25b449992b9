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
  type Loop,
  type Metrics,
  type Service,
  startLoop,
  systemClock,
} from "@updraft/service-kit";
import { takeTurn } from "./turns.ts";

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

/** The longest time a lost wake-up goes unnoticed. */
const SWEEP_MS = 2000;
const LIVENESS_MS = 1000;
const AUDIT_MS = 60_000;
const REPORT_MS = 5000;
/** A message that no worker took for so long although one had a free slot counts as lost. */
const OFFER_AFTER_SECONDS = 5;

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
  let nextDue: number | null = null;
  const turnSeconds = metrics.duration("scheduler_loop_duration", "Duration of a turn of the scheduler");
  const heartbeats = metrics.counter("scheduler_heartbeat", "Heartbeats of the scheduler");

  async function turn(): Promise<void> {
    const end = turnSeconds.startTimer();
    const unfinished = await takeTurn(store, announcer);
    nextDue = unfinished ? clock.now() : await store.nextDueAt();
    end();
  }

  function waitMs(): number {
    return nextDue === null ? SWEEP_MS : Math.min(Math.max(nextDue - clock.now(), 0), SWEEP_MS);
  }

  async function liveness(wake: () => void): Promise<void> {
    const steps = [
      await store.rescueLost(config.leaseSeconds),
      await store.offerAgain({
        offer_after_seconds: OFFER_AFTER_SECONDS,
        queued_timeout_seconds: config.taskQueuedTimeoutSeconds,
      }),
    ];
    for (const { announcement } of steps) {
      for (const { dag_id, run_id, task_id, try_number } of announcement.queued) {
        logger.info({ dag_id, run_id, task_id, try_number }, "offered again");
      }
      announcer.announce({ ...announcement, wake_scheduler: false });
    }
    if (steps.some(({ announcement }) => announcement.wake_scheduler)) wake();
  }

  async function audit(): Promise<void> {
    const { announcement, corrected } = await store.audit();
    announcer.announce(announcement);
    if (corrected.length > 0) logger.error({ corrected }, "the audit corrected the engine's bookkeeping");
  }

  async function report(state: "running" | "stopped"): Promise<void> {
    heartbeats.inc();
    const who = { hostname: hostname(), unixname: userInfo().username };
    await store.reportJob({ name, job_type: "SchedulerJob", state, ...who });
  }

  function loop(loopName: string, intervalMs: number | (() => number), runOnce: () => Promise<unknown>): Loop {
    const started = startLoop({ name: loopName, intervalMs, runOnce, logger, clock });
    services.push(started);
    return started;
  }

  return {
    async start() {
      const scheduling = loop("scheduling", waitMs, turn);
      services.push(await createListener({ databaseUrl: config.databaseUrl, logger, onWake: () => scheduling.wake() }));
      loop("liveness", LIVENESS_MS, () => liveness(() => scheduling.wake()));
      loop("audit", AUDIT_MS, audit);
      loop("report", REPORT_MS, () => report("running"));
      logger.info("the scheduler runs");
    },
    async stop() {
      for (const service of services.splice(0).toReversed()) await service.stop();
      await report("stopped");
    },
  };
}
