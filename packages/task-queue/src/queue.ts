/**
 * The engine's side of the queue on BullMQ.
 *
 * While Redis is gone an offer rejects within a second with `QueueUnreachableError`; the caller logs it and the
 * sweep offers again. Nothing is kept in memory for later: the database knows what waits.
 */
import { type Logger, NO_REASON } from "@updraft/service-kit";
import { Queue } from "bullmq";
import { addressOf, connectForOffers, logConnectionChanges, whenConnected } from "./connection.ts";
import { QueueUnreachableError } from "./errors.ts";
import { jobOf, queueNameOf } from "./job.ts";
import type { TaskMessage, TaskQueue } from "./port.ts";

export interface TaskQueueOptions {
  readonly redisUrl: string;
  readonly logger: Logger;
  /** How long a call waits for Redis. */
  readonly timeoutMs?: number;
}

/** Nobody reads BullMQ's event stream; it is kept short. */
const EVENTS_KEPT = 10;

export function createTaskQueue({ redisUrl, logger, timeoutMs = 1000 }: TaskQueueOptions): TaskQueue {
  const address = addressOf(redisUrl);
  const redis = connectForOffers(redisUrl);
  logConnectionChanges(redis, address, logger);
  const queues = new Map<string, Queue>();

  /** A queue whose start met a broken connection never becomes usable, so it isn't kept. */
  async function queueNamed(name: string): Promise<Queue> {
    const known = queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue(queueNameOf(name), {
      connection: redis,
      streams: { events: { maxLen: EVENTS_KEPT } },
      skipMetasUpdate: true,
    });
    // Each call reports its own failure; the connection's changes are logged above.
    queue.on("error", () => undefined);
    await queue.waitUntilReady();
    queues.set(name, queue);
    return queue;
  }

  async function answered<T>(action: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const given = new AbortController();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      return await Promise.race([call(given.signal), late]);
    } catch (error) {
      throw new QueueUnreachableError(action, address, error);
    } finally {
      clearTimeout(timer);
      given.abort(NO_REASON);
    }
  }

  return {
    async offer(messages) {
      await answered(`offer ${messages.length} task messages`, async (signal) => {
        await whenConnected(redis, signal);
        const groups = Map.groupBy(messages, (message) => message.queue);
        await Promise.all([...groups].map(async ([name, group]) => addAll(await queueNamed(name), group)));
      });
    },
    async ping() {
      await answered("ping the queue", async (signal) => {
        await whenConnected(redis, signal);
        await redis.ping();
      });
    },
    async close() {
      for (const queue of queues.values()) await queue.close();
      queues.clear();
      redis.disconnect();
    },
  };
}

/** One message is one command; many travel in one pipeline. */
async function addAll(queue: Queue, messages: readonly TaskMessage[]): Promise<void> {
  const [first, ...others] = messages.map(jobOf);
  if (first === undefined) return;
  if (others.length === 0) await queue.add(first.name, first.data, first.opts);
  else await queue.addBulk([first, ...others]);
}
