/**
 * What the triggerer and a trigger host say to each other over their IPC channel.
 *
 * ```
 *   triggerer                       trigger host (one for each artefact)
 *        ---------- load ------------>  the author's file runs once
 *        ---------- start ----------->  a trigger, beside thousands of others
 *        ---------- watch ----------->  a watcher of an asset, which goes on after an event
 *        ---------- token, cancel --->  (any time)
 *        <--------- ended ------------  its event or its failure, once
 *        <--------- event ------------  of a watcher, which waits until ...
 *        ---------- stored ---------->  ... the event is stored
 *        <--------- log --------------
 * ```
 */
import type { JsonValue } from "@updraft/dag-core";
import type { LogRecord, RunContext, TriggerOutcome } from "@updraft/sdk/host";

/** One trigger, as a host gets it. */
export interface TriggerAssignment {
  readonly id: number;
  readonly classpath: string;
  readonly kwargs: Readonly<Record<string, JsonValue>>;
  readonly ti_id: string;
  /** Of the try that waits. */
  readonly context: RunContext;
  readonly token: string;
}

export interface WatcherAssignment {
  readonly id: number;
  readonly classpath: string;
  readonly kwargs: Readonly<Record<string, JsonValue>>;
  readonly token: string;
}

export type ToTriggerHost =
  | { readonly kind: "load"; readonly artefact_path: string; readonly execution_api_url: string }
  | { readonly kind: "start"; readonly trigger: TriggerAssignment }
  | { readonly kind: "watch"; readonly watcher: WatcherAssignment }
  | { readonly kind: "stored"; readonly id: number }
  | { readonly kind: "token"; readonly id: number; readonly token: string }
  | { readonly kind: "cancel"; readonly id: number };

export type FromTriggerHost =
  | { readonly kind: "ended"; readonly id: number; readonly outcome: TriggerOutcome }
  | { readonly kind: "event"; readonly id: number; readonly payload: JsonValue }
  | { readonly kind: "log"; readonly id: number; readonly record: LogRecord };
