/** Tasks that wait: deferred, rescheduled, sensors, retry policies, people. */
import { DAG_STATE_TRIGGER, DATE_TIME_TRIGGER, type JsonValue } from "@updraft/dag-core";
import { describe, expect, it, vi } from "vitest";
import { approval, hitl } from "../src/hitl.ts";
import type { RunContext } from "../src/host.ts";
import {
  Dag,
  dateTimeTrigger,
  defer,
  defineTrigger,
  fail,
  getContext,
  PokeReturnValue,
  type RetryDecision,
  reschedule,
  type SensorOptions,
  sensor,
  timeDeltaTrigger,
  triggerDagRun,
} from "../src/index.ts";
import { runTry, serialize, taskOf, type World } from "./support/play.ts";

type Facts = Pick<RunContext, "resumption" | "reschedules">;
const resumedBy = (method: string, kwargs: Record<string, JsonValue>): Facts => ({ resumption: { method, kwargs } });
const TIMED_OUT = resumedBy("__fail__", { error: "Trigger timeout", traceback: [] });

describe("defer", () => {
  const dag = new Dag("d");
  dag.task("methodical", () => defer({ trigger: timeDeltaTrigger(5), method: "done", kwargs: { a: 1 }, timeout: 60 }), {
    methods: { done: ({ event, kwargs }) => ({ event, ...kwargs }) },
  })();
  dag.task("again", () => getContext().triggerEvent ?? defer({ trigger: dateTimeTrigger(new Date(0)) }))();

  it("names trigger, method, kwargs and timeout", async () => {
    expect(await runTry(dag, "methodical")).toEqual({
      kind: "deferred",
      classpath: expect.stringContaining("TimeDeltaTrigger"),
      triggerKwargs: { delta: 5 },
      next: { method: "done", kwargs: { a: 1 }, timeout: 60 },
    });
  });

  it("may come before the task starts at all", () => {
    const early = new Dag("d");
    early.task("t", () => null, {
      startFromTrigger: { trigger: timeDeltaTrigger(5), method: "done" },
      methods: { done: () => 1 },
    })();
    expect(taskOf(serialize(early), "t").start_from_trigger).toEqual({
      classpath: expect.stringContaining("TimeDeltaTrigger"),
      kwargs: { delta: 5 },
      timeout: null,
      next_method: "done",
      next_kwargs: {},
    });
  });

  it("goes on in the method with event and kwargs", async () => {
    const outcome = await runTry(dag, "methodical", { context: resumedBy("done", { a: 1, event: "now" }) });
    expect(outcome).toMatchObject({ kind: "success", returnValue: { event: "now", a: 1 } });
  });

  it("calls the handler again where no method is named", async () => {
    expect(await runTry(dag, "again")).toMatchObject({
      kind: "deferred",
      classpath: DATE_TIME_TRIGGER,
      triggerKwargs: { moment: "1970-01-01T00:00:00.000Z" },
      next: { method: "execute" },
    });
    const outcome = await runTry(dag, "again", { context: resumedBy("execute", { event: 7 }) });
    expect(outcome).toMatchObject({ kind: "success", returnValue: 7 });
  });

  it.each([
    [TIMED_OUT, "TaskDeferralTimeout", "did not fire in time"],
    [resumedBy("__fail__", { error: "Trigger failure", traceback: ["it broke"] }), "TaskDeferralError", "it broke"],
    [resumedBy("gone", {}), "Error", 'no method "gone"'],
  ])("fails, to be retried, after %o", async (context, name, message) => {
    expect(await runTry(dag, "methodical", { context })).toMatchObject({
      kind: "failed",
      retry: true,
      error: { name, message: expect.stringContaining(message) },
    });
  });

  it("defines a trigger once, with JSON arguments", () => {
    const ready = defineTrigger("ready", async ({ path }: { path: string }) => path);
    expect(ready({ path: "/x" })).toEqual({ classpath: "updraft.trigger.ready", kwargs: { path: "/x" } });
    expect(() => defineTrigger("ready", async () => null)).toThrow("defined twice");
    expect(() => ready({ path: new Date() as never })).toThrow("plain JSON");
  });
});

it("reschedule starts the try again later", async () => {
  const dag = new Dag("d");
  dag.task("later", () => reschedule(new Date("2026-01-01T00:00:00Z")))();
  expect(await runTry(dag, "later")).toEqual({ kind: "up_for_reschedule", date: "2026-01-01T00:00:00.000Z" });
});

