/**
 * A server that is started again when it ends by itself.
 *
 * ```
 *   starting ──► ready ──ended──► starting ──► ready
 *       └── can't start ──► failed ──after a pause──► starting
 * ```
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ServiceState } from "@updraft/contract";
import type { RunningServer } from "@updraft/local-services";
import type { Logger } from "@updraft/service-kit";

export interface KeptServerOptions {
  readonly name: string;
  readonly start: () => Promise<RunningServer>;
  readonly logger: Logger;
}

const SHORTEST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 10_000;

export class KeptServer {
  readonly #options: KeptServerOptions;
  readonly #stopping = new AbortController();
  readonly #loop: Promise<void>;
  #state: ServiceState;
  #running: RunningServer | null = null;

  /** Resolves with the first start; rejects when that one fails. */
  readonly first: Promise<RunningServer>;

  constructor(options: KeptServerOptions) {
    this.#options = options;
    this.#state = { name: options.name, state: "starting", detail: null };
    const { promise, resolve, reject } = Promise.withResolvers<RunningServer>();
    this.first = promise;
    promise.catch(() => undefined);
    this.#loop = this.#keep(resolve, reject);
  }

  state(): ServiceState {
    return this.#state;
  }

  /** Says what the start is doing, for people. */
  tell(detail: string): void {
    if (this.#state.state === "starting") this.#state = { ...this.#state, detail };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running?.stop();
    await this.#loop;
  }

  async #keep(started: (server: RunningServer) => void, failed: (error: unknown) => void): Promise<void> {
    const { name, start, logger } = this.#options;
    let pause = SHORTEST_PAUSE_MS;
    while (!this.#stopping.signal.aborted) {
      try {
        this.#running = await start();
        this.#state = { name, state: "ready", detail: null };
        pause = SHORTEST_PAUSE_MS;
        started(this.#running);
        if (this.#stopping.signal.aborted) await this.#running.stop();
        const exit = await this.#running.exited;
        if (this.#stopping.signal.aborted) break;
        logger.warn({ server: name, ...exit }, "a server ended and is started again");
        this.#state = { name, state: "starting", detail: "It ended unexpectedly and is started again" };
      } catch (error) {
        failed(error);
        const detail = error instanceof Error ? error.message : String(error);
        this.#state = { name, state: "failed", detail };
        logger.error({ server: name, detail }, "a server could not be started");
      }
      this.#running = null;
      await delay(pause, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
    this.#state = { name, state: "stopped", detail: null };
  }
}
