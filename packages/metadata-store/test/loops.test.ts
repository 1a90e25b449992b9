/** Loops of task groups on real Postgres: gates, iterations, limits, clears. */
import type { JsonValue, SerializedLoop } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { dag, group } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TryOutcome } from "../src/index.ts";
import { Player } from "./player.ts";

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ parallelism: 8 });
  player = new Player(world);
});
afterEach(() => world.close());

const returning = (value: JsonValue): TryOutcome => ({ kind: "success", xcoms: [{ key: "return_value", value }] });
const HOLDS = returning(true);
const NOT_YET = returning(false);

function loop(overrides: Partial<SerializedLoop> = {}): SerializedLoop {
  return { gate_task_id: "gate", result_task_id: "b", max_iterations: 3, has_condition: true, ...overrides };
}

/** `before > a > b > gate > after`; `never` comes after the gate as well, but only where it failed. */
async function start(overrides: Partial<SerializedLoop> = {}, tasks: Parameters<typeof dag>[2] = {}): Promise<string> {
  const children = [{ task_id: "a" }, { task_id: "b" }, { task_id: "gate" }];
  const form = dag(
    "before > a > b > gate > after, gate > never",
    {
      is_paused_upon_creation: false,
      task_group: group(null, [{ group: group("g", children, { loop: loop(overrides) }) }]),
    },
    { never: { trigger_rule: "all_failed" }, ...tasks },
  );
  await world.store.saveParsedFile(parsedFile([form]));
  const run = await player.trigger("d");
  await player.run("before");
  return run;
}

async function iterate(result: JsonValue, verdict: TryOutcome): Promise<void> {
  await player.run("a");
  await player.run("b", returning(result));
  await player.run("gate", verdict);
}

async function triesOf(run: string, taskId: string): Promise<string[]> {
  const tries = await world.store.listTries({ dag_id: "d", run_id: run, task_id: taskId, map_index: -1 });
  return tries.map(({ try_number, state }) => `${try_number} ${state}`);
}

test("runs the group again until the gate says that it is done, and only then what follows", async () => {
  const run = await start();
  await iterate(1, NOT_YET);
  expect(await player.states(run)).toMatchObject({ a: "queued", b: null, gate: null, after: null, never: null });
  expect(player.queued()).toEqual(["a"]);
  await iterate(2, HOLDS);
  await player.run("after");
  expect(await player.states(run)).toEqual({
    ...{ before: "success", a: "success", b: "success", gate: "success", after: "success", never: "skipped" },
  });
  expect(await player.runState(run)).toBe("success");
  expect(await triesOf(run, "gate")).toEqual(["1 success", "2 success"]);
  expect(await triesOf(run, "before")).toEqual(["1 success"]);
  await player.expectNoSlotsInUse();
});

test("tells each task the iteration and the result of the one before", async () => {
  const run = await start();
  const first = await player.claim("a");
  expect(first.loop).toEqual({ index: 0, max_iterations: 3, previous: null });
  await player.finish(first, { kind: "success", xcoms: [] });
  await player.run("b", returning({ sum: 1 }));
  await player.run("gate", NOT_YET);
  const second = await player.claim("a");
  expect(second.loop).toEqual({ index: 1, max_iterations: 3, previous: { sum: 1 } });
  await player.finish(second, { kind: "success", xcoms: [] });
  await player.run("b", returning({ sum: 2 }));
  const gate = await player.claim("gate");
  expect(gate.loop?.index).toBe(1);
  await player.finish(gate, NOT_YET);
  expect((await player.claim("a")).loop).toEqual({ index: 2, max_iterations: 3, previous: { sum: 2 } });
  expect(await player.runState(run)).toBe("running");
});