describe("sensor", () => {
  const run = (poke: () => unknown, options: SensorOptions = {}, context: Facts = {}) => {
    const dag = new Dag("d");
    dag.task("s", sensor(poke, { pokeInterval: 0.001, ...options }))();
    return runTry(dag, "s", { context });
  };
  const broken = () => {
    throw new Error("broken");
  };
  const hopeless = () => fail("hopeless");

  it("looks until something is there, and hands on what was found", async () => {
    let looks = 0;
    expect(await run(() => ++looks === 3)).toEqual({ kind: "success", xcoms: [] });
    expect(looks).toBe(3);
    const found = await run(() => new PokeReturnValue(true, { rows: 1 }));
    expect(found).toMatchObject({ kind: "success", returnValue: { rows: 1 } });
  });

  it("case 20: timeout 0 and a false poke: looked at least once, failed without retry", async () => {
    let looks = 0;
    const old = { reschedules: { count: 1, first_start: "2020-01-01T00:00:00Z" } };
    const outcome = await run(() => ++looks === 0, { timeout: 0, mode: "reschedule" }, old);
    expect(outcome).toMatchObject({ kind: "failed", retry: false, error: { name: "SensorTimeout" } });
    expect(looks).toBe(1);
  });

  it("keeps its slot between two looks in poke mode, and counts from the start of its process", async () => {
    let looks = 0;
    const old = { reschedules: { count: 1, first_start: "2020-01-01T00:00:00Z" } };
    const outcome = await run(() => ++looks === 0, { pokeInterval: 0.01, timeout: 0.1 }, old);
    expect(outcome).toMatchObject({ kind: "failed", error: { name: "SensorTimeout" } });
    expect(looks).toBeGreaterThan(2);
  });

  it("gives its slot back between two looks, and counts from the first look of the try", async () => {
    const options = { mode: "reschedule", pokeInterval: 60, timeout: 3600 } as const;
    const before = Date.now();
    const outcome = await run(() => false, options);
    if (outcome.kind !== "up_for_reschedule") throw new Error(outcome.kind);
    expect(Date.parse(outcome.date)).toBeGreaterThanOrEqual(before + 60_000);
    const long = { reschedules: { count: 9, first_start: new Date(before - 3_601_000).toISOString() } };
    expect(await run(() => false, options, long)).toMatchObject({ kind: "failed", retry: false });
  });

  it.each([
    ["plain", broken, {}, { kind: "failed", retry: true }],
    ["plain", hopeless, {}, { kind: "failed", retry: false }],
    ["softFail", broken, { softFail: true }, { kind: "failed", retry: true }],
    ["softFail", hopeless, { softFail: true }, { kind: "skipped" }],
    ["softFail, time-out", () => false, { softFail: true, timeout: 0 }, { kind: "skipped" }],
    ["neverFail", broken, { neverFail: true }, { kind: "skipped" }],
    ["neverFail", hopeless, { neverFail: true }, { kind: "skipped" }],
    ["neverFail, time-out", () => false, { neverFail: true, timeout: 0 }, { kind: "skipped" }],
    ["silentFail, time-out", broken, { silentFail: true, timeout: 0 }, { kind: "failed", retry: false }],
  ])("%s: a look that fails (%o)", async (_, poke, options, expected) => {
    expect(await run(poke, options)).toMatchObject(expected);
  });

  it("turns a deferral that timed out into its own time-out", async () => {
    expect(await run(broken, {}, TIMED_OUT)).toMatchObject({
      kind: "failed",
      retry: false,
      error: { name: "SensorTimeout" },
    });
    expect(await run(broken, { softFail: true }, TIMED_OUT)).toMatchObject({ kind: "skipped" });
  });

  it("has Airflow's defaults, and refuses what makes no sense", async () => {
    expect(await run(() => true, { pokeInterval: undefined })).toMatchObject({ kind: "success" });
    expect(() => sensor(() => true, { softFail: true, neverFail: true })).toThrow("exclude each other");
    expect(() => sensor(() => true, { pokeIntervall: 1 } as SensorOptions)).toThrow(/did you mean "pokeInterval"/i);
  });
});

