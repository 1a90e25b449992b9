/** Airflow's rules for task instances and runs, on real Postgres: setups, the run before, the end of a run. */
import type { SerializedDag } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Player } from "./player.ts";

const SETUP = { is_setup: true };
const TEARDOWN = { is_teardown: true, trigger_rule: "all_done_setup_success" as const };
const DAY = 86_400_000;

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore();
  player = new Player(world);
});
afterEach(() => world.close());

async function save(form: SerializedDag): Promise<void> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
}

async function start(form: SerializedDag): Promise<string> {
  await save(form);
  return player.trigger(form.dag_id);
}

/** A run for a logical date so many days ago. */
async function triggerFor(daysAgo: number): Promise<string> {
  const logical_date = world.clock.now() - daysAgo * DAY;
  const result = await world.store.triggerDagRun({ ...triggerRequest("d"), logical_date });
  if (result.kind === "rejected") throw new Error(result.message);
  player.hear(result.announcement);
  return result.dag_run.run_id;
}

/** Runs everything that is queued now, all at once, with a look of the scheduler beside it; how many tasks it ran. */
async function work(): Promise<number> {
  const queued = player.queued();
  await Promise.all([look(), ...queued.map((id) => player.run(id))]);
  return queued.length;
}

/** What the scheduler looks at again; the tasks that it queued. */
async function look(): Promise<string[]> {
  return player.hears(await world.store.lookAtRuns());
}

describe("Airflow's cases", () => {
  test("case 1: a failure that an all_done leaf cleans up after is a success", async () => {
    const run = await start(dag("a > b", {}, { b: { trigger_rule: "all_done" } }));
    await player.run("a", player.failure());
    await player.run("b");
    expect([await player.runState(run), await player.states(run)]).toEqual(["success", { a: "failed", b: "success" }]);
  });

  test("case 2: upstream_failed is not done for one_done, and a skipped leaf is a success", async () => {
    const run = await start(dag("a > b > c", {}, { c: { trigger_rule: "one_done" } }));
    await player.run("a", player.failure());
    expect([await player.runState(run), await player.states(run)]).toEqual([
      "success",
      { a: "failed", b: "upstream_failed", c: "skipped" },
    ]);
  });

  test("case 3: none_failed_min_one_success runs with one skipped, and is skipped with all of them", async () => {
    const form = dag("x > j, y > j", {}, { j: { trigger_rule: "none_failed_min_one_success" } });
    const one = await start(form);
    await player.run("x", { kind: "skipped", reason: null });
    await player.run("y");
    await player.run("j");
    const both = await player.trigger("d");
    await player.run("x", { kind: "skipped", reason: null });
    await player.run("y", { kind: "skipped", reason: null });
    expect([(await player.states(one)).j, (await player.states(both)).j]).toEqual(["success", "skipped"]);
  });

  test("case 8: clearing after the last try allows as many tries as the task has retries, plus one", async () => {
    const run = await start(dag("a", {}, { a: { retries: 1, retry_delay: 0 } }));
    await player.run("a", player.failure());
    player.hears(await world.store.startDueRetries());
    await player.run("a", player.failure());
    await player.clear(run, ["a"]);
    player.hears(await world.store.startQueuedRuns());
    const third = await player.claim("a");
    expect([third.try_number, third.max_tries]).toEqual([3, 3]);
    await player.finish(third, player.failure());
    player.hears(await world.store.startDueRetries());
    await player.run("a", player.failure());
    expect([await player.runState(run), await player.states(run)]).toEqual(["failed", { a: "failed" }]);
  });

  test("case 13: with max_active_runs 1 the second of two manual runs stays queued", async () => {
    await save(dag("a", { max_active_runs: 1 }));
    const runs = [await player.trigger("d"), await player.trigger("d")];
    expect(await Promise.all(runs.map((run) => player.runState(run)))).toEqual(["running", "queued"]);
  });

  test("case 14: depends_on_past on a failed instance: no state, the run goes on and is no deadlock", async () => {
    await save(dag("a > b", {}, { a: { depends_on_past: true } }));
    const first = await triggerFor(2);
    await player.run("a", player.failure());
    expect(await player.runState(first)).toBe("failed");
    const second = await triggerFor(1);
    await look();
    expect([await player.runState(second), await player.states(second)]).toEqual(["running", { a: null, b: null }]);
    world.clock.advance(60_000);
    expect((await world.store.audit()).corrected).toEqual([]);
    expect(await player.runState(second)).toBe("running");
  });

  test("case 15: a failed setup: work and teardown are upstream_failed, and the work fails the run", async () => {
    const run = await start(dag("s > work > t, s > t", {}, { s: SETUP, t: TEARDOWN }));
    await player.run("s", player.failure());
    expect([await player.runState(run), await player.states(run)]).toEqual([
      "failed",
      { s: "failed", work: "upstream_failed", t: "upstream_failed" },
    ]);
  });

  test("case 16: marking a failed task as success clears what it failed, and the run is queued", async () => {
    const run = await start(dag("a > b"));
    await player.run("a", player.failure());
    await player.mark(run, { task_ids: ["a"] });
    expect([await player.runState(run), await player.states(run)]).toEqual(["queued", { a: "success", b: null }]);
  });
});

