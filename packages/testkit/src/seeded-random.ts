/** Chance that repeats itself: the same seed gives the same choices (mulberry32). */

export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** In [0, below). */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T;
  pick<T>(items: readonly T[]): T | undefined;
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.int(items.length)];
  }

  /** One of the choices, each as likely as its weight says. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      left -= weight;
      if (left < 0) return value;
    }
    throw new Error("nothing to choose from");
  }

  /** Some of the items, at least one where there is one. */
  some<T>(items: readonly T[]): T[] {
    const first = this.pick(items);
    return items.filter((item) => item === first || this.chance(0.2));
  }

  shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items];
    for (let end = rest.length - 1; end > 0; end -= 1) {
      const other = this.int(end + 1);
      [rest[end], rest[other]] = [rest[other] as T, rest[end] as T];
    }
    return rest;
  }
}