describe("retryPolicy", () => {
  const decide = (
    decision: RetryDecision | Error,
    context: Facts = {},
    handler: () => unknown = () => Promise.reject(new Error("503")),
  ) => {
    const dag = new Dag("d");
    const retryPolicy = () => {
      if (decision instanceof Error) throw decision;
      return decision;
    };
    dag.task("t", handler, { retries: 3, retryPolicy })();
    return runTry(dag, "t", { context });
  };
  const rescheduled = (count: number, first_start = new Date().toISOString()) => ({
    reschedules: { count, first_start },
  });
  const reschedule = { action: "reschedule", delay: 60, maxReschedules: 2, rescheduleTimeout: 300 } as const;

  it.each([
    ["default", {}, { kind: "failed", retry: true }],
    ["fail", {}, { kind: "failed", retry: false }],
    ["retry", {}, { kind: "failed", retry: true }],
    [{ action: "retry", delay: 5 }, {}, { kind: "failed", retry: true, retryDelaySeconds: 5 }],
    [reschedule, {}, { kind: "up_for_reschedule" }],
    [reschedule, rescheduled(1), { kind: "up_for_reschedule" }],
    [reschedule, rescheduled(2), { kind: "failed", retry: true }],
    [reschedule, rescheduled(1, "2020-01-01T00:00:00Z"), { kind: "failed", retry: true }],
    [new Error("the policy is broken"), {}, { kind: "failed", retry: true, error: { message: "503" } }],
  ] as const)("%o with %o", async (decision, context, expected) => {
    expect(await decide(decision, context)).toMatchObject(expected);
  });

  it("is not asked where nothing is left to decide", async () => {
    expect(await decide({ action: "retry" }, {}, () => fail("for good"))).toMatchObject({ retry: false });
    expect(await decide("fail", {}, () => defer({ trigger: timeDeltaTrigger(1) }))).toMatchObject({ kind: "deferred" });
  });
});

describe("deferrable triggerDagRun", () => {
  const dag = new Dag("d");
  dag.task(
    "t",
    triggerDagRun({ dagId: "other", runId: "r", waitForCompletion: true, deferrable: true, pokeInterval: 5 }),
  )();

  it("triggers, then waits for the run's end without its slot", async () => {
    let world: World | undefined;
    const outcome = await runTry(dag, "t", { prepare: (made) => (world = made) });
    expect(world?.triggered).toMatchObject([{ dagId: "other", runId: "r" }]);
    expect(outcome).toMatchObject({
      kind: "deferred",
      classpath: DAG_STATE_TRIGGER,
      triggerKwargs: { dag_id: "other", run_ids: ["r"], states: ["success", "failed"], poll_interval: 5 },
      next: { method: "execute_complete", kwargs: { run_id: "r" }, timeout: null },
    });
  });

  it("is the default where the installation says so", async () => {
    const kindOf = async (deferrable?: boolean) => {
      const one = new Dag("d");
      one.task("t", triggerDagRun({ dagId: "other", waitForCompletion: true, pokeInterval: 0.01, deferrable }))();
      return (await runTry(one, "t")).kind;
    };
    expect(await kindOf()).toBe("success");
    vi.stubEnv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True");
    expect([await kindOf(), await kindOf(false)]).toEqual(["deferred", "success"]);
    vi.unstubAllEnvs();
  });

  it.each([
    ["success", { kind: "success" }],
    ["failed", { kind: "failed", retry: true }],
  ])("ends by the state of the run: %s", async (state, expected) => {
    const context = resumedBy("execute_complete", { run_id: "r", event: [DAG_STATE_TRIGGER, { r: state }] });
    expect(await runTry(dag, "t", { context })).toMatchObject(expected);
  });
});