describe("setups and teardowns", () => {
  test("the teardown runs after failed work, and its own failure doesn't fail the run", async () => {
    const run = await start(dag("s > work > t, s > t", {}, { s: SETUP, t: TEARDOWN }));
    await player.run("s");
    await player.run("work");
    await player.run("t", player.failure());
    expect(await player.runState(run)).toBe("success");
  });

  test("a teardown with on_failure_fail_dagrun fails the run", async () => {
    const teardown = { ...TEARDOWN, on_failure_fail_dagrun: true };
    const run = await start(dag("s > work > t, s > t", {}, { s: SETUP, t: teardown }));
    await player.run("s");
    await player.run("work");
    await player.run("t", player.failure());
    expect(await player.runState(run)).toBe("failed");
  });

  test("a teardown waits for a task between its setup and itself that is no direct upstream of it", async () => {
    const c = { trigger_rule: "one_success" as const };
    await start(dag("s > a > c, s > b > c, c > t, s > t", {}, { s: SETUP, t: TEARDOWN, c }));
    await player.run("s");
    await player.run("a");
    await player.run("c");
    expect(player.queued()).toEqual(["b"]);
    await player.run("b");
    expect(player.queued()).toEqual(["t"]);
  });

  test("a setup further up holds back a task whose own rule is met, until it succeeds", async () => {
    const w2 = { trigger_rule: "one_success" as const };
    await start(dag("s > w1 > w2 > t, x > w2, s > t", {}, { s: SETUP, t: TEARDOWN, w2 }));
    await player.run("x");
    expect(player.queued()).toEqual(["s"]);
    await player.run("s");
    expect(player.queued()).toEqual(["w1", "w2"]);
  });

  test("a failed setup ends a task further down at once, though its rule would wait", async () => {
    const w2 = { trigger_rule: "all_done" as const };
    const run = await start(dag("s > w1 > w2 > t, x > w2, s > t", {}, { s: SETUP, t: TEARDOWN, w2 }));
    await player.run("s", player.failure());
    expect((await player.states(run)).w2).toBe("upstream_failed");
    expect(player.queued()).toEqual(["x"]);
  });
});

test("fail_fast ends the rest of the run, but never a teardown", async () => {
  const t2 = { ...TEARDOWN, trigger_rule: "all_success" as const };
  const run = await start(
    dag("s > a > t, s > b > t, s > t, a > t2", { fail_fast: true }, { s: SETUP, t: TEARDOWN, t2 }),
  );
  await player.run("s");
  await player.claim("b");
  await player.run("a", player.failure());
  expect(await player.states(run)).toEqual({
    s: "success",
    a: "failed",
    b: "failed",
    t: "queued",
    t2: "upstream_failed",
  });
  await player.run("t");
  expect(await player.runState(run)).toBe("failed");
});

