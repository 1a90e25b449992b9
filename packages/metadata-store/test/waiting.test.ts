/** Tries that wait without a slot, on real Postgres: deferred, rescheduled, awaiting input. */
import {
  DAG_STATE_TRIGGER,
  DATE_TIME_TRIGGER,
  type JsonValue,
  type SerializedDag,
  TIME_DELTA_TRIGGER,
} from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ClaimedTry, TryOutcome } from "../src/index.ts";
import { Player } from "./player.ts";

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ parallelism: 8 });
  player = new Player(world);
});
afterEach(() => world.close());

async function start(form: SerializedDag): Promise<string> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
  await world.store.createDueRuns();
  return player.trigger(form.dag_id);
}

function deferral(
  classpath: string,
  kwargs: Record<string, JsonValue> = {},
  timeout: number | null = null,
): TryOutcome {
  const next = { next_method: "execute_complete", next_kwargs: { mine: 1 } };
  return { kind: "deferred", classpath, kwargs, queue: null, timeout_seconds: timeout, ...next };
}

const input = (timeout: number | null): TryOutcome => ({
  kind: "awaiting_input",
  timeout_seconds: timeout,
  next_method: "execute_complete",
  next_kwargs: {},
});

async function resumeDue(): Promise<string[]> {
  return player.hears(await world.store.resumeDue());
}

async function ask(claim: ClaimedTry, defaults: string[] | null = null, assigned: string[] = []): Promise<void> {
  await world.store.askPeople(claim.ti_id, {
    options: ["Approve", "Reject"],
    subject: "Go on?",
    body: null,
    defaults,
    multiple: false,
    params: { rows: { value: 3 } },
    assigned_users: assigned.map((id) => ({ id, name: id })),
  });
}

const answer = (tiId: string, user = "ann") =>
  world.store.respond(tiId, { user: { id: user, name: user }, chosen_options: ["Approve"], params_input: { rows: 4 } });

async function rowsOf(table: string): Promise<number> {
  const [row] = await world.sql<{ count: string }>(`SELECT count(*) FROM ${table}`);
  return Number(row?.count);
}

test("a timer wakes the scheduler exactly and resumes the same try with its event, XComs and start date", async () => {
  await start(dag("a > b"));
  const first = await player.claim("a");
  await world.store.setXCom({ dag_id: "d", run_id: first.run_id, task_id: "a", map_index: -1, key: "k" }, 1);
  const due = world.clock.now() + 60_000;
  await player.finish(first, deferral(DATE_TIME_TRIGGER, { moment: new Date(due).toISOString() }));
  expect(await player.states(first.run_id)).toEqual({ a: "deferred", b: null });
  expect(await player.occupancy()).toMatchObject({ "task:d/a": 1 });
  expect((await player.occupancy()).parallelism ?? 0).toBe(0);
  expect(await world.store.nextDueAt()).toBe(due);
  expect(await resumeDue()).toEqual([]);

  world.clock.advance(60_000);
  expect(await resumeDue()).toEqual(["a"]);
  const resumed = await player.claim("a");
  expect(resumed).toMatchObject({
    try_number: 1,
    next_method: "execute_complete",
    next_kwargs: { mine: 1, event: new Date(due).toISOString() },
    start_date: first.start_date,
  });
  const again = await world.store.claimTry(player.claimRequest(resumed.ti_id, 1));
  expect(again).toMatchObject({ kind: "claimed", try: { next_method: "execute_complete" } });
  expect(
    await world.store.getXCom({ dag_id: "d", run_id: first.run_id, task_id: "a", map_index: -1, key: "k" }),
  ).not.toBeNull();
  await player.finish(resumed, { kind: "success", xcoms: [] });
  await player.run("b");
  expect(await player.runState(first.run_id)).toBe("success");
  expect(await rowsOf("trigger")).toBe(0);
  await player.expectNoSlotsInUse();
});

test("a trigger that is not met in time fails the try by __fail__; the retry starts afresh", async () => {
  const run = await start(dag("a", {}, { a: { retries: 1, retry_delay: 0 } }));
  const first = await player.claim("a");
  await player.finish(first, deferral("some.Trigger", {}, 30));
  world.clock.advance(30_000);
  expect(await resumeDue()).toEqual(["a"]);
  const resumed = await player.claim("a");
  expect(resumed).toMatchObject({ next_method: "__fail__", next_kwargs: { error: "Trigger timeout", traceback: [] } });
  await player.finish(resumed, player.failure());
  world.clock.advance(1);
  expect(player.hears(await world.store.startDueRetries())).toEqual(["a"]);
  expect(await player.claim("a")).toMatchObject({ try_number: 2, next_method: null, next_kwargs: null });
  expect(await player.states(run)).toEqual({ a: "running" });
});

