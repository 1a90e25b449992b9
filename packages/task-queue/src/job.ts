/**
 * How a task message becomes a BullMQ job. Pure.
 */
import type { JobsOptions } from "bullmq";
import type { TaskMessage } from "./port.ts";

export interface TaskJob {
  readonly name: "try";
  readonly data: TaskMessage;
  readonly opts: JobsOptions;
}

/** BullMQ's highest priority number, which is served last. */
const LAST_PRIORITY = 2 ** 21 - 1;
/** The weight in the middle of the range: Airflow's weights may be negative. */
const MIDDLE = 2 ** 20;

/** One BullMQ queue per Airflow queue. BullMQ builds its keys with ":", so a name must not hold one. */
export function queueNameOf(queue: string): string {
  return `updraft-${queue.replaceAll("%", "%25").replaceAll(":", "%3A")}`;
}

export function jobOf(message: TaskMessage): TaskJob {
  return {
    name: "try",
    data: message,
    opts: {
      jobId: `${message.ti_id}-${message.try_number}-${message.offer_number}`,
      priority: priorityOf(message.priority_weight),
      // The database decides about retries, and nothing is to be read from a job that is done.
      attempts: 1,
      removeOnComplete: true,
      removeOnFail: true,
    },
  };
}

/**
 * A heavier weight gives a smaller number, which BullMQ serves first. Never 0: jobs without a priority wait in another
 * list that is always served before, so one such job would overtake every weight.
 */
export function priorityOf(weight: number): number {
  return Math.min(Math.max(Math.round(MIDDLE - weight), 1), LAST_PRIORITY);
}
