/** A process of the world: it has a clock of its own, may be stopped for a while, and may die at any wait. */
import type { Clock } from "@updraft/service-kit";
import type { Kernel } from "./kernel.ts";

export class SimProcess {
  readonly name: string;
  readonly kernel: Kernel;
  readonly clock: Clock;
  /** Resolves when the process dies. */
  readonly death: Promise<void>;
  #isAlive = true;
  #stoppedUntil = 0;
  #die: () => void = () => undefined;

  constructor(kernel: Kernel, name: string, skewMs: number) {
    this.kernel = kernel;
    this.name = name;
    this.clock = {
      now: () => kernel.now + skewMs,
      sleep: (ms, signal) => this.wait(ms, signal),
    };
    this.death = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Nothing that waits in it ever goes on. */
  kill(): void {
    this.#isAlive = false;
    this.#die();
  }

  /** As SIGSTOP and, later, SIGCONT. */
  stopFor(ms: number): void {
    this.#stoppedUntil = this.kernel.now + ms;
  }

  get isStopped(): boolean {
    return this.#stoppedUntil > this.kernel.now;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        if (!this.#isAlive) return;
        if (this.isStopped) this.kernel.at(this.#stoppedUntil, goOn);
        else resolve();
      };
      if (signal?.aborted === true) return resolve();
      this.kernel.after(Math.max(0, ms), goOn);
      signal?.addEventListener("abort", goOn, { once: true });
    });
  }
}
