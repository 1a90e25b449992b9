/**
 * What the end of a try is in the words of the Execution API. Pure.
 */
import type { OutletEventWire, StateRequest } from "@updraft/contract";
import type { OutletEvent } from "@updraft/dag-core";
import type { TaskOutcome } from "@updraft/sdk/host";

/** How a try ended when its process had no say. */
export type ForcedEnd =
  | {
      readonly kind: "exited";
      readonly code: number | null;
      readonly signal: string | null;
      readonly lastStderr: string;
    }
  | { readonly kind: "timeout"; readonly seconds: number }
  | { readonly kind: "shutdown" }
  /** The try never reached its process. */
  | { readonly kind: "broken"; readonly reason: string };

export type TryEnd = { readonly kind: "outcome"; readonly outcome: TaskOutcome } | ForcedEnd;

const LONGEST_REASON = 2000;
const LONGEST_RETRY_REASON = 500;

export interface StateFacts {
  readonly endDate: string;
  /** What the claim's answer said: whether another try may follow. */
  readonly shouldRetry: boolean;
  readonly pushReturnValue: boolean;
}

export function stateRequestOf(end: TryEnd, facts: StateFacts): StateRequest {
  if (end.kind !== "outcome") return failed(reasonOfForcedEnd(end), true, facts);
  const request = requestOf(end.outcome, facts);
  const { renderedMapIndex } = end.outcome;
  if (renderedMapIndex === undefined || request.state === "up_for_reschedule") return request;
  return { ...request, rendered_map_index: renderedMapIndex };
}

function requestOf(outcome: TaskOutcome, facts: StateFacts): StateRequest {
  const end_date = facts.endDate;
  switch (outcome.kind) {
    case "success":
      return {
        state: "success",
        end_date,
        task_outlets: [],
        outlet_events: (outcome.outletEvents ?? []).map(outletEventOf),
        xcoms: xcomsOf(outcome, facts),
      };
    case "failed":
      return failed(`${outcome.error.name}: ${outcome.error.message}`, outcome.retry, facts, outcome.retryDelaySeconds);
    case "skipped":
    case "removed":
      return { state: outcome.kind, end_date, reason: outcome.reason.slice(0, LONGEST_REASON) };
    case "deferred": {
      const { classpath, triggerKwargs: trigger_kwargs, next } = outcome;
      return { state: "deferred", classpath, trigger_kwargs, trigger_timeout: durationOf(next), ...nextOf(next) };
    }
    case "awaiting_input":
      return { state: "awaiting_input", timeout: durationOf(outcome.next), ...nextOf(outcome.next) };
    case "up_for_reschedule":
      return { state: "up_for_reschedule", reschedule_date: outcome.date, end_date };
  }
}

function outletEventOf({ asset, extra, alias }: OutletEvent): OutletEventWire {
  return { dest_asset_key: { name: asset.name, uri: asset.uri }, extra, source_alias_name: alias };
}

type NextStep = Extract<TaskOutcome, { kind: "awaiting_input" }>["next"];

function durationOf({ timeout }: NextStep): string | null {
  return timeout === null ? null : `PT${timeout}S`;
}

function nextOf({ method, kwargs }: NextStep) {
  return { next_method: method, next_kwargs: { ...kwargs } };
}

function failed(reason: string, retry: boolean, { endDate, shouldRetry }: StateFacts, delay?: number): StateRequest {
  return retry && shouldRetry
    ? {
        state: "up_for_retry",
        end_date: endDate,
        retry_reason: reason.slice(0, LONGEST_RETRY_REASON),
        ...(delay === undefined ? {} : { retry_delay_seconds: delay }),
      }
    : { state: "failed", end_date: endDate, reason: reason.slice(0, LONGEST_REASON) };
}

function xcomsOf(outcome: Extract<TaskOutcome, { kind: "success" }>, { pushReturnValue }: StateFacts) {
  const pushed = outcome.xcoms.map(({ key, value }) => ({ key, value }));
  if (outcome.returnValue === undefined || !pushReturnValue) return pushed;
  return [...pushed, { key: "return_value", value: outcome.returnValue }];
}

/** Says what happened to a process, in a sentence. */
export function reasonOfForcedEnd(end: ForcedEnd): string {
  switch (end.kind) {
    case "timeout":
      return `The task ran longer than its execution_timeout of ${end.seconds} s and was stopped.`;
    case "shutdown":
      return "The worker shut down while the task was running.";
    case "broken":
      return end.reason;
    case "exited":
      return reasonOfExit(end);
  }
}

function reasonOfExit({ code, signal, lastStderr }: Extract<ForcedEnd, { kind: "exited" }>): string {
  if (/heap out of memory|Reached heap limit/i.test(lastStderr)) {
    return "The task's process ran out of memory: the JavaScript heap reached its limit.";
  }
  if (signal === "SIGKILL") {
    return "The task's process was killed by SIGKILL, as the system does when memory runs out.";
  }
  if (signal !== null) return `The task's process was killed by ${signal}.`;
  return `The task's process exited with code ${code} before the task was done.`;
}
