/**
 * Tells the server how a try ended, for as long as it takes: a result is not lost because the API restarts.
 */
import type { StateRequest } from "@updraft/contract";
import type { Clock } from "@updraft/service-kit";
import type { ExecutionClient } from "./execution-client.ts";
import type { LeaseEnd } from "./lease.ts";

export interface EndReport {
  readonly client: ExecutionClient;
  readonly tiId: string;
  readonly token: () => string;
  readonly request: StateRequest;
  readonly clock: Clock;
  readonly shutdown: AbortSignal;
  /** Heartbeats go on meanwhile; when they say that the try is somebody else's, its end is of no interest. */
  readonly leaseLost: Promise<LeaseEnd | null>;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** A worker that shuts down tries so often and leaves the rest to the rescue of lost tries. */
const TRIES_AT_SHUTDOWN = 3;

/** Null when it is stored, else why it never will be. */
export async function reportEnd(report: EndReport): Promise<string | null> {
  const { client, tiId, token, clock, shutdown } = report;
  let { request } = report;
  let gone: string | undefined;
  void report.leaseLost.then((end) => {
    if (end?.kind === "gone") gone = end.reason;
  });

  for (let attempt = 1; ; attempt += 1) {
    const answer = await client.finish(tiId, token(), request);
    if (answer.kind === "accepted") return null;
    if (answer.kind === "gone") return answer.reason;
    if (answer.kind === "invalid") {
      if (request.state === "failed") return answer.reason;
      request = failedInstead(new Date(clock.now()).toISOString(), answer.reason);
      continue;
    }
    if (gone !== undefined) return gone;
    if (shutdown.aborted && attempt >= TRIES_AT_SHUTDOWN) return answer.reason;
    await clock.sleep(Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt, 10), LONGEST_PAUSE_MS));
  }
}

/** A result that can't be stored, as one too large, fails the try: left alone, it would look as if it still ran. */
function failedInstead(end_date: string, reason: string): StateRequest {
  return { state: "failed", end_date, reason: `The result of the task was refused: ${reason}`.slice(0, 2000) };
}
