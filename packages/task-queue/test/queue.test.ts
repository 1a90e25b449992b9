import { createLogger } from "@updraft/service-kit";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createTaskConsumer,
  createTaskQueue,
  QueueUnreachableError,
  type TaskConsumer,
  type TaskConsumerOptions,
  type TaskMessage,
  type TaskQueue,
} from "../src/index.ts";
import { jobOf, priorityOf, queueNameOf } from "../src/job.ts";
import { type RedisServer, startRedisServer } from "./redis-server.ts";

const logger = createLogger("test", "silent");
let server: RedisServer;
let admin: Redis;
let queue: TaskQueue;
const consumers: TaskConsumer[] = [];

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  admin = new Redis(server.url).on("error", () => undefined);
  await admin.flushall();
  queue = createTaskQueue({ redisUrl: server.url, logger });
});
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
  await queue.close();
  admin.disconnect();
});

function message(id: string, changes: Partial<TaskMessage> = {}): TaskMessage {
  return {
    ti_id: id,
    dag_id: "d",
    run_id: "r",
    task_id: "t",
    map_index: -1,
    try_number: 1,
    offer_number: 1,
    queue: "default",
    priority_weight: 1,
    artefact_hash: "a",
    isolation: "warm",
    token: "secret",
    ...changes,
  };
}

/** A consumer whose messages the test receives, and lets go, one by one. */
function consume(options: Partial<TaskConsumerOptions> = {}) {
  const received: TaskMessage[] = [];
  const held: (() => void)[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];
  const errors: Error[] = [];
  const consumer = createTaskConsumer({
    redisUrl: server.url,
    queues: ["default"],
    concurrency: 1,
    onError: (error) => errors.push(error),
    handle: (taken) =>
      new Promise<void>((resolve) => {
        received.push(taken);
        held.push(resolve);
        for (const waiter of waiters) if (received.length >= waiter.count) waiter.resolve();
      }),
    ...options,
  });
  consumers.push(consumer);
  return {
    consumer,
    errors,
    received,
    ids: () => received.map((taken) => taken.ti_id),
    reached: (count: number) =>
      received.length >= count ? Promise.resolve() : new Promise<void>((resolve) => waiters.push({ count, resolve })),
    release: () => held.shift()?.(),
    releaseAll: () => {
      for (const resolve of held.splice(0)) resolve();
    },
  };
}

/** Takes messages one by one until `count` came. */
async function drain(taker: ReturnType<typeof consume>, count: number): Promise<void> {
  for (let taken = 1; taken <= count; taken += 1) {
    await taker.reached(taken);
    taker.release();
  }
}

describe("a message as a job", () => {
  it("is known by try and offer", () => {
    expect(jobOf(message("x", { try_number: 2, offer_number: 3 })).opts.jobId).toBe("x-2-3");
    expect(queueNameOf("a:b")).not.toBe(queueNameOf("a%3Ab"));
    expect(queueNameOf("a:b")).not.toContain(":");
  });

  it.each([
    [1, 2 ** 20 - 1],
    [0, 2 ** 20],
    [-5, 2 ** 20 + 5],
    [2 ** 40, 1],
    [-(2 ** 40), 2 ** 21 - 1],
  ])("maps weight %d to BullMQ's priority %d", (weight, priority) => {
    expect(priorityOf(weight)).toBe(priority);
  });
});

describe("offering and taking", () => {
  it("delivers the message as it was offered", async () => {
    const sent = message("a", { priority_weight: 7, isolation: "process" });
    await queue.ping();
    await queue.offer([sent]);
    const taker = consume();
    await taker.reached(1);
    expect(taker.received).toEqual([sent]);
    taker.releaseAll();
  });

  it("serves the heavier first, equals in the order of their offers, whatever the weights are", async () => {
    const weights = [1, 5, 0, 5, -3, 100];
    await queue.offer(weights.map((priority_weight, index) => message(`m${index}`, { priority_weight })));
    const taker = consume();
    await drain(taker, weights.length);
    expect(taker.ids()).toEqual(["m5", "m1", "m3", "m0", "m2", "m4"]);
  });

  it("drops a doubled offer, and delivers a new offer of the same try", async () => {
    await queue.offer([message("a"), message("b")]);
    await queue.offer([message("a")]);
    await queue.offer([message("a", { offer_number: 2 })]);
    const taker = consume();
    await drain(taker, 3);
    await queue.offer([message("end")]);
    await taker.reached(4);
    expect(taker.ids()).toEqual(["a", "b", "a", "end"]);
    taker.releaseAll();
  });

  it("holds no more than its concurrency", async () => {
    const taker = consume({ concurrency: 2 });
    await queue.offer(["a", "b", "c"].map((id) => message(id)));
    await taker.reached(2);
    expect(await admin.zcard("bull:updraft-default:prioritized")).toBe(1);
    taker.release();
    await taker.reached(3);
    taker.releaseAll();
  });

  it("shares one bound between several queues", async () => {
    const taker = consume({ queues: ["default", "spark"], concurrency: 2 });
    const sent = ["a", "b", "c", "d"].map((id, index) => message(id, { queue: index % 2 === 0 ? "default" : "spark" }));
    await queue.offer(sent);
    await taker.reached(2);
    const other = consume({ queues: ["default", "spark"], concurrency: 2 });
    await other.reached(2);
    expect([...taker.ids(), ...other.ids()].toSorted()).toEqual(["a", "b", "c", "d"]);
    taker.releaseAll();
    other.releaseAll();
    await queue.offer([message("e"), message("f", { queue: "spark" })]);
    await Promise.race([taker.reached(4), other.reached(4), Promise.all([taker.reached(3), other.reached(3)])]);
    taker.releaseAll();
    other.releaseAll();
  });

  it("tells an error of the handler and goes on", async () => {
    let tell: (error: Error) => void = () => undefined;
    const told = new Promise<Error>((resolve) => {
      tell = resolve;
    });
    const seen: string[] = [];
    const second = new Promise<void>((resolve) => {
      consume({
        onError: tell,
        handle: async ({ ti_id }) => {
          seen.push(ti_id);
          if (ti_id === "b") resolve();
          else throw new Error("broken");
        },
      });
    });
    await queue.offer([message("a")]);
    await queue.offer([message("b")]);
    expect((await told).message).toBe("broken");
    await second;
    expect(seen).toEqual(["a", "b"]);
  });

  it("leaves nothing behind in Redis", async () => {
    const taker = consume();
    await queue.offer([message("a"), message("b")]);
    await drain(taker, 2);
    await taker.consumer.close();
    const left = (await admin.keys("bull:updraft-default:*")).map((key) => key.split(":").at(-1));
    expect(
      left.filter((key) => !["meta", "id", "pc", "events", "stalled-check", "marker"].includes(key ?? "")),
    ).toEqual([]);
  });
});

