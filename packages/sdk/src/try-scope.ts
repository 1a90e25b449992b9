/**
 * The try a piece of code belongs to.
 *
 * It travels with asynchronous calls, so code that a finished try left behind still finds its own scope, which is then
 * closed: it can neither write for the next try in the same process nor log into its file.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { JsonValue } from "./json.ts";
import { OutletEventRecorder } from "./outlet-events.ts";
import type { LogLevel, LogRecord, RawClient, RunContext } from "./raw-client.ts";

export interface ScopeFacts {
  /** Null for a watcher of an asset, which no try waits for. */
  readonly context: RunContext | null;
  readonly client: RawClient;
  readonly log: (record: LogRecord) => void;
  readonly signal: AbortSignal;
}

export interface TryFacts extends ScopeFacts {
  readonly context: RunContext;
}

export class TryScope {
  readonly signal: AbortSignal;
  readonly outletEvents = new OutletEventRecorder();
  readonly #context: RunContext | null;
  readonly #client: RawClient;
  readonly #log: (record: LogRecord) => void;
  readonly startedAt = new Date();
  #closed = false;

  constructor(facts: ScopeFacts) {
    this.#context = facts.context;
    this.signal = facts.signal;
    this.#client = facts.client;
    this.#log = facts.log;
  }

  get context(): RunContext {
    if (this.#context !== null) return this.#context;
    throw new Error("The watcher of an asset belongs to no run: what asks for one works in tasks only");
  }

  /** The way to the metadata, while the try lasts. */
  get client(): RawClient {
    if (!this.#closed) return this.#client;
    if (this.#context === null) throw new Error("The watcher is over; code it left behind can't act for it any more");
    const { task_id, try_number } = this.#context;
    throw new Error(`Try ${try_number} of task "${task_id}" is over; code it left behind can't act for it any more`);
  }

  log(level: LogLevel, event: string, fields: { readonly logger: string; readonly [field: string]: JsonValue }): void {
    if (this.#closed) return;
    this.#log({ timestamp: new Date().toISOString(), level, event, ...fields });
  }

  close(): void {
    this.#closed = true;
  }
}

const storage = new AsyncLocalStorage<TryScope>();

export function runInScope<T>(scope: TryScope, work: () => T): T {
  return storage.run(scope, work);
}

export function scopeOrNull(): TryScope | null {
  return storage.getStore() ?? null;
}

/** The scope of the running try; `what` names the caller in the error. */
export function currentScope(what: string): TryScope {
  const scope = scopeOrNull();
  if (scope === null)
    throw new Error(`${what} works only inside a running task; call it in a handler, not while the file is read`);
  return scope;
}
