/**
 * Files waiting to be processed: some at a time, each one never twice at once. A file that hangs holds one lane, and
 * the others pass it.
 *
 * ```
 *   waiting --lane free--> running --done--> out
 *   running --added again--> running, wanted --done--> waiting
 *   running --failed--> out, waiting again after a pause
 * ```
 */
import type { Clock, Logger } from "@updraft/service-kit";

export interface FileQueueOptions {
  readonly process: (file: string) => Promise<void>;
  readonly lanes: number;
  readonly retryMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
}

export class FileQueue {
  readonly #options: FileQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(options: FileQueueOptions) {
    this.#options = options;
  }

  add(file: string): void {
    if (this.#stopping.signal.aborted) return;
    this.#waiting.add(file);
    this.#fillLanes();
  }

  /** Drops what waits; resolves when what runs is done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#waiting.clear();
    await Promise.all(this.#running.values());
  }

  #fillLanes(): void {
    for (const file of this.#waiting) {
      if (this.#running.size >= this.#options.lanes) return;
      if (this.#running.has(file)) continue;
      this.#waiting.delete(file);
      const running = this.#run(file).finally(() => {
        this.#running.delete(file);
        this.#fillLanes();
      });
      this.#running.set(file, running);
    }
  }

  async #run(file: string): Promise<void> {
    const { process, retryMs, logger, clock } = this.#options;
    try {
      await process(file);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      logger.error({ err: error, file }, "a DAG file could not be processed; it is tried again");
      void clock.sleep(retryMs, this.#stopping.signal).then(() => this.add(file));
    }
  }
}
