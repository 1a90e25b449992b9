/**
 * Calls parts of the query cache stale, at most once per interval and part, and never while the part is being fetched: a
 * fetch that each event restarted would never end under steady events.
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
    timer = undefined;
    for (const [name, queryKey] of waiting) {
      if (queryClient.isFetching({ queryKey }) > 0) continue;
      waiting.delete(name);
      void queryClient.invalidateQueries({ queryKey });
    }
    if (waiting.size > 0) timer = setTimeout(flush, intervalMs);
  };

  return {
    mark: (staleKeys) => {
      for (const key of staleKeys) waiting.set(JSON.stringify(key), key);
      if (waiting.size > 0) timer ??= setTimeout(flush, intervalMs);
    },
    stop: () => {
      clearTimeout(timer);
      waiting.clear();
    },
  };
}