test("a condition over a run fires when that run ends", async () => {
  await world.store.saveParsedFile(
    parsedFile([
      { ...dag("a"), is_paused_upon_creation: false },
      { ...dag("z", { dag_id: "other" }), is_paused_upon_creation: false },
    ]),
  );
  await world.store.createDueRuns();
  await player.trigger("d");
  const other = await player.trigger("other");
  const kwargs = { dag_id: "other", run_ids: [other], states: ["success", "failed"], poll_interval: 60 };
  await player.finish(await player.claim("a"), deferral(DAG_STATE_TRIGGER, kwargs));
  expect(await resumeDue()).toEqual([]);
  expect(await world.store.nextDueAt()).toBe(world.clock.now() + 60_000);
  await player.run("z");
  expect(await resumeDue()).toEqual(["a"]);
  expect((await player.claim("a")).next_kwargs).toMatchObject({ event: [DAG_STATE_TRIGGER, { [other]: "success" }] });
});

test("a trigger that can't be read fails the try with the reason", async () => {
  const run = await start(dag("a"));
  await player.finish(await player.claim("a"), deferral(TIME_DELTA_TRIGGER, { delta: "long" }));
  const task = await world.store.getTaskInstance({ dag_id: "d", run_id: run, task_id: "a", map_index: -1 });
  expect(task).toMatchObject({ state: "failed", cause: expect.stringContaining("can't read its delta") });
});

test("a reschedule frees the slot, keeps the try, forgets its XComs and counts within the try", async () => {
  const run = await start(dag("a", {}, { a: { retries: 1, retry_delay: 0 } }));
  const first = await player.claim("a");
  expect(first).toMatchObject({ task_reschedule_count: 0, first_task_reschedule_start_date: null });
  const xcom = { dag_id: "d", run_id: run, task_id: "a", map_index: -1, key: "k" };
  await world.store.setXCom(xcom, 1);
  const reschedule_date = world.clock.now() + 5000;
  await player.finish(first, { kind: "up_for_reschedule", reschedule_date });
  expect(await player.states(run)).toEqual({ a: "up_for_reschedule" });
  expect(await player.occupancy()).toEqual({ "runs:d": 1 });
  expect(await world.store.nextDueAt()).toBe(reschedule_date);

  world.clock.advance(5000);
  expect(await resumeDue()).toEqual(["a"]);
  expect(await world.store.getXCom(xcom)).toBeNull();
  const second = await player.claim("a");
  expect(second).toMatchObject({
    try_number: 1,
    task_reschedule_count: 1,
    first_task_reschedule_start_date: first.start_date,
    start_date: world.clock.now(),
  });
  expect(await world.store.firstRescheduleStart(second.ti_id, 1)).toBe(first.start_date);
  await player.finish(second, player.failure());
  world.clock.advance(1);
  expect(player.hears(await world.store.startDueRetries())).toEqual(["a"]);
  expect(await player.claim("a")).toMatchObject({ try_number: 2, task_reschedule_count: 0 });
});

test("why a waiting task does not run is told by name", async () => {
  const run = await start(dag("a, b, c"));
  const [a, b, c] = [await player.claim("a"), await player.claim("b"), await player.claim("c")];
  await player.finish(a, deferral("some.Trigger", {}, 10));
  await ask(b);
  await player.finish(b, input(null));
  await player.finish(c, { kind: "up_for_reschedule", reschedule_date: world.clock.now() + 1000 });
  const why = async (task_id: string) =>
    (await world.store.blockingReasons({ dag_id: "d", run_id: run, task_id, map_index: -1 })) ?? [];
  expect(await why("a")).toMatchObject([
    { reason: expect.stringMatching(/^Waits for trigger some.Trigger, until 20/) },
  ]);
  expect(await why("b")).toEqual([{ name: "Awaiting Input", reason: 'Waits for an answer to "Go on?".' }]);
  expect(await why("c")).toMatchObject([{ name: "Ready To Reschedule" }]);
});

test("an answer resumes the task once, and nobody else's does", async () => {
  await start(dag("a"));
  const claim = await player.claim("a");
  await ask(claim, null, ["ann"]);
  await player.finish(claim, input(null));
  expect(await answer(claim.ti_id, "bob")).toEqual({ kind: "rejected", reason: "not_assigned" });
  const responded = await answer(claim.ti_id);
  if (responded.kind !== "responded") throw new Error(responded.reason);
  player.hear(responded.announcement);
  expect(await answer(claim.ti_id)).toEqual({ kind: "rejected", reason: "already_responded" });
  expect((await player.claim("a")).next_kwargs).toEqual({
    event: {
      chosen_options: ["Approve"],
      params_input: { rows: 4 },
      responded_at: new Date(world.clock.now()).toISOString(),
      responded_by_user: { id: "ann", name: "ann" },
      timedout: false,
    },
  });
});

