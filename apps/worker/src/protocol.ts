/**
 * What the worker's supervisor and a task process say to each other over their IPC channel.
 *
 * ```
 *   supervisor                         task process
 *        <------------- booted ------------- SDK loaded
 *        ------------- run ----------------> one try
 *        <------------- secret -------------  to be masked from now on
 *        ------------- abort, token ------->  (any time during the try)
 *        <------------- outcome ------------  the try is over; it can neither write nor act any more
 *        <------------- ready --------------  cleaned up; may run another try, or says why not
 * ```
 */
import type { RunResponse } from "@updraft/contract";
import type { RunContext, TaskOutcome } from "@updraft/sdk/host";

/** One try, as a task process gets it. */
export interface Assignment {
  readonly ti_id: string;
  readonly context: RunContext;
  readonly arg_bindings: RunResponse["arg_bindings"];
  readonly xcom_inputs: Readonly<Record<string, unknown>>;
  /** Inlets and outlets that are not active: the try fails. */
  readonly inactive_assets: RunResponse["updraft"]["inactive_assets"];
  readonly xcom_lists: Readonly<Record<string, number>>;
  readonly artefact_path: string;
  readonly execution_api_url: string;
  /** Execution token: good for this try only. */
  readonly token: string;
  /** Added to the environment for the try. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log_path: string;
  readonly max_log_bytes: number;
}

/** When a try must never be told to another process as more than this. Wall clock, milliseconds. */
export interface LeaseMessage {
  readonly kind: "lease";
  readonly until: number;
}

export type ToTaskProcess =
  | {
      readonly kind: "run";
      readonly assignment: Assignment;
      readonly limits: ReuseLimits;
      readonly lease_until: number;
    }
  | { readonly kind: "abort"; readonly reason: string }
  | { readonly kind: "token"; readonly token: string }
  | LeaseMessage;

export type FromTaskProcess =
  | { readonly kind: "booted" }
  | { readonly kind: "secret"; readonly value: string }
  | { readonly kind: "outcome"; readonly outcome: TaskOutcome; readonly handler_started_at: number | null }
  | { readonly kind: "ready"; readonly retire: string | null };

/** When a warm process is not used again. */
export interface ReuseLimits {
  readonly max_tries: number;
  readonly max_growth_bytes: number;
}