describe("the run before", () => {
  test("wakes the next run when its instance succeeds, is skipped or is marked", async () => {
    await save(dag("a", {}, { a: { depends_on_past: true } }));
    const first = await triggerFor(3);
    const second = await triggerFor(2);
    const third = await triggerFor(1);
    expect(player.queued()).toEqual(["a"]);
    await player.run("a", player.failure());
    expect(await look()).toEqual([]);
    await player.mark(first, { task_ids: ["a"] });
    expect(await look()).toEqual(["a"]);
    await player.run("a", { kind: "skipped", reason: null });
    expect(await look()).toEqual(["a"]);
    await player.run("a");
    expect([await player.runState(second), await player.runState(third)]).toEqual(["success", "success"]);
  });

  test("the end that lets the next run go on tells the scheduler", async () => {
    await save(dag("a", {}, { a: { depends_on_past: true } }));
    await triggerFor(2);
    await triggerFor(1);
    await look();
    const claim = await player.claim("a");
    const ended = await world.store.finishTry(player.finishRequest(claim, { kind: "success", xcoms: [] }));
    expect(ended).toMatchObject({ kind: "finished", announcement: { wake_scheduler: true } });
    const looks = await world.sql("SELECT task_ids, of_next FROM run_look");
    expect(looks).toEqual([{ task_ids: ["a"], of_next: true }]);
  });

  test("a run goes on when the one that held it back is deleted", async () => {
    await save(dag("a", {}, { a: { depends_on_past: true } }));
    await triggerFor(3);
    await player.run("a");
    const failing = await triggerFor(2);
    await player.run("a", player.failure());
    await triggerFor(1);
    expect(await look()).toEqual([]);
    expect(await world.store.deleteDagRun("d", failing)).toMatchObject({ wake_scheduler: true });
    expect(await look()).toEqual(["a"]);
  });

  test("a run that is created while the run before ends is not forgotten", async () => {
    await save(dag("a", {}, { a: { depends_on_past: true } }));
    await triggerFor(2);
    const claim = await player.claim("a");
    const [second] = await Promise.all([triggerFor(1), player.finish(claim, { kind: "success", xcoms: [] })]);
    await look();
    expect(player.queued()).toEqual(["a"]);
    await player.run("a");
    expect(await player.runState(second)).toBe("success");
  });

  test("no wake-up is lost where runs are created and end at the same time", async () => {
    await save(dag("a", { max_active_runs: 40 }, { a: { depends_on_past: true } }));
    const days = Array.from({ length: 24 }, (_, index) => index + 1);
    const runs = await Promise.all([...days.map(triggerFor), ...days.map(async () => work())].slice(0, 48));
    for (let round = 0; round < 60 && (await work()) + (await look()).length > 0; round += 1);
    const names = runs.filter((run) => typeof run === "string");
    expect(await Promise.all(names.map((run) => player.runState(run)))).toEqual(days.map(() => "success"));
  });

  test("the first run of a backfill needs no run before it", async () => {
    await save(dag("a", {}, { a: { depends_on_past: true } }));
    await triggerFor(2);
    await player.run("a", player.failure());
    const first = await triggerFor(1);
    await look();
    expect((await player.states(first)).a).toBe(null);
    await world.sql("UPDATE dag_run SET sort_ordinal = 1 WHERE run_id = $1", [first]);
    await world.store.setDagPaused("d", false);
    expect(await look()).toEqual(["a"]);
  });

  test("wait_for_downstream waits for the direct successors of the instance before", async () => {
    await save(dag("a > b > c", {}, { a: { depends_on_past: true, wait_for_downstream: true } }));
    await triggerFor(2);
    await player.run("a");
    const second = await triggerFor(1);
    expect([await look(), await player.states(second)]).toEqual([[], { a: null, b: null, c: null }]);
    await player.run("b");
    expect(await look()).toEqual(["a"]);
    expect(player.queued()).toEqual(["a", "c"]);
  });

  test("a task that is new has no instance in the run before: ignore_first_depends_on_past decides", async () => {
    await save(dag("old"));
    await triggerFor(2);
    await player.run("old");
    const patient = { depends_on_past: true };
    const b = { depends_on_past: true, ignore_first_depends_on_past: true };
    await save(dag("a, b", {}, { a: patient, b }));
    const run = await triggerFor(1);
    expect(player.queued()).toEqual(["b"]);
    const reasons = await world.store.blockingReasons({ dag_id: "d", run_id: run, task_id: "a", map_index: -1 });
    expect(reasons?.map(({ reason }) => reason)).toEqual([expect.stringContaining("has no instance of it")]);
  });

  test("with catch-up a manual run is nobody's run before", async () => {
    await save(dag("a", { catchup: true }, { a: { depends_on_past: true } }));
    await triggerFor(2);
    await player.run("a", player.failure());
    await triggerFor(1);
    expect(player.queued()).toEqual(["a"]);
  });

  test("a skip is withheld until the run before allows the task", async () => {
    const patient = { depends_on_past: true, wait_for_past_depends_before_skipping: true };
    await save(dag("a > b", {}, { b: patient }));
    await triggerFor(2);
    await player.run("a");
    const second = await triggerFor(1);
    await player.run("a", { kind: "skipped", reason: null });
    expect(await player.states(second)).toEqual({ a: "skipped", b: null });
    await player.run("b");
    await look();
    expect(await player.states(second)).toEqual({ a: "skipped", b: "skipped" });
  });
});

