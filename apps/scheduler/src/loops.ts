/**
 * The loops of a scheduler over its ports alone: store, announcer, clock. Timers and wake-ups only start a turn; what a
 * lost wake-up leaves is found by the next one.
 */
import type { Announcer, SchedulerStore } from "@updraft/metadata-store";
import { type Clock, type Logger, type Loop, type Service, startLoop } from "@updraft/service-kit";
import { takeTurn } from "./turns.ts";

export interface SchedulingOptions {
  readonly store: SchedulerStore;
  readonly announcer: Announcer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leaseSeconds: number;
  readonly taskQueuedTimeoutSeconds: number;
  /** Called around each turn; the answer is called at its end. */
  readonly onTurn?: () => () => void;
}

export interface Scheduling extends Service {
  /** Something may be due earlier than was planned. */
  wake(): void;
}

/** The longest time a lost wake-up goes unnoticed. */
const SWEEP_MS = 2000;
const LIVENESS_MS = 1000;
const AUDIT_MS = 60_000;
/** A message that no worker took for so long although one had a free slot counts as lost. */
const OFFER_AFTER_SECONDS = 5;

export function startScheduling(options: SchedulingOptions): Scheduling {
  const { store, announcer, clock, logger, onTurn } = options;
  let nextDue: number | null = null;

  async function turn(): Promise<void> {
    const end = onTurn?.();
    const unfinished = await takeTurn(store, announcer);
    nextDue = unfinished ? clock.now() : await store.nextDueAt();
    end?.();
  }

  function waitMs(): number {
    return nextDue === null ? SWEEP_MS : Math.min(Math.max(nextDue - clock.now(), 0), SWEEP_MS);
  }

  async function audit(): Promise<void> {
    const { announcement, corrected } = await store.audit();
    announcer.announce(announcement);
    if (corrected.length > 0) logger.error({ corrected }, "the audit corrected the engine's bookkeeping");
  }

  function loop(name: string, intervalMs: number | (() => number), runOnce: () => Promise<unknown>): Loop {
    return startLoop({ name, intervalMs, runOnce, logger, clock });
  }

  const scheduling = loop("scheduling", waitMs, turn);
  const loops = [
    scheduling,
    loop("liveness", LIVENESS_MS, async () => {
      if (await lookAfterTries(options)) scheduling.wake();
    }),
    loop("audit", AUDIT_MS, audit),
  ];
  return {
    wake: () => scheduling.wake(),
    async stop() {
      for (const one of loops.toReversed()) await one.stop();
    },
  };
}

/** Rescues tries whose worker is gone and offers lost messages again. True when something is to be scheduled now. */
async function lookAfterTries(options: SchedulingOptions): Promise<boolean> {
  const { store, announcer, logger, leaseSeconds, taskQueuedTimeoutSeconds } = options;
  const steps = [
    await store.rescueLost(leaseSeconds),
    await store.offerAgain({
      offer_after_seconds: OFFER_AFTER_SECONDS,
      queued_timeout_seconds: taskQueuedTimeoutSeconds,
    }),
  ];
  for (const { announcement } of steps) {
    for (const { dag_id, run_id, task_id, try_number } of announcement.queued) {
      logger.info({ dag_id, run_id, task_id, try_number }, "offered again");
    }
    announcer.announce({ ...announcement, wake_scheduler: false });
  }
  return steps.some(({ announcement }) => announcement.wake_scheduler);
}
