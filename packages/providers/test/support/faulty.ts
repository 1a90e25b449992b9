/**
 * A client that is cut off in the middle, as a killed process is: from one call on nothing reaches the server any more.
 *
 * The calls before go to the real client. `lost` says whether the fatal call itself still took effect: a process can die
 * before it asks, or after the server did as asked and before the answer came.
 */
export class CutOffError extends Error {
  override readonly name = "CutOffError";
}

export class Fuse {
  #left: number;
  readonly #lost: "request" | "answer";

  constructor(callsUntilCut: number, lost: "request" | "answer") {
    this.#left = callsUntilCut;
    this.#lost = lost;
  }

  /** True once a call was cut off. */
  get blown(): boolean {
    return this.#left <= 0;
  }

  async pass<T>(call: () => Promise<T>): Promise<T> {
    this.#left--;
    if (this.#left > 0) return call();
    if (this.#left === 0 && this.#lost === "answer") await call();
    throw new CutOffError("cut off");
  }
}

/** The client with every call that returns a promise or yields chunks going through the fuse. */
export function withFuse<T extends object>(client: T, fuse: Fuse): T {
  return new Proxy(client, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name === "readRange") return (...args: unknown[]) => fusedChunks(member.apply(target, args), fuse);
      return (...args: unknown[]) => fuse.pass(async () => member.apply(target, args));
    },
  });
}

async function* fusedChunks(chunks: AsyncGenerator<unknown>, fuse: Fuse): AsyncGenerator<unknown> {
  for (;;) {
    const next = await fuse.pass(() => chunks.next());
    if (next.done === true) return;
    yield next.value;
  }
}
