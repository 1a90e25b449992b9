/**
 * Connections to Redis. Both sides reconnect for ever, quickly at first; what happens to a command in the meantime is
 * the difference: an offer fails at once, a consumer waits.
 */

import { once } from "node:events";
import type { Logger } from "@updraft/service-kit";
import { Redis } from "ioredis";

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2000;

const reconnecting = {
  retryStrategy: (times: number) => Math.min(FIRST_RETRY_MS * 2 ** Math.min(times - 1, 10), LONGEST_RETRY_MS),
  connectTimeout: 5000,
};

/** For the engine's side: while Redis is gone a command fails instead of being kept in memory. */
export function connectForOffers(redisUrl: string): Redis {
  return new Redis(redisUrl, { ...reconnecting, enableOfflineQueue: false, maxRetriesPerRequest: 1 });
}

/** For the worker's side: BullMQ wants commands that wait for the connection. */
export function connectForConsuming(redisUrl: string): Redis {
  return new Redis(redisUrl, { ...reconnecting, maxRetriesPerRequest: null });
}

/** Resolves when the connection is up. */
export async function whenConnected(redis: Redis, signal: AbortSignal): Promise<void> {
  if (redis.status !== "ready") await once(redis, "ready", { signal });
}

/** Logs when the connection is lost and when it is back; an unheard `error` would end the process. */
export function logConnectionChanges(redis: Redis, address: string, logger: Logger): void {
  let reachable = true;
  redis.on("error", (error: Error) => {
    if (reachable) logger.warn({ err: error, redis: address }, "Redis can't be reached; connecting again until it can");
    reachable = false;
  });
  redis.on("ready", () => {
    if (!reachable) logger.info({ redis: address }, "Redis is back");
    reachable = true;
  });
}

/** `host:port` of a Redis address, without its password. */
export function addressOf(redisUrl: string): string {
  return URL.canParse(redisUrl) ? new URL(redisUrl).host : "the given address";
}
