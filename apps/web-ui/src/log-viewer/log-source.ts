/**
 * The lines of one try: opens at the end, reads windows as they come into sight, takes new lines while the try writes.
 * One window is read at a time; what is wanted when it has come decides about the next, so that fast scrolling asks only
 * for where it stops.
 */
import type { LogLine, LogLinesResponse } from "@updraft/contract";
import { createLineCache } from "./line-cache.ts";

export interface LogPorts {
  /** `from` below zero counts from the end. */
  readWindow(from: number, limit: number, levels: readonly string[]): Promise<LogLinesResponse>;
  /** Lines from `from` on as they are written; `onEnd` when the try is over. Returns what ends it. */
  follow(from: number, onLines: (lines: readonly LogLine[]) => void, onEnd: () => void): () => void;
}

export interface LogSnapshot {
  /** Null before the first answer. */
  readonly totalLines: number | null;
  /** The try is over and all of its lines are known. */
  readonly isComplete: boolean;
  readonly error: unknown;
  /** Changes whenever lines come in. */
  readonly revision: number;
}

export interface LogSource {
  start(): void;
  stop(): void;
  line(number: number): LogLine | undefined;
  /** Lines in sight, in order; with the levels that choose them where not all are shown. */
  want(numbers: readonly number[], levels: readonly string[]): void;
  snapshot(): LogSnapshot;
  subscribe(listener: () => void): () => void;
}

export const WINDOW_LINES = 500;
const MOST_CACHED_LINES = 20_000;

export function createLogSource(ports: LogPorts): LogSource {
  const cache = createLineCache(MOST_CACHED_LINES);
  const listeners = new Set<() => void>();
  let state: LogSnapshot = { totalLines: null, isComplete: false, error: null, revision: 0 };
  let wanted: { readonly numbers: readonly number[]; readonly levels: readonly string[] } = { numbers: [], levels: [] };
  let isReading = false;
  let isStopped = true;
  /** Changes with each start and stop: an answer to an earlier one is nobody's. */
  let opening = 0;
  let endFollow: (() => void) | undefined;

  const change = (next: Partial<LogSnapshot>): void => {
    if (isStopped) return;
    state = { ...state, ...next, revision: state.revision + 1 };
    for (const listener of listeners) listener();
  };
  const takeNew = (lines: readonly LogLine[]): void => {
    cache.add(lines);
    const end = (lines.at(-1)?.n ?? -1) + 1;
    change({ totalLines: Math.max(state.totalLines ?? 0, end) });
  };
  const read = async (from: number, limit = WINDOW_LINES, levels: readonly string[] = []) => {
    isReading = true;
    try {
      const answer = await ports.readWindow(from, limit, levels);
      cache.add(answer.lines);
      change({ totalLines: Math.max(state.totalLines ?? 0, answer.total_lines), error: null });
      return answer;
    } catch (error) {
      change({ error });
      return null;
    } finally {
      isReading = false;
    }
  };
  /** No more than is in sight: chosen lines may lie far apart, and the server looks at all between. */
  const readChosen = (missing: number) =>
    read(missing, wanted.numbers.length - wanted.numbers.indexOf(missing), wanted.levels);
  const readWanted = async (): Promise<void> => {
    const missing = cache.firstMissing(wanted.numbers);
    if (isReading || isStopped || missing === undefined) return;
    const answer = await (wanted.levels.length > 0 ? readChosen(missing) : read(windowStart(missing)));
    // An answer without the line would be asked for without end.
    if (answer?.lines.some((line) => line.n === missing)) await readWanted();
  };
  const open = async (): Promise<void> => {
    const mine = opening;
    const answer = await read(-WINDOW_LINES);
    if (answer === null || mine !== opening) return;
    if (answer.complete) change({ isComplete: true });
    else endFollow = ports.follow(answer.total_lines, takeNew, () => change({ isComplete: true }));
    await readWanted();
  };

  return {
    start: () => {
      isStopped = false;
      opening += 1;
      void open();
    },
    stop: () => {
      isStopped = true;
      opening += 1;
      endFollow?.();
    },
    line: (number) => cache.get(number),
    want: (numbers, levels) => {
      wanted = { numbers, levels };
      void readWanted();
    },
    snapshot: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function windowStart(line: number): number {
  return Math.floor(line / WINDOW_LINES) * WINDOW_LINES;
}
