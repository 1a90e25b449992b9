/** Clearing by section 18 of Airflow's rules, on real Postgres. */
import type { SerializedDag } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { at, dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TriggerRequest } from "../src/index.ts";
import { Player } from "./player.ts";

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ parallelism: 8 });
  player = new Player(world);
});
afterEach(() => world.close());

async function save(form: SerializedDag): Promise<void> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
}

async function trigger(overrides: Partial<TriggerRequest> = {}): Promise<string> {
  const result = await world.store.triggerDagRun(triggerRequest("d", overrides));
  if (result.kind === "rejected") throw new Error(result.message);
  player.hear(result.announcement);
  return result.dag_run.run_id;
}

async function start(form: SerializedDag): Promise<string> {
  await save(form);
  return trigger();
}

async function instance(runId: string, taskId: string) {
  const row = await world.store.getTaskInstance({ dag_id: "d", run_id: runId, task_id: taskId, map_index: -1 });
  if (row === null) throw new Error(`no instance of ${taskId}`);
  return row;
}

async function goOn(): Promise<void> {
  player.hears(await world.store.startQueuedRuns());
}

describe("what is selected", () => {
  test("directions start from the named task", async () => {
    const run = await start(dag("a > b > c, a > d"));
    for (const id of ["a", "b", "d", "c"]) await player.run(id);
    expect(await player.clear(run, ["b"], { include_downstream: true, dry_run: true })).toEqual(["b", "c"]);
    expect(await player.clear(run, ["b"], { include_upstream: true, dry_run: true })).toEqual(["a", "b"]);
    expect(await player.runState(run)).toBe("success");
  });

  test("setups and teardowns run again with the task between them", async () => {
    const run = await start(dag("s > w > t, s > t", {}, { s: { is_setup: true }, t: { is_teardown: true } }));
    for (const id of ["s", "w", "t"]) await player.run(id);
    expect((await player.clear(run, ["w"], { dry_run: true })).sort()).toEqual(["s", "t", "w"]);
  });

  test("only_failed takes failed and upstream_failed, only_running what runs", async () => {
    const run = await start(dag("a > b, c, d"));
    await player.run("a", player.failure());
    await player.run("c");
    await player.claim("d");
    expect((await player.clear(run, null, { only_failed: true, dry_run: true })).sort()).toEqual(["a", "b"]);
    expect(await player.clear(run, null, { only_running: true, dry_run: true })).toEqual(["d"]);
  });

  test("past and future follow logical dates, and need one", async () => {
    await save(dag("a"));
    const days = [1, 2, 3].map((day) => at(`2026-03-0${day}T00:00:00Z`));
    const runs: string[] = [];
    for (const logical_date of days) runs.push(await trigger({ logical_date }));
    const without = await trigger();
    for (let n = 0; n < 4; n += 1) await player.run("a");
    const cleared = async (past: boolean, future: boolean) => {
      const flags = { include_past: past, include_future: future, dry_run: true };
      const result = await player.tryClear(runs[1] ?? "", ["a"], flags);
      return result.kind === "cleared" ? result.task_instances.map(({ run_id }) => runs.indexOf(run_id)) : result;
    };
    expect(await cleared(true, false)).toEqual([0, 1]);
    expect(await cleared(false, true)).toEqual([1, 2]);
    expect(await cleared(true, true)).toEqual([0, 1, 2]);
    expect(await player.tryClear(without, ["a"], { include_past: true })).toMatchObject({ kind: "bad_request" });
  });

  test("a range of dates without a run means the runs in it", async () => {
    await save(dag("a"));
    for (const day of [1, 2, 3]) await trigger({ logical_date: at(`2026-03-0${day}T00:00:00Z`) });
    const range = { start_date: at("2026-03-02T00:00:00Z"), end_date: at("2026-03-03T00:00:00Z"), dry_run: true };
    expect(await player.clear(null, null, range)).toEqual(["a", "a"]);
  });
});

describe("what happens to the instance", () => {
  test("retries 1, cleared after its second try failed: max_tries 3 and two more tries", async () => {
    const run = await start(dag("a", {}, { a: { retries: 1, retry_delay: 0 } }));
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await player.run("a", player.failure());
      if (attempt === 2) {
        expect(await player.runState(run)).toBe("failed");
        await player.clear(run, ["a"]);
        expect(await instance(run, "a")).toMatchObject({ state: null, max_tries: 3, start_date: null });
        await goOn();
      } else if (attempt < 4) {
        expect(player.hears(await world.store.startDueRetries()), `after try ${attempt}`).toEqual(["a"]);
      }
    }
    expect(await instance(run, "a")).toMatchObject({ state: "failed", try_number: 4 });
    const tries = await world.store.listTries({ dag_id: "d", run_id: run, task_id: "a", map_index: -1 });
    expect(tries.map(({ try_number, state }) => `${try_number} ${state}`)).toEqual([
      "1 up_for_retry",
      "2 failed",
      "3 up_for_retry",
      "4 failed",
    ]);
  });

  test("prevent_running_task refuses, and nothing is cleared", async () => {
    const run = await start(dag("a, b"));
    await player.run("a");
    await player.claim("b");
    const refused = await player.tryClear(run, null, { prevent_running_task: true });
    expect(refused).toEqual({ kind: "task_running", task_id: "b", run_id: run });
    expect(await player.states(run)).toEqual({ a: "success", b: "running" });
  });

  test("values kept over tries are dropped, unless keep_task_state", async () => {
    const run = await start(dag("a"));
    await player.run("a");
    const address = { dag_id: "d", run_id: run, task_id: "a", map_index: -1, key: "offset" };
    await world.store.setTaskState(address, 7, null);
    await player.clear(run, ["a"], { keep_task_state: true });
    expect(await world.store.getTaskState(address)).toBe(7);
    await player.clear(run, ["a"]);
    expect(await world.store.getTaskState(address)).toBeUndefined();
  });

  test("XComs of the cleared task go, those of others stay", async () => {
    const run = await start(dag("a > b"));
    for (const id of ["a", "b"]) await player.run(id, { kind: "success", xcoms: [{ key: "return_value", value: id }] });
    await player.clear(run, ["b"]);
    const { rows } = await world.store.listXComs({ dag_id: "d", run_id: run }, { limit: 9, offset: 0, order_by: [] });
    expect(rows.map(({ task_id }) => task_id)).toEqual(["a"]);
  });
});

