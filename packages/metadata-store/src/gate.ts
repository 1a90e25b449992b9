/** Lets so many in at once; the others wait in the order in which they came, however long it takes. */
export class Gate {
  #free: number;
  #waiting: { readonly enter: () => void; readonly refuse: (error: unknown) => void }[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  async enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((enter, refuse) => this.#waiting.push({ enter, refuse }));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next.enter();
  }

  /** Ends the wait of all who wait now. */
  refuse(error: unknown): void {
    const refused = this.#waiting;
    this.#waiting = [];
    for (const one of refused) one.refuse(error);
  }
}