describe("closing", () => {
  it("waits for what runs and takes nothing more", async () => {
    const taker = consume();
    await queue.offer([message("a"), message("b")]);
    await taker.reached(1);
    const closed = taker.consumer.close();
    const again = taker.consumer.close();
    taker.release();
    await closed;
    await again;
    expect(taker.ids()).toEqual(["a"]);

    const next = consume();
    await next.reached(1);
    expect(next.ids()).toEqual(["b"]);
    next.releaseAll();
  });
});

describe("when Redis is gone", () => {
  it("fails an offer quickly with a typed error, and works again when it is back", async () => {
    await queue.ping();
    const taker = consume();
    await server.kill();
    const started = performance.now();
    await expect(queue.offer([message("a")])).rejects.toBeInstanceOf(QueueUnreachableError);
    await expect(queue.ping()).rejects.toThrow(/doesn't answer. Check that it runs/);
    expect(performance.now() - started).toBeLessThan(5000);
    await server.start();
    await queue.ping();
    await queue.offer([message("b")]);
    await taker.reached(1);
    expect(taker.ids()).toEqual(["b"]);
    expect(taker.errors.some((error) => error instanceof QueueUnreachableError)).toBe(true);
    taker.releaseAll();
  });

  it("fails at a server that was never there", async () => {
    const lost = createTaskQueue({ redisUrl: "redis://user:hunter2@127.0.0.1:1", logger, timeoutMs: 200 });
    const failure = await lost.offer([message("a")]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(QueueUnreachableError);
    expect(String(failure)).not.toContain("hunter2");
    await lost.close();
  });

  it("lets running tries finish and new ones flow after a restart that lost everything", async () => {
    const taker = consume({ concurrency: 2 });
    await queue.offer([message("a")]);
    await taker.reached(1);
    await server.kill();
    await server.start();
    taker.release();
    await queue.ping();
    await queue.offer([message("b"), message("c")]);
    await taker.reached(3);
    expect(taker.ids().toSorted()).toEqual(["a", "b", "c"]);
    taker.releaseAll();
  });
});

describe("when Redis loses its data", () => {
  it("goes on with what runs and takes new messages", async () => {
    const taker = consume({ concurrency: 1 });
    await queue.offer([message("a"), message("lost")]);
    await taker.reached(1);
    await admin.flushall();
    await queue.offer([message("b")]);
    taker.release();
    await taker.reached(2);
    expect(taker.ids()).toEqual(["a", "b"]);
    taker.releaseAll();
  });

  it("delivers a try that is offered again while its lost message still runs", async () => {
    const taker = consume({ concurrency: 2 });
    await queue.offer([message("a")]);
    await taker.reached(1);
    await admin.flushall();
    await queue.offer([message("a", { offer_number: 2 })]);
    await taker.reached(2);
    expect(taker.received.map((taken) => taken.offer_number)).toEqual([1, 2]);
    taker.releaseAll();
  });
});

describe("a worker that vanished", () => {
  it("doesn't have its message run again by the queue itself", async () => {
    await queue.offer([message("a")]);
    const key = "bull:updraft-default";
    // The state a killed worker leaves: active, with an expired lock, marked by the last stalled check.
    await admin.zrem(`${key}:prioritized`, "a-1-1");
    await admin.lpush(`${key}:active`, "a-1-1");
    await admin.sadd(`${key}:stalled`, "a-1-1");
    const taker = consume();
    await queue.offer([message("b")]);
    await drain(taker, 1);
    await taker.consumer.close();
    expect(taker.ids()).toEqual(["b"]);
  });
});
