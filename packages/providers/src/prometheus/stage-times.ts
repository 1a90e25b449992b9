/** How long each stage of a task took, in whole milliseconds. */
export class StageTimes {
  readonly #ms = new Map<string, number>();

  /** Adds the time of `work` to the stage, also when it fails. */
  async measure<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.#ms.set(stage, (this.#ms.get(stage) ?? 0) + performance.now() - began);
    }
  }

  all(): Record<string, number> {
    return Object.fromEntries([...this.#ms].map(([stage, ms]) => [`${stage}_ms`, Math.round(ms)]));
  }
}
