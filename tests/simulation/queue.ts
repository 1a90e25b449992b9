/** The queue between engine and workers, which loses, doubles and reorders, and may lose everything it holds. */
import type { QueuedTry } from "@updraft/metadata-store";
import type { SeededRandom } from "@updraft/testkit/worlds";
import type { Faults } from "./faults.ts";
import type { Kernel } from "./kernel.ts";

/** Takes the message if it has a free slot. */
export type Consumer = (message: QueuedTry) => boolean;

export class SimQueue {
  readonly consumers = new Set<Consumer>();
  #waiting: QueuedTry[] = [];
  readonly #kernel: Kernel;
  readonly #random: SeededRandom;
  readonly #faults: Faults;

  constructor(kernel: Kernel, random: SeededRandom, faults: Faults) {
    this.#kernel = kernel;
    this.#random = random;
    this.#faults = faults;
  }

  offer(message: QueuedTry): void {
    if (this.#faults.strikes("lost message")) return;
    const copies = this.#faults.strikes("doubled message") ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const ms = this.#faults.strikes("late message") ? this.#random.next() * 3000 : this.#random.next() * 5;
      this.#kernel.after(ms, () => {
        this.#waiting.push(message);
        this.deliver();
      });
    }
  }

  /** As a Redis that comes back without its data. */
  empty(): void {
    this.#waiting = [];
  }

  deliver(): void {
    for (const message of [...this.#waiting]) {
      const taker = this.#random.shuffled([...this.consumers]).find((consumer) => consumer(message));
      if (taker === undefined) return;
      this.#waiting.splice(this.#waiting.indexOf(message), 1);
    }
  }
}
