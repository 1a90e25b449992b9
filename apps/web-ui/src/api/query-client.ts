/**
 * The query cache. What it holds stays as it is until a live event, or polling while the stream is down, calls it stale:
 * the page never polls on its own.
 */
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiFailure } from "./failure.ts";

const MOST_RETRIES = 2;
const KEEP_UNUSED_MS = 5 * 60_000;
/** Moving between pages asks again for what is older than this: pages that nobody showed got no patches they needed. */
const FRESH_MS = 5_000;

export interface QueryClientEvents {
  /** The session is over or never began. */
  onSignedOut(): void;
  onChangeFailed(error: unknown): void;
}

export function createQueryClient(events: QueryClientEvents): QueryClient {
  const noticeSignedOut = (error: unknown): boolean => {
    const signedOut = error instanceof ApiFailure && error.status === 401;
    if (signedOut) events.onSignedOut();
    return signedOut;
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError: noticeSignedOut }),
    mutationCache: new MutationCache({
      onError: (error, _variables, _result, mutation) => {
        const shown = mutation.meta?.showsOwnFailure === true;
        if (!shown && !noticeSignedOut(error)) events.onChangeFailed(error);
      },
    }),
    defaultOptions: {
      queries: { staleTime: FRESH_MS, gcTime: KEEP_UNUSED_MS, retry: shouldRetry, refetchOnWindowFocus: false },
    },
  });
}

/** An answer of the server is an answer; only silence and trouble are worth asking again. */
function shouldRetry(failures: number, error: unknown): boolean {
  const final = error instanceof ApiFailure && error.status > 0 && error.status < 500;
  return !final && failures < MOST_RETRIES;
}