describe("hitl and approval", () => {
  const answer = (chosen: string[], more: Record<string, JsonValue> = {}) =>
    resumedBy("execute_complete", {
      event: {
        chosen_options: chosen,
        params_input: {},
        responded_at: "2026-01-01T00:00:00Z",
        responded_by_user: null,
        timedout: false,
        ...more,
      },
    });

  function gate(spec: Partial<Parameters<typeof approval>[0]> = {}, follows = true) {
    const dag = new Dag("d");
    const placed = dag.task("gate", approval({ subject: "Go on?", responseTimeout: 30, ...spec }))();
    if (follows)
      placed.before(
        dag
          .task("next", () => null)()
          .before(dag.task("last", () => null)()),
      );
    return dag;
  }

  it("asks with texts made from the inputs, and waits", async () => {
    let world: World | undefined;
    const dag = new Dag("d");
    const subject = ({ rows }: { rows: number }) => `Write ${rows} rows?`;
    const ask = hitl({
      subject,
      options: ["yes", "no"],
      defaults: ["no"],
      params: { why: { value: "" } },
      responseTimeout: 30,
    });
    dag.task("ask", ask)({ rows: 3 });
    const outcome = await runTry(dag, "ask", { args: { rows: 3 }, prepare: (made) => (world = made) });
    expect(outcome).toEqual({ kind: "awaiting_input", next: { method: "execute_complete", kwargs: {}, timeout: 30 } });
    expect(world?.asked).toEqual([
      {
        subject: "Write 3 rows?",
        body: null,
        options: ["yes", "no"],
        defaults: ["no"],
        multiple: false,
        params: { why: { value: "", source: "task" } },
        assigned_users: [],
      },
    ]);
  });

  it("fails, to be retried, where a text can't be made", async () => {
    const dag = new Dag("d");
    const subject = ({ rows }: { rows: string }) => rows.toUpperCase();
    dag.task("ask", hitl({ subject, options: ["yes"] }))({ rows: "three" });
    expect(await runTry(dag, "ask", { args: { rows: 3 } })).toMatchObject({ kind: "failed", retry: true });
  });

  it("approves with the answer as its result", async () => {
    const user = { id: "a", name: "Ann" };
    const outcome = await runTry(gate(), "gate", { context: answer(["Approve"], { responded_by_user: user }) });
    expect(outcome).toMatchObject({
      kind: "success",
      returnValue: { chosen_options: ["Approve"], responded_at: "2026-01-01T00:00:00.000Z", responded_by_user: user },
    });
  });

  it.each([
    [false, ["next"]],
    [true, ["next", "last"]],
  ])(
    "rejects by skipping what follows (all of it: %s), without a result",
    async (ignoreDownstreamTriggerRules, skipped) => {
      let world: World | undefined;
      const prepare = (made: World) => (world = made);
      const outcome = await runTry(gate({ ignoreDownstreamTriggerRules }), "gate", {
        context: answer(["Reject"]),
        prepare,
      });
      expect(outcome).toEqual({ kind: "success", xcoms: [] });
      expect([...(world?.skipped ?? [])]).toEqual(skipped);
      expect(world?.xcoms.get("d/run/gate/skipmixin_key")).toEqual({ skipped });
      expect(taskOf(serialize(gate()), "gate")).toMatchObject({
        operator_name: "ApprovalOperator",
        can_skip_downstream: true,
      });
    },
  );

  it("rejects without skipping a teardown", async () => {
    const dag = new Dag("d");
    const [made, gate, work, dropped] = [
      dag
        .task("make", () => null)()
        .asSetup(),
      dag.task("gate", approval({ subject: "Go on?", ignoreDownstreamTriggerRules: true }))(),
      dag.task("work", () => null)(),
      dag.task("drop", () => null)(),
    ];
    made.before(gate.before(work.before(dropped)));
    dropped.asTeardown({ setups: [made] });
    let world: World | undefined;
    await runTry(dag, "gate", { context: answer(["Reject"]), prepare: (one) => (world = one) });
    expect([...(world?.skipped ?? [])]).toEqual(["work"]);
  });

  it("rejects with the answer where nothing follows, or fails where it is told to", async () => {
    const alone = await runTry(gate({}, false), "gate", { context: answer(["Reject"]) });
    expect(alone).toMatchObject({ kind: "success", returnValue: { chosen_options: ["Reject"] } });
    expect(await runTry(gate({ failOnReject: true }), "gate", { context: answer(["Reject"]) })).toMatchObject({
      kind: "failed",
      retry: true,
    });
  });

  it("fails where nobody answers, or the answer doesn't fit", async () => {
    const late = resumedBy("execute_complete", { event: { error: "too late", error_type: "timeout" } });
    expect(await runTry(gate(), "gate", { context: late })).toMatchObject({
      kind: "failed",
      error: { message: "Response timed out: too late" },
    });
    expect(await runTry(gate(), "gate", { context: answer(["Maybe"]) })).toMatchObject({ kind: "failed" });
    const params = gate({ params: { rows: { value: 1 } } });
    expect(
      await runTry(params, "gate", { context: answer(["Approve"], { params_input: { other: 1 } }) }),
    ).toMatchObject({
      kind: "failed",
    });
  });

  it("refuses a wrong question when the file is read", () => {
    expect(() => hitl({ subject: "", options: ["a"] })).toThrow("subject of hitl");
    expect(() => hitl({ subject: "s", options: ["a", "a"] })).toThrow("options of hitl");
    expect(() => hitl({ subject: "s", options: ["a", "b"], defaults: ["a", "b"] })).toThrow("Only one option");
    expect(() => hitl({ subject: "s", options: ["a"], responseTimeout: 1.5 })).toThrow("whole number");
    expect(() => approval({ subject: "s", default: "Reject" } as never)).toThrow(/did you mean "defaults"/i);
    expect(() => new Dag("d").task("t", approval({ subject: "s" }), { executionTimeout: 3 })).toThrow(
      "executionTimeout can't be set",
    );
  });
});
