/**
 * Simulated time: everything that happens is an event at an instant, and between two events every continuation runs to
 * its next wait. So the order of all steps follows from the events alone, and a seed repeats itself.
 */

interface Event {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
}

export class Kernel {
  now: number;
  #events: Event[] = [];
  #made = 0;
  readonly #outside = new Set<Promise<unknown>>();

  constructor(now: number) {
    this.now = now;
  }

  at(instant: number, happen: () => void): void {
    this.#made += 1;
    const event = { at: Math.max(instant, this.now), order: this.#made, happen };
    let place = this.#events.length;
    // Newest first in the list of those to come last: most events come soon after now.
    while (place > 0 && before(this.#events[place - 1] as Event, event)) place -= 1;
    this.#events.splice(place, 0, event);
  }

  after(ms: number, happen: () => void): void {
    this.at(this.now + ms, happen);
  }

  /** Work that is not simulated, such as a statement of a real database: time stands still until it is done. */
  outside<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    this.#outside.add(settled);
    void settled.then(() => this.#outside.delete(settled));
    return work;
  }

  /** Lets events happen until the instant, or until `isOver` says so. */
  async runUntil(instant: number, isOver: () => boolean): Promise<void> {
    await this.#settle();
    while (!isOver()) {
      const next = this.#events.at(-1);
      if (next === undefined || next.at > instant) break;
      this.#events.pop();
      this.now = next.at;
      next.happen();
      await this.#settle();
    }
    if (!isOver()) this.now = instant;
  }

  async #settle(): Promise<void> {
    do {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#outside.size > 0) await Promise.all(this.#outside);
    } while (this.#outside.size > 0);
  }
}

/** True when `left` comes before `right`. */
function before(left: Event, right: Event): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}
