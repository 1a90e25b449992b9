/**
 * The worker's side of the queue on BullMQ: one BullMQ worker per Airflow queue, all below one bound.
 *
 * BullMQ never runs a message a second time: a job whose worker vanished is failed and removed (`maxStalledCount` 0)
 * and the engine's sweep offers the try anew. Redis may vanish or lose its data at any time; what runs goes on.
 */
import { type Job, WaitingError, Worker } from "bullmq";
import { addressOf, connectForConsuming } from "./connection.ts";
import { QueueUnreachableError } from "./errors.ts";
import { queueNameOf } from "./job.ts";
import type { TaskConsumer, TaskConsumerOptions, TaskMessage } from "./port.ts";

export interface BullConsumerOptions extends TaskConsumerOptions {
  readonly redisUrl: string;
}

/** Pause before asking again after the connection broke. BullMQ's default of 15 s would stall a worker for nothing. */
const RETRY_AFTER_BREAK_MS = 500;

export function createTaskConsumer(options: BullConsumerOptions): TaskConsumer {
  const { redisUrl, queues, concurrency, handle, onError } = options;
  const redis = connectForConsuming(redisUrl);
  let reachable = true;
  redis.on("error", (error) => {
    if (reachable) onError(new QueueUnreachableError("take task messages", addressOf(redisUrl), error));
    reachable = false;
  });
  redis.on("ready", () => {
    reachable = true;
  });

  const workers: Worker<TaskMessage>[] = [];
  let running = 0;
  let closing: Promise<void> | undefined;

  /** Each BullMQ worker only bounds its own queue; together they stop fetching when every slot is taken. */
  async function take(job: Job<TaskMessage>, token?: string): Promise<void> {
    if (closing !== undefined || running >= concurrency) {
      // Was fetched by a call already on its way when the last slot went: somebody else may have it.
      await job.moveToWait(token);
      throw new WaitingError();
    }
    running += 1;
    if (running === concurrency) await pauseAll(workers);
    try {
      await handle(job.data, job.timestamp);
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      if (running === concurrency && closing === undefined) for (const worker of workers) resume(worker);
      running -= 1;
    }
  }

  for (const queue of queues) {
    const worker = new Worker<TaskMessage>(queueNameOf(queue), take, {
      connection: redis,
      concurrency,
      maxStalledCount: 0,
      runRetryDelay: RETRY_AFTER_BREAK_MS,
    });
    worker.on("error", onError);
    workers.push(worker);
  }

  return {
    close() {
      closing ??= closeAll(workers).finally(() => redis.disconnect());
      return closing;
    },
  };
}

/** With one queue its own bound is enough, and pausing would cost the fetch that rides in finishing a job. */
async function pauseAll(workers: readonly Worker[]): Promise<void> {
  if (workers.length > 1) await Promise.all(workers.map((worker) => worker.pause(true)));
}

function resume(worker: Worker): void {
  if (worker.isPaused()) worker.resume();
}

async function closeAll(workers: readonly Worker[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.close()));
}
