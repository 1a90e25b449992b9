/**
 * A try that this worker has claimed: its token and lease, kept alive by heartbeats until it is let go.
 */
import { type Clock, type Config, NO_REASON } from "@updraft/service-kit";
import type { ExecutionClient } from "./execution-client.ts";
import { keepLease, type LeaseEnd, leaseUntil } from "./lease.ts";
import type { TaskProcess } from "./task-process-handle.ts";

export interface HeldTry {
  token(): string;
  leaseUntil(): number;
  /** Null when the try was let go before its lease was lost. */
  readonly leaseLost: Promise<LeaseEnd | null>;
  /** `process` hears of renewals from now on. */
  runsIn(process: TaskProcess): void;
  letGo(): void;
}

export interface HoldOptions {
  readonly client: ExecutionClient;
  readonly clock: Clock;
  readonly config: Pick<Config, "leaseSeconds" | "heartbeatSeconds">;
  readonly tiId: string;
  /** Of the claim: heartbeats name the same process. */
  readonly pid: number;
  readonly token: string;
  /** When the claim was sent. */
  readonly claimedAt: number;
}

export function holdTry({ client, clock, config, tiId, pid, token: firstToken, claimedAt }: HoldOptions): HeldTry {
  const over = new AbortController();
  const leaseMs = config.leaseSeconds * 1000;
  let token = firstToken;
  let until = leaseUntil(claimedAt, leaseMs);
  let process: TaskProcess | undefined;

  const leaseLost = keepLease({
    grantedAt: claimedAt,
    leaseMs,
    heartbeatMs: config.heartbeatSeconds * 1000,
    heartbeat: (timeoutMs) => client.heartbeat(tiId, token, pid, timeoutMs),
    onRenewed(renewedUntil, renewedToken) {
      until = renewedUntil;
      process?.tell({ kind: "lease", until });
      if (renewedToken === null) return;
      token = renewedToken;
      process?.tell({ kind: "token", token });
    },
    clock,
    signal: over.signal,
  });

  return {
    token: () => token,
    leaseUntil: () => until,
    leaseLost,
    runsIn: (runner) => {
      process = runner;
    },
    letGo: () => over.abort(NO_REASON),
  };
}