test("a gate that still says no at the limit fails without another try", async () => {
  const run = await start({ max_iterations: 2 }, { gate: { retries: 5 } });
  await iterate(1, NOT_YET);
  await iterate(2, NOT_YET);
  expect(await player.states(run)).toMatchObject({ gate: "failed", after: "upstream_failed", never: "queued" });
  expect(await triesOf(run, "gate")).toEqual(["1 success", "2 failed"]);
  const row = await world.store.getTaskInstance({ dag_id: "d", run_id: run, task_id: "gate", map_index: -1 });
  expect(row?.cause).toContain("the condition of loop g did not hold after 2 iterations");
});

test("without a condition it counts to the limit and succeeds", async () => {
  const run = await start({ max_iterations: 2, has_condition: false });
  await iterate(1, NOT_YET);
  await iterate(2, NOT_YET);
  expect(await player.states(run)).toMatchObject({ gate: "success", after: "queued", never: "skipped" });
});

test("a failure in an iteration ends the loop; a retry stays in its iteration", async () => {
  const run = await start({}, { a: { retries: 1, retry_delay: 0 } });
  await iterate(1, NOT_YET);
  await player.run("a", player.failure());
  player.hears(await world.store.startDueRetries());
  const again = await player.claim("a");
  expect(again.loop).toMatchObject({ index: 1, previous: 1 });
  await player.finish(again, { kind: "success", xcoms: [] });
  await player.run("b", player.failure());
  expect(await player.states(run)).toMatchObject({ b: "failed", gate: "upstream_failed", after: "upstream_failed" });
});

test("a gate that a person marks as success begins no iteration", async () => {
  const run = await start();
  await player.run("a");
  await player.run("b", returning(1));
  await player.mark(run, { task_ids: ["gate"], state: "success" });
  expect(await player.states(run)).toMatchObject({ a: "success", gate: "success", after: "queued" });
});

test("clearing a part stays in the iteration, clearing the whole loop begins it again", async () => {
  const run = await start();
  await iterate(1, NOT_YET);
  await iterate(2, HOLDS);
  await player.clear(run, ["b"], { include_downstream: true });
  const partly = await player.claim("b");
  expect(partly.loop).toMatchObject({ index: 1, previous: 1 });
  await player.finish(partly, returning(3));
  await player.run("gate", HOLDS);
  await player.clear(run, ["a"], { include_downstream: true });
  expect((await player.claim("a")).loop).toEqual({ index: 0, max_iterations: 3, previous: null });
});

test("a mapped last task gives the next iteration the list of its results", async () => {
  const run = await start(
    {},
    { b: { expand: { kind: "product", inputs: [{ name: "n", source: { kind: "literal", value: [1, 2] } }] } } },
  );
  await player.run("a");
  await player.run("b[0]", returning("x"));
  await player.run("b[1]", returning("y"));
  await player.run("gate", NOT_YET);
  expect(await player.states(run)).toMatchObject({ a: "queued", "b[0]": null, "b[1]": null });
  const next = await player.claim("a");
  expect(next.loop?.previous).toEqual(["x", "y"]);
  await player.finish(next, { kind: "success", xcoms: [] });
  expect(player.queued()).toEqual(["b[0]", "b[1]"]);
});

test("what still runs when the gate ends is stopped and runs in the next iteration", async () => {
  const children = [{ task_id: "a" }, { task_id: "slow" }, { task_id: "b" }, { task_id: "gate" }];
  const form = dag(
    "a > b > gate, slow > b",
    {
      is_paused_upon_creation: false,
      task_group: group(null, [{ group: group("g", children, { loop: loop() }) }]),
    },
    { b: { trigger_rule: "one_success" } },
  );
  await world.store.saveParsedFile(parsedFile([form]));
  const run = await player.trigger("d");
  const slow = await player.claim("slow");
  await iterate(1, NOT_YET);
  expect(await player.states(run)).toMatchObject({ a: "queued", slow: "restarting", b: null, gate: null });
  await player.finish(slow, { kind: "success", xcoms: [] });
  expect(player.hears(await world.store.startDueRetries())).toEqual(["slow"]);
  expect((await player.claim("slow")).loop?.index).toBe(1);
});
