/** What the worker decides without any process: ends, leases, masks, retirement. */

import { SecretMasker, secretsOfExtra } from "@updraft/execution-client";
import type { TaskOutcome } from "@updraft/sdk/host";
import type { Clock } from "@updraft/service-kit";
import { describe, expect, test } from "vitest";
import type { HeartbeatAnswer } from "../src/execution-client.ts";
import { keepLease } from "../src/lease.ts";
import { LineSplitter } from "../src/line-splitter.ts";
import { stateRequestOf, type TryEnd } from "../src/outcome.ts";
import { createRetirement } from "../src/task-process/retirement.ts";

const facts = { endDate: "2026-01-01T00:00:00Z", shouldRetry: true, pushReturnValue: true };
const outcome = (value: TaskOutcome): TryEnd => ({ kind: "outcome", outcome: value });
const error = { name: "Error", message: "no", stack: "" };
const exited = { kind: "exited", code: null, signal: null, lastStderr: "" } as const;

describe("the end of a try in the words of the API", () => {
  test.each<[string, TryEnd, Partial<typeof facts>, object]>([
    [
      "a result is an XCom",
      outcome({ kind: "success", returnValue: 1, xcoms: [{ key: "k", value: 2 }] }),
      {},
      {
        state: "success",
        xcoms: [
          { key: "k", value: 2 },
          { key: "return_value", value: 1 },
        ],
      },
    ],
    ["no result, no XCom", outcome({ kind: "success", xcoms: [] }), {}, { state: "success", xcoms: [] }],
    [
      "do_xcom_push is off",
      outcome({ kind: "success", returnValue: 1, xcoms: [] }),
      { pushReturnValue: false },
      { state: "success", xcoms: [] },
    ],
    [
      "an error is retried",
      outcome({ kind: "failed", error, retry: true }),
      {},
      { state: "up_for_retry", retry_reason: "Error: no" },
    ],
    ["FailTask is not", outcome({ kind: "failed", error, retry: false }), {}, { state: "failed", reason: "Error: no" }],
    [
      "no retries are left",
      outcome({ kind: "failed", error, retry: true }),
      { shouldRetry: false },
      { state: "failed" },
    ],
    ["killed", { ...exited, signal: "SIGKILL" }, {}, { state: "up_for_retry" }],
    ["gone without a word, though with code 0", { ...exited, code: 0 }, {}, { state: "up_for_retry" }],
    ["out of time", { kind: "timeout", seconds: 9 }, {}, { state: "up_for_retry" }],
    ["out of time, without tries left", { kind: "timeout", seconds: 9 }, { shouldRetry: false }, { state: "failed" }],
    [
      "out of memory",
      { ...exited, code: 134, lastStderr: "FATAL ERROR: Reached heap limit Allocation failed" },
      { shouldRetry: false },
      {
        state: "failed",
        reason: "The task's process ran out of memory: the JavaScript heap reached its limit.",
      },
    ],
    [
      "a deferral",
      outcome({
        kind: "deferred",
        classpath: "a.Trigger",
        triggerKwargs: { a: 1 },
        next: { method: "done", kwargs: { b: 2 }, timeout: 90 },
      }),
      {},
      {
        state: "deferred",
        classpath: "a.Trigger",
        trigger_kwargs: { a: 1 },
        trigger_timeout: "PT90S",
        next_method: "done",
        next_kwargs: { b: 2 },
      },
    ],
    [
      "a question to people",
      outcome({ kind: "awaiting_input", next: { method: "done", kwargs: {}, timeout: null } }),
      {},
      { state: "awaiting_input", timeout: null, next_method: "done", next_kwargs: {} },
    ],
    [
      "a reschedule",
      outcome({ kind: "up_for_reschedule", date: "2026-01-01T00:01:00.000Z" }),
      {},
      { state: "up_for_reschedule", reschedule_date: "2026-01-01T00:01:00.000Z", end_date: facts.endDate },
    ],
    [
      "a retry with a delay of its policy",
      outcome({ kind: "failed", error, retry: true, retryDelaySeconds: 7 }),
      {},
      { state: "up_for_retry", retry_delay_seconds: 7 },
    ],
  ])("%s", (_, end, given, expected) => {
    expect(stateRequestOf(end, { ...facts, ...given })).toMatchObject(expected);
  });
});

describe("a lease", () => {
  /** Answers heartbeats in turn while a virtual clock jumps from sleep to sleep; each heartbeat takes `tookMs`. */
  async function playLease(answers: readonly HeartbeatAnswer["kind"][], tookMs = 0) {
    let now = 0;
    const clock: Clock = {
      now: () => now,
      sleep: async (ms) => {
        now += ms;
      },
    };
    const renewals: number[] = [];
    let turn = 0;
    const end = await keepLease({
      grantedAt: 0,
      leaseMs: 10_000,
      heartbeatMs: 2000,
      heartbeat: async (timeoutMs) => {
        now += Math.min(tookMs, timeoutMs);
        const kind = answers[turn] ?? answers.at(-1);
        turn += 1;
        return kind === "alive" ? { kind, token: null } : { kind: kind ?? "gone", reason: "because" };
      },
      onRenewed: (until) => void renewals.push(until),
      clock,
      signal: new AbortController().signal,
    });
    return { end, renewals, now };
  }

  test("is renewed by each heartbeat, counted from when it was sent", async () => {
    const { end, renewals } = await playLease(["alive", "alive", "gone"], 500);
    expect(renewals).toEqual([11_000, 13_500]);
    expect(end).toEqual({ kind: "gone", reason: "because" });
  });

  test.each([0, 700, 30_000])("ends a margin early when heartbeats of %s ms reach nobody", async (tookMs) => {
    const { end, now } = await playLease(["unreachable"], tookMs);
    expect(end).toEqual({ kind: "expired", reason: "because" });
    expect(now).toBe(9000);
  });
});

test("secrets are masked in every form they take", () => {
  const masker = new SecretMasker();
  expect(masker.add("abc")).toBe(false);
  expect(masker.add('pa"ss/word$')).toBe(true);
  masker.add("first line\nsecond line");
  expect(masker.mask(`x pa"ss/word$ ${JSON.stringify('pa"ss/word$')} ${encodeURIComponent('pa"ss/word$')}`)).toBe(
    'x *** "***" ***',
  );
  expect(masker.mask("the second line of a key")).toBe("the *** of a key");
  expect(masker.maskValue({ list: ["first line"], count: 3 })).toEqual({ list: ["***"], count: 3 });
  expect(secretsOfExtra('{"region":"eu","auth":{"api_key":"k-1"}}')).toEqual(["k-1"]);
});

test("output arrives in whole lines, whatever the chunks", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => void lines.push(line));
  const euro = Buffer.from("€uro\r\nrest");
  splitter.push(euro.subarray(0, 2));
  splitter.push(euro.subarray(2));
  splitter.flush();
  expect(lines).toEqual(["€uro", "rest"]);
});

describe("a task process is retired", () => {
  const limits = { max_tries: 2, max_growth_bytes: Number.POSITIVE_INFINITY };

  test("after so many tries", async () => {
    const retirement = createRetirement();
    expect(await retirement.check(limits)).toBe(null);
    expect(await retirement.check(limits)).toBe("it has run 2 tries");
  });

  test("when its memory grew", async () => {
    const retirement = createRetirement();
    const kept = Buffer.alloc(64 * 1024 * 1024, 1);
    expect(await retirement.check({ max_tries: 9, max_growth_bytes: 32 * 1024 * 1024 })).toMatch(/memory grew by/);
    expect(kept).toHaveLength(64 * 1024 * 1024);
  });
});
