/**
 * Calls parts of the query cache stale: at once after a quiet time, then at most once per interval, and never while the
 * part is being fetched, since a fetch that each event restarted would never end under steady events.
 */
import type { QueryClient } from "@tanstack/react-query";

type CacheKey = readonly unknown[];

export interface StaleMarker {
  mark(staleKeys: readonly CacheKey[]): void;
  stop(): void;
}

export function createStaleMarker(queryClient: QueryClient, intervalMs: number): StaleMarker {
  const waiting = new Map<string, CacheKey>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = (): void => {
    for (const [name, queryKey] of waiting) {
      if (queryClient.isFetching({ queryKey }) > 0) continue;
      waiting.delete(name);
      void queryClient.invalidateQueries({ queryKey });
    }
    timer = setTimeout(flushWaiting, intervalMs);
  };
  const flushWaiting = (): void => {
    timer = undefined;
    if (waiting.size > 0) flush();
  };

  return {
    mark: (staleKeys) => {
      for (const key of staleKeys) waiting.set(JSON.stringify(key), key);
      if (timer === undefined && waiting.size > 0) flush();
    },
    stop: () => {
      clearTimeout(timer);
      waiting.clear();
    },
  };
}