describe("what happens to the run", () => {
  test("a finished run waits in the queue again with a new clear_number", async () => {
    const run = await start(dag("a"));
    await player.run("a");
    world.clock.advance(1000);
    await player.clear(run, null);
    expect(await world.store.getDagRun("d", run)).toMatchObject({
      ...{ state: "queued", clear_number: 1, start_date: null, end_date: null },
      queued_at: world.clock.now(),
    });
  });

  test("a running run keeps its state, and counts the clear", async () => {
    const run = await start(dag("a, b"));
    await player.run("a");
    const before = await world.store.getDagRun("d", run);
    world.clock.advance(1000);
    await player.clear(run, ["a"]);
    expect(player.queued()).toEqual(["a", "b"]);
    expect(await world.store.getDagRun("d", run)).toMatchObject({
      ...{ state: "running", clear_number: 1, start_date: before?.start_date },
      queued_at: world.clock.now(),
    });
  });

  test("without reset_dag_runs a finished run does not execute what was cleared", async () => {
    const run = await start(dag("a"));
    await player.run("a");
    await player.clear(run, null, { reset_dag_runs: false });
    await goOn();
    expect(player.queued()).toEqual([]);
    expect([await player.runState(run), await player.states(run)]).toEqual(["success", { a: null }]);
  });
});

describe("versions", () => {
  async function changedRun(form: Partial<SerializedDag> = {}): Promise<string> {
    const run = await start(dag("a > b"));
    for (const id of ["a", "b"]) await player.run(id);
    await save(dag("a > c", form));
    return run;
  }
  const versionOf = async (run: string) => (await world.store.getDagRun("d", run))?.dag_version_number;

  test("a run stays on its version unless the request, the DAG or the configuration says otherwise", async () => {
    const run = await changedRun();
    await player.clear(run, null);
    expect([await versionOf(run), await player.states(run)]).toEqual([1, { a: null, b: null }]);
  });

  test("run_on_latest_version moves the run and its instances", async () => {
    const run = await changedRun();
    await player.clear(run, null, { run_on_latest_version: true });
    expect([await versionOf(run), await player.states(run)]).toEqual([2, { a: null, b: "removed", c: null }]);
    await goOn();
    await player.run("a");
    await player.run("c");
    expect(await player.runState(run)).toBe("success");
    await player.expectNoSlotsInUse();
  });

  test("what the newer version removed stays so when the run is queued again", async () => {
    const run = await changedRun();
    await player.clear(run, null, { run_on_latest_version: true });
    await world.store.patchDagRun("d", run, { state: "queued" });
    expect(await player.states(run)).toEqual({ a: null, b: "removed", c: null });
  });

  test("the DAG's rerun_with_latest_version counts where the request says nothing", async () => {
    const run = await changedRun({ rerun_with_latest_version: true });
    await player.clear(run, null, { run_on_latest_version: false });
    expect(await versionOf(run)).toBe(1);
    await player.clear(run, null);
    expect(await versionOf(run)).toBe(2);
  });

  test("only_new queues the tasks that the newest version added, and clears nothing", async () => {
    const run = await changedRun();
    const preview = await player.tryClear(run, null, { only_new: true, dry_run: true });
    expect(preview).toMatchObject({ kind: "cleared", task_instances: [], new_tasks: ["c"] });
    await player.clear(run, null, { only_new: true });
    await goOn();
    expect(await player.states(run)).toEqual({ a: "success", b: "removed", c: "queued" });
    await player.run("c");
    expect(await player.runState(run)).toBe("success");
  });
});

test("10,000 instances are cleared in transactions of bounded size", { timeout: 120_000 }, async () => {
  const ids = Array.from({ length: 2500 }, (_, index) => `t${index}`);
  await save(dag(ids.join(", ")));
  const runs: string[] = [];
  for (let n = 0; n < 4; n += 1) runs.push(await trigger());
  await world.sql(`UPDATE task_instance SET state = 'success', try_number = 1`);
  await world.sql(`UPDATE dag_run SET state = 'success', unfinished = 0`);
  await world.sql("UPDATE occupancy SET used = 0");
  const begun = performance.now();
  expect(await player.clear(null, null)).toHaveLength(10_000);
  console.info(`10,000 instances cleared in ${Math.round(performance.now() - begun)} ms`);
  const written = await world.sql<{ rows: string }>("SELECT count(*) AS rows FROM task_instance GROUP BY xmin");
  expect(Math.max(...written.map(({ rows }) => Number(rows)))).toBeLessThanOrEqual(1000);
  const left = await world.sql("SELECT state FROM task_instance WHERE state IS NOT NULL");
  expect(left).toEqual([]);
  expect(await Promise.all(runs.map((run) => player.runState(run)))).toEqual(runs.map(() => "queued"));
  expect((await world.store.audit()).corrected).toEqual([]);
});
