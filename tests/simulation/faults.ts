/** What goes wrong, how often, and how often it did. Nothing goes wrong any more once the world heals. */
import type { SeededRandom } from "@updraft/testkit/worlds";

const CHANCES = {
  /** Of a call of the store. */
  "died before a call": 0.002,
  "died after a commit": 0.003,
  "dropped before a call": 0.01,
  "dropped after a commit": 0.01,
  "slow answer": 0.02,
  /** Of a message. */
  "lost message": 0.12,
  "doubled message": 0.12,
  "late message": 0.25,
  /** Of the report of a try's end: it also arrives a second time, seconds later. */
  "repeated report": 0.15,
  /** Of a wake-up. */
  "lost wake-up": 0.2,
} as const;

export type Fault = keyof typeof CHANCES | "killed" | "stopped past its lease" | "emptied queue" | "edited DAG";

export class Faults {
  readonly counts = new Map<Fault, number>();
  readonly #random: SeededRandom;
  #isHealed = false;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  heal(): void {
    this.#isHealed = true;
  }

  get isHealed(): boolean {
    return this.#isHealed;
  }

  /** Whether it goes wrong now. Asks for chance in either case, so that the order of choices stays the same. */
  strikes(fault: keyof typeof CHANCES): boolean {
    const strikes = this.#random.chance(CHANCES[fault]) && !this.#isHealed;
    if (strikes) this.count(fault);
    return strikes;
  }

  count(fault: Fault): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
  }

  total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }
}
