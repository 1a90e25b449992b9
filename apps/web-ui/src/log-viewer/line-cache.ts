/** Lines of a log that were read, by number: bounded, the ones read first go first. */
import type { LogLine } from "@updraft/contract";

export interface LineCache {
  add(lines: readonly LogLine[]): void;
  get(number: number): LogLine | undefined;
  /** The first of `numbers` that is not there. */
  firstMissing(numbers: readonly number[]): number | undefined;
}

export function createLineCache(mostLines: number): LineCache {
  const lines = new Map<number, LogLine>();
  return {
    add(added) {
      for (const line of added) {
        lines.delete(line.n);
        lines.set(line.n, line);
      }
      for (const oldest of lines.keys()) {
        if (lines.size <= mostLines) break;
        lines.delete(oldest);
      }
    },
    get: (number) => lines.get(number),
    firstMissing(numbers) {
      return numbers.find((number) => !lines.has(number));
    },
  };
}