test("an answer that comes before the task waits resumes it as soon as it does", async () => {
  await start(dag("a"));
  const claim = await player.claim("a");
  await ask(claim);
  expect(await answer(claim.ti_id)).toMatchObject({ kind: "responded", announcement: { queued: [] } });
  await player.finish(claim, input(null));
  expect(player.queued()).toEqual(["a"]);
});

test("nobody answers in time: the defaults do, or the task hears of it", async () => {
  await start(dag("a, b"));
  const [a, b] = [await player.claim("a"), await player.claim("b")];
  await ask(a, ["Reject"]);
  await ask(b);
  await player.finish(a, input(10));
  await player.finish(b, input(10));
  world.clock.advance(10_000);
  expect((await resumeDue()).sort()).toEqual(["a", "b"]);
  expect((await player.claim("a")).next_kwargs).toMatchObject({
    event: { chosen_options: ["Reject"], params_input: { rows: 3 }, responded_by_user: null, timedout: true },
  });
  expect((await player.claim("b")).next_kwargs).toMatchObject({ event: { error_type: "timeout" } });
});

test("clearing, marking and timing out a run drop the trigger; its slots stay right", async () => {
  const run = await start(dag("a, b, c", { dagrun_timeout: 100 }));
  const claims = await Promise.all(["a", "b", "c"].map((id) => player.claim(id)));
  for (const claim of claims) await player.finish(claim, deferral("some.Trigger", {}, 1000));
  expect(await rowsOf("trigger")).toBe(3);
  await player.clear(run, ["a"]);
  expect(await rowsOf("trigger")).toBe(2);
  expect(player.queued()).toEqual(["a"]);
  expect(await player.claim("a")).toMatchObject({ try_number: 2, next_method: null });
  await player.mark(run, { task_ids: ["b"] });
  expect(await rowsOf("trigger")).toBe(1);
  world.clock.advance(100_000);
  player.hears(await world.store.timeOutRuns());
  expect(await player.states(run)).toEqual({ a: "skipped", b: "success", c: "skipped" });
  expect(await rowsOf("trigger")).toBe(0);
  await player.expectNoSlotsInUse();
});

test("max_active_tis_per_dag counts a deferred try, and a pool does where it includes deferred ones", async () => {
  await world.sql("INSERT INTO slot_pool VALUES ('small', 1, null, true)");
  await start(
    dag("a, b", {}, { a: { max_active_tis_per_dag: 1, pool: "small" }, b: { pool: "small", priority_weight: 0 } }),
  );
  const first = await player.claim("a");
  await player.trigger("d");
  await player.finish(first, deferral(TIME_DELTA_TRIGGER, { delta: 10 }));
  expect(await player.occupancy()).toMatchObject({ "pool:small": 1, "task:d/a": 1 });
  player.hears(await world.store.enqueueScheduled());
  expect(player.queued()).toEqual([]);
  expect((await world.store.audit()).corrected).toEqual([]);
  world.clock.advance(10_000);
  expect(await resumeDue()).toEqual(["a"]);
  await player.run("a");
  expect(player.queued()).toHaveLength(1);
});

test("a triggerer takes a trigger by lease, reports it once, and an older hold counts for nothing", async () => {
  await start(dag("a, b"));
  await player.finish(await player.claim("a"), deferral("updraft.trigger.mine", { x: 1 }));
  await player.finish(await player.claim("b"), deferral(TIME_DELTA_TRIGGER, { delta: 60 }));
  const [taken, ...others] = await world.store.claimTriggers({ triggerer: "one", capacity: 10, lease_seconds: 10 });
  if (taken === undefined) throw new Error("nothing to run");
  expect(others).toEqual([]);
  expect(taken).toMatchObject({ classpath: "updraft.trigger.mine", kwargs: { x: 1 }, task_id: "a", try_number: 1 });
  const claim = { triggerer: "two", capacity: 10, lease_seconds: 10 };
  expect(await world.store.claimTriggers(claim)).toEqual([]);
  expect(await world.store.keepTriggers("one", [taken], 10)).toEqual([taken.id]);

  await world.sql("UPDATE trigger SET lease_until = clock_timestamp() - interval '1 second' WHERE due_at IS NULL");
  const [again] = await world.store.claimTriggers(claim);
  if (again === undefined) throw new Error("nothing was taken over");
  expect(await world.store.keepTriggers("one", [taken], 10)).toEqual([]);
  const event = { kind: "event", payload: "ready" } as const;
  expect((await world.store.reportTriggers([{ ...taken, end: event }])).accepted).toEqual([]);
  const reported = await world.store.reportTriggers([{ ...again, end: event }]);
  expect(reported.accepted).toEqual([again.id]);
  player.hear(reported.announcement);
  expect((await world.store.reportTriggers([{ ...again, end: event }])).accepted).toEqual([]);
  expect((await player.claim("a")).next_kwargs).toEqual({ mine: 1, event: "ready" });
});

