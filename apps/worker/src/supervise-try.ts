/**
 * Watches one claimed try in its process until it has ended, by itself or by force.
 *
 * ```
 *   running --outcome, exit-----------------> ended
 *   running --timeout, shutdown--> aborting --> stopped, ended by force
 *   running --lease lost----------> stopped or killed, nothing is reported
 * ```
 */
import { type Clock, NO_REASON } from "@updraft/service-kit";
import type { LeaseEnd } from "./lease.ts";
import { reasonOfForcedEnd, type TryEnd } from "./outcome.ts";
import type { Assignment, ReuseLimits } from "./protocol.ts";
import type { ChildEnd, TaskProcess, TryListener } from "./task-process-handle.ts";

export interface Supervision {
  readonly process: TaskProcess;
  readonly assignment: Assignment;
  readonly limits: ReuseLimits;
  readonly leaseUntil: number;
  readonly listener: TryListener;
  /** Seconds. */
  readonly executionTimeout: number | null;
  readonly leaseLost: Promise<LeaseEnd | null>;
  /** Aborts when the worker can't wait for the try any longer. */
  readonly shutdown: AbortSignal;
  readonly clock: Clock;
}

export type SupervisedEnd =
  | { readonly kind: "ended"; readonly end: TryEnd; readonly handlerStartedAt: number | null }
  | { readonly kind: "lost"; readonly reason: string };

/** What an aborted handler gets to put things in order before its process is asked, and then made, to end. */
const ABORT_GRACE_MS = 1000;

type Interruption =
  | { readonly kind: "forced"; readonly end: Forced }
  | { readonly kind: "lost"; readonly end: LeaseEnd };
type Forced = Extract<TryEnd, { kind: "timeout" | "shutdown" }>;

export async function superviseTry(supervision: Supervision): Promise<SupervisedEnd> {
  const { process, assignment, limits, leaseUntil, listener } = supervision;
  const over = new AbortController();
  const running = process.run(assignment, limits, leaseUntil, listener);
  try {
    const first = await Promise.race([running, interruption(supervision, over.signal)]);
    switch (first.kind) {
      case "outcome":
        return {
          kind: "ended",
          end: { kind: "outcome", outcome: first.outcome },
          handlerStartedAt: first.handlerStartedAt,
        };
      case "exited":
        return { kind: "ended", end: first, handlerStartedAt: null };
      case "forced":
        return {
          kind: "ended",
          end: (await abort(supervision, running, reasonOfForcedEnd(first.end), first.end)) ?? first.end,
          handlerStartedAt: null,
        };
      case "lost":
        if (first.end.kind === "expired") await process.kill();
        else await abort(supervision, running, "The try is not this worker's any more.");
        return { kind: "lost", reason: first.end.reason };
    }
  } finally {
    over.abort(NO_REASON);
  }
}

/** Resolves with the first reason to end the try by force; never if `signal` aborts before. */
function interruption(supervision: Supervision, signal: AbortSignal): Promise<Interruption> {
  const { executionTimeout, leaseLost, shutdown, clock } = supervision;
  return new Promise((resolve) => {
    void leaseLost.then((end) => end !== null && resolve({ kind: "lost", end }));
    const onShutdown = () => resolve({ kind: "forced", end: { kind: "shutdown" } });
    if (shutdown.aborted) onShutdown();
    shutdown.addEventListener("abort", onShutdown, { once: true, signal });
    if (executionTimeout === null) return;
    void sleepLong(clock, executionTimeout * 1000, signal).then(() => {
      if (!signal.aborted) resolve({ kind: "forced", end: { kind: "timeout", seconds: executionTimeout } });
    });
  });
}

/** Answers with the try's own word where it says, out of time, that it skips itself: a sensor that fails softly does. */
async function abort(
  { process, clock }: Supervision,
  running: Promise<ChildEnd>,
  reason: string,
  forced?: Forced,
): Promise<TryEnd | null> {
  process.tell({ kind: "abort", reason });
  const waiting = new AbortController();
  const last = await Promise.race([running, clock.sleep(ABORT_GRACE_MS, waiting.signal)]);
  waiting.abort();
  await process.stop();
  const skips = forced?.kind === "timeout" && last?.kind === "outcome" && last.outcome.kind === "skipped";
  return skips ? { kind: "outcome", outcome: last.outcome } : null;
}

/** Timers of Node hold no more than 24 days. */
async function sleepLong(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const until = clock.now() + ms;
  for (let left = ms; left > 0 && !signal.aborted; left = until - clock.now()) {
    await clock.sleep(Math.min(left, 2 ** 31 - 1), signal);
  }
}
