/**
 * Keeps the lease of a running try by heartbeats, and says when it is lost.
 *
 * A lease counts from when the call that renewed it was sent, and ends a margin early: the try is dead before the
 * server may hand it to somebody else, whatever the network does.
 */
import type { Clock } from "@updraft/service-kit";
import type { HeartbeatAnswer } from "./execution-client.ts";

export interface LeaseOptions {
  /** When the call was sent that gave the lease. */
  readonly grantedAt: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly heartbeat: (timeoutMs: number) => Promise<HeartbeatAnswer>;
  /** Hears of each renewal. */
  readonly onRenewed: (until: number, token: string | null) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export type LeaseEnd =
  /** The server says that the try is not this worker's any more. */
  { readonly kind: "gone"; readonly reason: string } | { readonly kind: "expired"; readonly reason: string };

const LONGEST_MARGIN_MS = 1000;
/** After a heartbeat that got no answer the next follows sooner. */
const RETRY_MS = 250;

/** The end of a lease that was renewed by a call sent at `sentAt`. */
export function leaseUntil(sentAt: number, leaseMs: number): number {
  return sentAt + leaseMs - Math.min(LONGEST_MARGIN_MS, leaseMs / 5);
}

/** Resolves when the lease is lost, or with null when `signal` says that it isn't needed any more. */
export async function keepLease(options: LeaseOptions): Promise<LeaseEnd | null> {
  const { leaseMs, heartbeatMs, heartbeat, onRenewed, clock, signal } = options;
  let until = leaseUntil(options.grantedAt, leaseMs);
  let waitMs = heartbeatMs;
  let lastProblem = "no heartbeat was sent in time";

  for (;;) {
    await clock.sleep(Math.max(0, Math.min(waitMs, until - clock.now())), signal);
    if (signal.aborted) return null;
    const sentAt = clock.now();
    if (sentAt >= until) return { kind: "expired", reason: lastProblem };
    const answer = await heartbeat(until - sentAt);
    if (signal.aborted) return null;
    if (answer.kind === "gone") return answer;
    waitMs = answer.kind === "alive" ? heartbeatMs : Math.min(RETRY_MS, heartbeatMs);
    if (answer.kind === "unreachable") lastProblem = answer.reason;
    else {
      until = leaseUntil(sentAt, leaseMs);
      onRenewed(until, answer.token);
    }
  }
}