test("a failed trigger fails the try that waits; one that was cleared meanwhile is left alone", async () => {
  const run = await start(dag("a, b"));
  for (const id of ["a", "b"]) await player.finish(await player.claim(id), deferral("updraft.trigger.mine"));
  const held = await world.store.claimTriggers({ triggerer: "one", capacity: 10, lease_seconds: 10 });
  await player.clear(run, ["b"]);
  const end = { kind: "failure", traceback: ["Error: broken"] } as const;
  const { accepted, announcement } = await world.store.reportTriggers(held.map((one) => ({ ...one, end })));
  expect(accepted).toEqual(held.filter(({ task_id }) => task_id === "a").map(({ id }) => id));
  player.hear(announcement);
  expect(await player.claim("a")).toMatchObject({
    next_method: "__fail__",
    next_kwargs: { error: "Trigger failure", traceback: ["Error: broken"] },
  });
  expect(await player.claim("b")).toMatchObject({ try_number: 2, next_method: null });
});

test("a triggerer that stops hands its triggers back", async () => {
  await start(dag("a"));
  await player.finish(await player.claim("a"), deferral("updraft.trigger.mine"));
  const claim = { triggerer: "one", capacity: 1, lease_seconds: 600 };
  expect(await world.store.claimTriggers(claim)).toHaveLength(1);
  await world.store.releaseTriggers("one");
  expect(await world.store.claimTriggers({ ...claim, triggerer: "two" })).toHaveLength(1);
});

test("a task that starts from a trigger goes straight to deferred, and so does its retry", async () => {
  const start_from_trigger = {
    classpath: TIME_DELTA_TRIGGER,
    kwargs: { delta: 5 },
    timeout: null,
    next_method: "done",
    next_kwargs: { a: 1 },
  };
  const run = await start(dag("a > b", {}, { b: { start_from_trigger, retries: 1, retry_delay: 0 } }));
  await player.run("a");
  expect(await player.states(run)).toEqual({ a: "success", b: "deferred" });
  expect(player.queued()).toEqual([]);
  expect(await player.occupancy()).toMatchObject({ "task:d/b": 1 });
  const deferredAt = world.clock.now();
  world.clock.advance(5000);
  expect(await resumeDue()).toEqual(["b"]);
  const claim = await player.claim("b");
  expect(claim).toMatchObject({ try_number: 1, next_method: "done", next_kwargs: { a: 1 }, start_date: deferredAt });
  await player.finish(claim, player.failure());
  world.clock.advance(1);
  expect(player.hears(await world.store.startDueRetries())).toEqual([]);
  expect(await player.states(run)).toEqual({ a: "success", b: "deferred" });
  world.clock.advance(5000);
  expect(await resumeDue()).toEqual(["b"]);
  const second = await player.claim("b");
  expect(second.try_number).toBe(2);
  await player.finish(second, { kind: "success", xcoms: [] });
  expect(await player.runState(run)).toBe("success");
  await player.expectNoSlotsInUse();
});

test("a paused DAG's event is kept: the task waits as scheduled until it goes on", async () => {
  const run = await start(dag("a"));
  await player.finish(await player.claim("a"), deferral(TIME_DELTA_TRIGGER, { delta: 1 }));
  await world.store.setDagPaused("d", true);
  world.clock.advance(1000);
  expect(await resumeDue()).toEqual([]);
  expect(await player.states(run)).toEqual({ a: "scheduled" });
  await world.store.setDagPaused("d", false);
  expect(player.hears(await world.store.enqueueScheduled())).toEqual(["a"]);
  expect(await player.claim("a")).toMatchObject({ try_number: 1, next_method: "execute_complete" });
});

test("a run in which everything waits is no deadlock", async () => {
  const run = await start(dag("a > b"));
  await player.finish(await player.claim("a"), deferral("some.Trigger"));
  world.clock.advance(3_600_000);
  expect((await world.store.audit()).corrected).toEqual([]);
  expect(await player.runState(run)).toBe("running");
});
