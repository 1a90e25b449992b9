import type { LogLine } from "@updraft/contract";
import { expect, it } from "vitest";
import { createLineCache } from "../src/log-viewer/line-cache.ts";
import { createLogSource, type LogPorts, type LogSource, WINDOW_LINES } from "../src/log-viewer/log-source.ts";

function line(n: number): LogLine {
  return { n, timestamp: null, level: n % 10 === 0 ? "error" : "info", logger: null, event: `line ${n}` };
}

/** A log in memory, and what was asked of it. */
function logInMemory(totalLines: number, isOver: boolean) {
  const reads: string[] = [];
  let write: (lines: readonly LogLine[]) => void = () => undefined;
  let end: () => void = () => undefined;
  let isFollowed: () => void = () => undefined;
  const followed = new Promise<void>((resolve) => {
    isFollowed = resolve;
  });
  const all = Array.from({ length: totalLines }, (_, n) => line(n));
  const ports: LogPorts = {
    async readWindow(from, limit, levels) {
      reads.push(`${from}${levels.join("")}`);
      const first = from < 0 ? Math.max(0, totalLines + from) : from;
      const fit = all.filter(({ n, level }) => n >= first && (levels.length === 0 || levels.includes(level ?? "")));
      return { total_lines: totalLines, lines: fit.slice(0, limit), complete: isOver };
    },
    follow(_from, onLines, onEnd) {
      [write, end] = [onLines, onEnd];
      isFollowed();
      return () => undefined;
    },
  };
  return { ports, reads, followed, write: (lines: readonly LogLine[]) => write(lines), end: () => end() };
}

function until(source: LogSource, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!holds()) return;
      stop();
      resolve();
    };
    const stop = source.subscribe(look);
    queueMicrotask(look);
  });
}

it("opens at the end of a log that is over, with one question", async () => {
  const log = logInMemory(1_000_000, true);
  const source = createLogSource(log.ports);
  source.start();
  await until(source, () => source.snapshot().isComplete);
  expect(source.snapshot().totalLines).toBe(1_000_000);
  expect(source.line(999_999)?.event).toBe("line 999999");
  expect(log.reads).toEqual([`-${WINDOW_LINES}`]);
});

it("reads the window of what comes into sight, and what is there not again", async () => {
  const log = logInMemory(10_000, true);
  const source = createLogSource(log.ports);
  source.start();
  await until(source, () => source.snapshot().isComplete);
  source.want([1_499, 1_500, 1_501], []);
  await until(source, () => source.line(1_501) !== undefined);
  source.want([1_400, 1_700], []);
  expect(log.reads.slice(1)).toEqual(["1000", "1500"]);
});

it("reads chosen levels from the first line that is missing", async () => {
  const log = logInMemory(10_000, true);
  const source = createLogSource(log.ports);
  source.start();
  await until(source, () => source.snapshot().isComplete);
  source.want([120, 130, 140], ["error"]);
  await until(source, () => source.line(140) !== undefined);
  expect(log.reads.slice(1)).toEqual(["120error"]);
  expect(source.line(121)).toBeUndefined();
});

it("takes lines as they are written, until the end", async () => {
  const log = logInMemory(2, false);
  const source = createLogSource(log.ports);
  source.start();
  await until(source, () => source.snapshot().totalLines === 2);
  await log.followed;
  log.write([line(2), line(3)]);
  expect(source.snapshot()).toMatchObject({ totalLines: 4, isComplete: false });
  expect(source.line(3)?.event).toBe("line 3");
  log.end();
  expect(source.snapshot().isComplete).toBe(true);
});

it("says what went wrong", async () => {
  const source = createLogSource({
    readWindow: () => Promise.reject(new Error("no worker")),
    follow: () => () => undefined,
  });
  source.start();
  await until(source, () => source.snapshot().error !== null);
  expect(source.snapshot().error).toMatchObject({ message: "no worker" });
});

it("forgets the lines read first when there are too many", () => {
  const cache = createLineCache(3);
  cache.add([line(1), line(2), line(3)]);
  cache.add([line(1), line(4)]);
  expect([1, 2, 3, 4].map((n) => cache.get(n)?.n)).toEqual([1, undefined, 3, 4]);
  expect(cache.firstMissing([1, 4, 2])).toBe(2);
});
