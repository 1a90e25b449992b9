/**
 * Tokens of the Task Execution API. A message of the queue carries a workload token, good for claiming one try; the
 * answer to the claim carries an execution token, good for whatever that try does. A heartbeat renews the latter.
 */
import { type Clock, systemClock } from "./clock.ts";
import { type JwtClaims, signJwt, verifyJwt } from "./jwt.ts";

/** One try of a task instance. */
export interface TryAddress {
  readonly ti_id: string;
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly try_number: number;
}

export type TaskTokenScope = "workload" | "execution";

export interface TaskToken extends TryAddress {
  readonly scope: TaskTokenScope;
  /** Milliseconds since the epoch. */
  readonly expires_at: number;
}

export type TaskTokenVerdict =
  | { readonly kind: "valid"; readonly token: TaskToken }
  | { readonly kind: "expired" }
  | { readonly kind: "invalid" };

/** Signs what a message of the queue carries. */
export interface WorkloadTokens {
  sign(queued: TryAddress): Promise<string>;
}

export interface TaskTokens extends WorkloadTokens {
  signExecution(claimed: TryAddress): string;
  /** For the watcher of an asset, which reads what a task may read and is no task instance. */
  signWatcher(watcher: { readonly dag_id: string; readonly name: string }): string;
  verify(token: string): TaskTokenVerdict;
  /** A fresh execution token where less than half the life of `token` is left; undefined where it is good enough. */
  renewed(token: TaskToken): string | undefined;
}

const NO_INSTANCE = "00000000-0000-0000-0000-000000000000";
const AUDIENCE = "urn:airflow.apache.org:task";
/** A message may wait as long as every worker is busy; the claim's guard decides whether it still means something. */
const WORKLOAD_LIFE_MS = 86_400_000;
/** Airflow's `[execution_api] jwt_expiration_time`. */
const EXECUTION_LIFE_MS = 600_000;

/** What a role needs that only offers tries. */
export function createWorkloadTokens(secret: string, clock: Clock = systemClock): WorkloadTokens {
  const { sign } = createTaskTokens(secret, clock);
  return { sign };
}

export function createTaskTokens(secret: string, clock: Clock = systemClock): TaskTokens {
  function signFor(address: TryAddress, scope: TaskTokenScope, lifeMs: number): string {
    const { ti_id, dag_id, run_id, task_id, map_index, try_number } = address;
    const exp = Math.ceil((clock.now() + lifeMs) / 1000);
    return signJwt(secret, {
      aud: AUDIENCE,
      sub: ti_id,
      exp,
      scope,
      try: try_number,
      dag_id,
      run_id,
      task_id,
      map_index,
    });
  }
  const signExecution = (claimed: TryAddress) => signFor(claimed, "execution", EXECUTION_LIFE_MS);
  return {
    sign: async (queued) => signFor(queued, "workload", WORKLOAD_LIFE_MS),
    signExecution,
    signWatcher: ({ dag_id, name }) =>
      signExecution({ ti_id: NO_INSTANCE, dag_id, run_id: "", task_id: name, map_index: -1, try_number: 0 }),
    verify(token) {
      const verdict = verifyJwt(secret, token, AUDIENCE, clock.now());
      return verdict.kind === "valid" ? { kind: "valid", token: taskTokenOf(verdict.claims) } : verdict;
    },
    renewed(token) {
      const left = token.expires_at - clock.now();
      return left < EXECUTION_LIFE_MS / 2 ? signExecution(token) : undefined;
    },
  };
}

/** True for a watcher of an asset. */
export function isWatcher({ ti_id }: TryAddress): boolean {
  return ti_id === NO_INSTANCE;
}

/** The signature says that the claims are those of `signFor`. */
function taskTokenOf(claims: JwtClaims): TaskToken {
  return {
    ti_id: String(claims.sub),
    dag_id: String(claims.dag_id),
    run_id: String(claims.run_id),
    task_id: String(claims.task_id),
    map_index: Number(claims.map_index),
    try_number: Number(claims.try),
    scope: claims.scope === "execution" ? "execution" : "workload",
    expires_at: claims.exp * 1000,
  };
}