describe("the end of a run", () => {
  test("a run with a logical date to come runs nothing before it", async () => {
    await save(dag("a"));
    const run = await triggerFor(-1);
    expect([await player.runState(run), player.queued()]).toEqual(["running", []]);
    await world.store.createDueRuns();
    expect(await world.store.nextDueAt()).toBe(world.clock.now() + DAY);
    world.clock.advance(DAY);
    expect(await look()).toEqual(["a"]);
  });

  test("a DAG without tasks is a success, and so is one of empty tasks, without a worker", async () => {
    const none = await start(dag(""));
    expect(await player.runState(none)).toBe("success");
    const empty = { is_empty: true };
    const run = await start(dag("a > b > c", {}, { a: empty, b: empty, c: empty }));
    expect([player.queued(), await player.runState(run)]).toEqual([[], "success"]);
  });

  test("an empty task of a paused DAG waits, and goes on when the DAG does", async () => {
    const run = await start(dag("a > b", {}, { b: { is_empty: true } }));
    await world.store.setDagPaused("d", true);
    await player.run("a");
    expect(await player.states(run)).toEqual({ a: "success", b: null });
    await world.store.setDagPaused("d", false);
    await look();
    expect([await player.states(run), await player.runState(run)]).toEqual([{ a: "success", b: "success" }, "success"]);
  });

  test("a run in which nothing can happen any more fails when that arises", async () => {
    const run = await start(dag("x > j, y > j, z", {}, { j: { trigger_rule: "all_skipped" } }));
    await player.run("x", { kind: "removed", reason: null });
    await player.run("y", { kind: "skipped", reason: null });
    expect(await player.runState(run)).toBe("running");
    await player.run("z");
    expect(await player.runState(run)).toBe("failed");
    const causes = await world.sql("SELECT cause FROM dag_run");
    expect(causes).toEqual([{ cause: "None of 1 unfinished task instances can ever run" }]);
  });

  test("max_consecutive_failed_dag_runs pauses the DAG and says why", async () => {
    await save(dag("a", { max_consecutive_failed_dag_runs: 2 }));
    await player.trigger("d");
    await player.run("a", player.failure());
    expect((await world.store.getDag("d"))?.row.is_paused).toBe(false);
    await player.trigger("d");
    await player.run("a", player.failure());
    expect((await world.store.getDag("d"))?.row.is_paused).toBe(true);
    const causes = await world.sql("SELECT pause_cause FROM dag");
    expect(causes).toEqual([{ pause_cause: "The last 2 runs failed (max_consecutive_failed_dag_runs)" }]);
  });

  test("a success in between keeps the DAG going", async () => {
    await save(dag("a", { max_consecutive_failed_dag_runs: 2 }));
    for (const outcome of [player.failure(), { kind: "success" as const, xcoms: [] }, player.failure()]) {
      await player.trigger("d");
      await player.run("a", outcome);
    }
    expect((await world.store.getDag("d"))?.row.is_paused).toBe(false);
  });

  test("a task has no instance before its start or after its end, and successors don't wait for it", async () => {
    const now = world.clock.now();
    await save(dag("early > b, late > b", {}, { early: { end_date: now - 2 * DAY }, late: { start_date: now } }));
    const run = await triggerFor(1);
    expect([await player.states(run), player.queued()]).toEqual([{ b: "queued" }, ["b"]]);
    await player.run("b");
    expect(await player.runState(run)).toBe("success");
  });
});
