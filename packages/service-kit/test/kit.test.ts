import { describe, expect, it } from "vitest";
import { createUuidV7 } from "../src/ids.ts";
import {
  createLogger,
  createMetrics,
  startLoop,
  startMetricsServer,
  stopAll,
  systemClock,
  systemIds,
} from "../src/index.ts";

const quiet = createLogger("test", "silent");

describe("ids", () => {
  it("are version 7 UUIDs in the order they were made", () => {
    const made = Array.from({ length: 10_000 }, () => systemIds.uuid());
    expect(made.every((id) => /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(id))).toBe(true);
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
  });

  it("keep their order when the clock is set back", () => {
    let now = 1_000_000;
    const uuid = createUuidV7(() => now);
    const first = uuid();
    now -= 5000;
    expect(uuid() > first).toBe(true);
  });
});

describe("the system clock", () => {
  it("wakes a sleeper at once when its signal aborts", async () => {
    const controller = new AbortController();
    const sleep = systemClock.sleep(60_000, controller.signal);
    controller.abort();
    await expect(sleep).resolves.toBeUndefined();
    await expect(systemClock.sleep(60_000, controller.signal)).resolves.toBeUndefined();
  });
});

describe("a loop", () => {
  /** Ticks that the test lets go one by one. */
  function manualTicks() {
    const started: (() => void)[] = [];
    const waiters: (() => void)[] = [];
    let count = 0;
    return {
      count: () => count,
      runOnce: () => {
        count += 1;
        return new Promise<void>((resolve) => {
          started.push(resolve);
          waiters.shift()?.();
        });
      },
      nextStart: () => (started.length > 0 ? Promise.resolve() : new Promise<void>((resolve) => waiters.push(resolve))),
      finish: () => started.shift()?.(),
    };
  }

  it("ticks once more for any number of wakes during a tick", async () => {
    const ticks = manualTicks();
    const loop = startLoop({
      name: "t",
      intervalMs: 60_000,
      runOnce: ticks.runOnce,
      logger: quiet,
      clock: systemClock,
    });
    await ticks.nextStart();
    loop.wake();
    loop.wake();
    ticks.finish();
    await ticks.nextStart();
    expect(ticks.count()).toBe(2);
    const stopped = loop.stop();
    ticks.finish();
    await stopped;
    await loop.stop();
    expect(ticks.count()).toBe(2);
  });

  it("goes on after a failed tick and asks for each wait", async () => {
    let count = 0;
    const waits: number[] = [];
    await new Promise<void>((resolve) => {
      const loop = startLoop({
        name: "t",
        intervalMs: () => 1000 + count,
        jitter: 0.5,
        random: () => 1,
        runOnce: async () => {
          count += 1;
          if (count === 3) {
            void loop.stop();
            resolve();
          }
          throw new Error("no luck");
        },
        logger: quiet,
        clock: { now: () => 0, sleep: async (ms) => void waits.push(ms) },
      });
    });
    expect(waits).toEqual([1501.5, 1503]);
  });
});

describe("logs", () => {
  it("are JSON lines with the role, and hide tokens", () => {
    const lines: string[] = [];
    const logger = createLogger("worker", "info", { write: (line) => void lines.push(line) });
    logger.child({ ti_id: "1" }).info({ token: "abc", message: { password: "x" } }, "claimed");
    logger.debug("not shown");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "info",
      role: "worker",
      ti_id: "1",
      token: "***",
      message: { password: "***" },
      event: "claimed",
    });
  });
});

describe("metrics", () => {
  it("are served with the role", async () => {
    const metrics = createMetrics("worker");
    metrics.counter("updraft_things_total", "Things.", ["kind"]).inc({ kind: "a" }, 2);
    const server = await startMetricsServer(metrics.registry, 0);
    const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    expect(await answer.text()).toContain('updraft_things_total{kind="a",role="worker"} 2');
    expect((await fetch(`http://127.0.0.1:${server.port}/other`)).status).toBe(404);
    await server.stop();
  });
});

describe("stopping", () => {
  it("goes from the last to the first, past one that fails", async () => {
    const order: string[] = [];
    await stopAll(
      [
        { stop: async () => void order.push("first") },
        { stop: () => Promise.reject(new Error("stuck")) },
        { stop: async () => void order.push("last") },
      ],
      quiet,
    );
    expect(order).toEqual(["last", "first"]);
  });
});
