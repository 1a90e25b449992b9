/** Dynamic task mapping through the store, on real Postgres. */
import type { ExpandInput, JsonValue, SerializedDag, SerializedTask } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { dag, group } from "@updraft/testkit/dags";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TryOutcome } from "../src/index.ts";
import { Player } from "./player.ts";

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ maxMapLength: 5000 });
  player = new Player(world);
});
afterEach(() => world.close());

const over = (task_id: string, name = "x"): { expand: ExpandInput } => ({
  expand: { kind: "product", inputs: [{ name, source: { kind: "xcom", task_id } }] },
});
const returns = (value: JsonValue): TryOutcome => ({ kind: "success", xcoms: [{ key: "return_value", value }] });

async function start(form: SerializedDag): Promise<string> {
  await world.store.saveParsedFile(parsedFile([{ ...form, is_paused_upon_creation: false }]));
  return player.trigger(form.dag_id);
}

/** `s > g.a > g.b > end`, the group mapped over what s returns. */
function grouped(tasks: Record<string, Partial<SerializedTask>> = {}): SerializedDag {
  const inner = group("g", [{ task_id: "g.a" }, { task_id: "g.b" }], over("s"));
  const task_group = group(null, [{ task_id: "s" }, { group: inner }, { task_id: "end" }]);
  return dag("s > g.a > g.b > end", { task_group }, tasks);
}

async function states(run: string): Promise<string> {
  const found = await player.states(run);
  return Object.entries(found)
    .map(([name, state]) => `${name} ${state}`)
    .sort()
    .join(", ");
}

/** Every counter of the run is what a recount says. */
async function expectTrueCounters(): Promise<void> {
  expect((await world.store.audit()).corrected).toEqual([]);
}

describe("a mapped task", () => {
  test("is one placeholder until its producer has ended, then one instance for each item", async () => {
    const run = await start(dag("s > m > end", {}, { m: over("s") }));
    expect(await states(run)).toBe("end null, m null, s queued");
    await player.run("s", returns(["p", "q", "r"]));
    expect(await states(run)).toBe("end null, m[0] queued, m[1] queued, m[2] queued, s success");
    const claims = await Promise.all(["m[2]", "m[0]", "m[1]"].map((name) => player.claim(name)));
    expect(claims.map(({ map_index, arg_bindings }) => [map_index, arg_bindings])).toEqual([
      [2, [{ name: "x", kind: "literal", value: "r" }]],
      [0, [{ name: "x", kind: "literal", value: "p" }]],
      [1, [{ name: "x", kind: "literal", value: "q" }]],
    ]);
    await Promise.all(claims.map((claim) => player.finish(claim, returns(claim.map_index))));
    await player.run("end");
    expect(await player.runState(run)).toBe("success");
    await player.expectNoSlotsInUse();
    await expectTrueCounters();
  });

  test("over literals expands when the run starts, every combination, the last keyword varying fastest", async () => {
    const literal = (...value: JsonValue[]) => ({ kind: "literal" as const, value });
    const inputs = [
      { name: "x", source: literal(1, 2) },
      { name: "y", source: literal("a", "b") },
    ];
    await start(dag("m", {}, { m: { expand: { kind: "product", inputs } } }));
    const claims = await Promise.all([0, 1, 2, 3].map((index) => player.claim(`m[${index}]`)));
    const pairs = claims.map(({ arg_bindings }) => arg_bindings.map((one) => ("value" in one ? one.value : null)));
    expect(pairs).toEqual([
      [1, "a"],
      [1, "b"],
      [2, "a"],
      [2, "b"],
    ]);
  });

  test("over an empty list is one skipped instance at index -1, and what follows is skipped", async () => {
    const run = await start(dag("s > m > end", {}, { m: over("s") }));
    await player.run("s", returns([]));
    expect(await states(run)).toBe("end skipped, m skipped, s success");
    expect(await player.runState(run)).toBe("success");
  });

  test("over a dict gets pairs of key and value", async () => {
    await start(dag("s > m", {}, { m: over("s") }));
    await player.run("s", returns({ k: 1, l: [2] }));
    expect((await player.claim("m[1]")).arg_bindings).toEqual([{ name: "x", kind: "literal", value: ["l", [2]] }]);
  });

  test("over another mapped task gets the values of those that returned some, when all have ended", async () => {
    const run = await start(
      dag("s > a > b > end", {}, { a: over("s"), b: { ...over("a"), trigger_rule: "all_done" } }),
    );
    await player.run("s", returns([1, 2, 3]));
    await player.run("a[2]", returns("c"));
    await player.run("a[0]", returns("a"));
    expect(player.queued()).toEqual(["a[1]"]);
    await player.run("a[1]", { kind: "skipped", reason: null });
    expect(player.queued()).toEqual(["b[0]", "b[1]"]);
    expect((await player.claim("b[1]")).arg_bindings).toEqual([{ name: "x", kind: "literal", value: "c" }]);
    expect(await states(run)).toContain("a[1] skipped");
  });

  test.each<[string, TryOutcome, string]>([
    ["a failed producer", { kind: "failed", retry: false, reason: null, retry_delay_seconds: null }, "upstream_failed"],
    ["a skipped producer", { kind: "skipped", reason: null }, "skipped"],
  ])("ends with %s, whatever its rule", async (_name, outcome, state) => {
    const run = await start(dag("s > m", {}, { m: { ...over("s"), trigger_rule: "all_done" } }));
    await player.run("s", outcome);
    expect((await player.states(run)).m).toBe(state);
  });

  test("waits with an early rule for everything upstream", async () => {
    const run = await start(dag("s > m, t > m", {}, { m: { ...over("s"), trigger_rule: "one_success" } }));
    await player.run("s", returns([1, 2]));
    expect((await player.states(run)).m).toBe(null);
    await player.run("t", player.failure());
    expect(player.queued()).toEqual(["m[0]", "m[1]"]);
  });

  test.each<[string, TryOutcome, string]>([
    ["nothing", { kind: "success", xcoms: [] }, "XComForMappingNotPushed"],
    ["null", returns(null), "XComForMappingNotPushed"],
    ["a text", returns("text"), "UnmappableXComTypePushed"],
    ["too long a list", returns(Array(5001).fill(0)), "5001 mapped instances are more than max_map_length of 5000"],
  ])("whose producer returns %s makes it fail", async (_name, outcome, reason) => {
    const run = await start(dag("s > m", {}, { m: over("s") }));
    await player.run("s", outcome);
    expect(await states(run)).toBe("m upstream_failed, s failed");
    const found = await world.store.getTaskInstance({ dag_id: "d", run_id: run, task_id: "s", map_index: -1 });
    expect(found?.cause).toContain(reason);
  });

  test("whose combinations are too many fails itself", async () => {
    const source = { kind: "xcom" as const, task_id: "s" };
    const inputs = [
      { name: "x", source },
      { name: "y", source },
    ];
    const run = await start(dag("s > m", {}, { m: { expand: { kind: "product", inputs } } }));
    await player.run("s", returns(Array(71).fill(0)));
    expect(await states(run)).toBe("m failed, s success");
  });

  test("takes no more slots than max_active_tis_per_dagrun, and hands each on", async () => {
    await start(dag("s > m > end", {}, { m: { ...over("s"), max_active_tis_per_dagrun: 2 } }));
    await player.run("s", returns([1, 2, 3, 4]));
    expect(player.queued()).toEqual(["m[0]", "m[1]"]);
    await player.run("m[1]");
    expect(player.queued()).toEqual(["m[0]", "m[2]"]);
    await expectTrueCounters();
    for (const name of ["m[0]", "m[2]", "m[3]", "end"]) await player.run(name);
    await player.expectNoSlotsInUse();
  });

  test("of a thousand instances costs a few statements, and each end one row of the join", async () => {
    const run = await start(dag("s > m > end", { max_active_tasks: 16 }, { m: over("s") }));
    await player.run("s", returns(Array.from({ length: 1000 }, (_, n) => n)));
    expect(player.queued()).toHaveLength(16);
    const [row] = await world.sql<{ waiting: number; indexes: number; unfinished: number; total: number }>(
      `SELECT count(*) FILTER (WHERE t.state = 'scheduled')::int AS waiting, max(map_index) AS indexes, max(r.unfinished) AS unfinished,
         max(upstream_total) FILTER (WHERE task_id = 'end') AS total
       FROM task_instance t JOIN dag_run r ON r.id = t.dag_run WHERE r.run_id = $1`,
      [run],
    );
    expect(row).toEqual({ waiting: 984, indexes: 999, unfinished: 1001, total: 1000 });
    await player.finishTogether(player.queued());
    expect(player.queued()).toHaveLength(16);
    await expectTrueCounters();
  });
});

describe("a whole mapped task", () => {
  test("counts every index for what follows, by its rule", async () => {
    const run = await start(dag("s > m > end, m > any", {}, { m: over("s"), any: { trigger_rule: "one_failed" } }));
    await player.run("s", returns([1, 2]));
    await player.run("m[0]", player.failure());
    expect(await states(run)).toBe("any queued, end upstream_failed, m[0] failed, m[1] queued, s success");
  });

  test("is given as the list of its values to a task that is not mapped, what is missing left out", async () => {
    const bound = { arg_bindings: [{ name: "all", kind: "xcom" as const, task_id: "m" }] };
    await start(dag("s > m > end", {}, { m: over("s"), end: { ...bound, trigger_rule: "all_done" } }));
    await player.run("s", returns([1, 2, 3]));
    await player.run("m[2]", returns("c"));
    await player.run("m[0]", returns("a"));
    await player.run("m[1]");
    expect((await player.claim("end")).xcom_inputs).toEqual({ m: ["a", "c"] });
  });

  test("is read piece by piece where its values are too long for one answer", async () => {
    const bound = { arg_bindings: [{ name: "all", kind: "xcom" as const, task_id: "m" }] };
    await start(dag("s > m > end", {}, { m: over("s"), end: bound }));
    await player.run("s", returns([1, 2, 3]));
    for (const n of [0, 1, 2]) await player.run(`m[${n}]`, returns("x".repeat(100_000)));
    expect(await player.claim("end")).toMatchObject({ xcom_inputs: {}, xcom_lists: { m: 3 } });
  });
});

describe("a mapped group", () => {
  test("has one instance of each task for each index, which go on by themselves", async () => {
    const run = await start(grouped());
    await player.run("s", returns([7, 8, 9]));
    expect(player.queued()).toEqual(["g.a[0]", "g.a[1]", "g.a[2]"]);
    await player.run("g.a[1]");
    expect(player.queued()).toEqual(["g.a[0]", "g.a[2]", "g.b[1]"]);
    await player.run("g.a[2]", player.failure());
    await player.run("g.a[0]");
    await player.run("g.b[0]");
    await player.run("g.b[1]");
    expect(await states(run)).toBe(
      "end upstream_failed, g.a[0] success, g.a[1] success, g.a[2] failed, g.b[0] success, g.b[1] success, g.b[2] upstream_failed, s success",
    );
    await player.expectNoSlotsInUse();
  });

  test("gives its value and the results of its own index to each instance, and all of them to those outside", async () => {
    const bindings = {
      "g.a": { arg_bindings: [{ name: "n", kind: "group" as const, key: "x" }] },
      "g.b": { arg_bindings: [{ name: "v", kind: "xcom" as const, task_id: "g.a" }] },
      end: { arg_bindings: [{ name: "all", kind: "xcom" as const, task_id: "g.b" }] },
    };
    await start(grouped(bindings));
    await player.run("s", returns([7, 8]));
    const a = await player.claim("g.a[1]");
    expect(a.arg_bindings).toEqual([{ name: "n", kind: "literal", value: 8 }]);
    await player.finish(a, returns("a1"));
    const b = await player.claim("g.b[1]");
    expect(b.xcom_inputs).toEqual({ "g.a": "a1" });
    await player.finish(b, returns("b1"));
    await player.run("g.a[0]", returns("a0"));
    await player.run("g.b[0]", returns("b0"));
    expect((await player.claim("end")).xcom_inputs).toEqual({ "g.b": ["b0", "b1"] });
  });

  test("over an empty list is skipped task by task", async () => {
    const run = await start(grouped());
    await player.run("s", returns([]));
    expect(await states(run)).toBe("end skipped, g.a skipped, g.b skipped, s success");
  });

  test("lets a decider skip its own index, and again when that is cleared", async () => {
    const run = await start(grouped({ "g.a": { can_skip_downstream: true }, end: { trigger_rule: "all_done" } }));
    await player.run("s", returns([1, 2]));
    const pick = await player.claim("g.a[0]");
    player.hear(
      await world.store.skipDownstream({ ti_id: pick.ti_id, try_number: pick.try_number, task_ids: ["g.b"] }),
    );
    await player.finish(pick, { kind: "success", xcoms: [{ key: "skipmixin_key", value: { skipped: ["g.b"] } }] });
    await player.run("g.a[1]");
    expect(await states(run)).toContain("g.b[0] skipped, g.b[1] queued");
    await player.run("g.b[1]");
    await player.run("end");
    await player.clear(run, [["g.b", 0]]);
    player.hears(await world.store.startQueuedRuns());
    expect(await states(run)).toContain("g.b[0] skipped");
  });
});

describe("after a clear", () => {
  const fan = dag("s > m > end", {}, { m: over("s") });

  async function finishFan(run: string, lengths: number): Promise<void> {
    await player.run("s", returns(Array.from({ length: lengths }, (_, n) => n)));
    for (let n = 0; n < lengths; n += 1) await player.run(`m[${n}]`);
    if (lengths > 0) await player.run("end");
    expect(await player.runState(run)).toBe("success");
  }

  async function clearAll(run: string): Promise<void> {
    await player.clear(run, null);
    player.hears(await world.store.startQueuedRuns());
  }

  test.each([
    ["shorter", 4, 2, "end success, m[0] success, m[1] success, m[2] removed, m[3] removed, s success"],
    ["longer", 1, 3, "end success, m[0] success, m[1] success, m[2] success, s success"],
    ["empty", 2, 0, "end skipped, m skipped, m[1] removed, s success"],
    ["no longer empty", 0, 2, "end success, m[0] success, m[1] success, s success"],
  ])("a list that is %s removes or makes instances", async (_name, before, after, expected) => {
    const run = await start(fan);
    await finishFan(run, before);
    await clearAll(run);
    await finishFan(run, after);
    expect(await states(run)).toBe(expected);
    await player.expectNoSlotsInUse();
    await expectTrueCounters();
  });

  test("a list that is shorter, then longer again brings removed instances back", async () => {
    const run = await start(fan);
    for (const length of [3, 1, 4]) {
      await finishFan(run, length);
      if (length < 4) await clearAll(run);
    }
    expect(await states(run)).toBe("end success, m[0] success, m[1] success, m[2] success, m[3] success, s success");
    await expectTrueCounters();
  });

  test("of one index only that one runs again, of the task all", async () => {
    const run = await start(fan);
    await finishFan(run, 3);
    await player.clear(run, [["m", 1]]);
    player.hears(await world.store.startQueuedRuns());
    expect(player.queued()).toEqual(["m[1]"]);
    await player.run("m[1]");
    expect(await player.runState(run)).toBe("success");
    await player.clear(run, ["m"]);
    player.hears(await world.store.startQueuedRuns());
    expect(player.queued()).toEqual(["m[0]", "m[1]", "m[2]"]);
  });

  test("of the producer alone new items get instances, though the old ones stay as they are", async () => {
    const run = await start(fan);
    await finishFan(run, 1);
    await player.clear(run, ["s"]);
    player.hears(await world.store.startQueuedRuns());
    await player.run("s", returns([0, 1]));
    expect(await states(run)).toBe("end success, m[0] success, m[1] queued, s success");
    await player.run("m[1]");
    await player.expectNoSlotsInUse();
  });

  test("of a producer whose lists combine to too many instances fails those that wait, and says why", async () => {
    const source = { kind: "xcom" as const, task_id: "s" };
    const inputs = [
      { name: "x", source },
      { name: "y", source },
    ];
    const run = await start(dag("s > m > end", {}, { m: { expand: { kind: "product", inputs } } }));
    await player.run("s", returns([0]));
    await player.run("m[0]");
    await player.run("end");
    await clearAll(run);
    await player.run("s", returns(Array(71).fill(0)));
    expect(await states(run)).toBe("end upstream_failed, m[0] failed, s success");
    const found = await world.store.getTaskInstance({ dag_id: "d", run_id: run, task_id: "m", map_index: 0 });
    expect(found?.cause).toContain("5041 mapped instances are more than max_map_length of 5000");
    expect(await player.runState(run)).toBe("failed");
    await player.expectNoSlotsInUse();
  });

  test("what follows further down is decided once, as it is after the new length", async () => {
    const run = await start(dag("s > m > end > last, s > last", {}, { m: over("s") }));
    await player.run("s", returns([1]));
    for (const name of ["m[0]", "end", "last"]) await player.run(name);
    await clearAll(run);
    await player.run("s", returns([]));
    expect(await states(run)).toBe("end skipped, last skipped, m skipped, s success");
    await expectTrueCounters();
  });
});

describe("a task that ended before its mapped group was expanded", () => {
  test("takes the indexes of the group when it is cleared, and each goes on by itself", async () => {
    const g = group("g", [{ task_id: "g.a" }, { task_id: "g.b" }], over("s"));
    const task_group = group(null, [{ task_id: "s" }, { task_id: "x" }, { group: g }, { task_id: "end" }]);
    const run = await start(dag("s > g.a > g.b > end, x > g.b", { task_group }));
    await player.run("x", player.failure());
    await player.run("s", returns([1, 2]));
    for (const name of ["g.a[0]", "g.a[1]"]) await player.run(name);
    expect(await states(run)).toBe(
      "end upstream_failed, g.a[0] success, g.a[1] success, g.b upstream_failed, s success, x failed",
    );
    await player.clear(run, ["x", "g.a", "g.b", "end"]);
    player.hears(await world.store.startQueuedRuns());
    await player.run("x");
    await player.run("g.a[1]");
    expect(player.queued()).toEqual(["g.a[0]", "g.b[1]"]);
    for (const name of ["g.b[1]", "g.a[0]", "g.b[0]", "end"]) await player.run(name);
    expect(await player.runState(run)).toBe("success");
    await player.expectNoSlotsInUse();
  });
});

describe("the audit", () => {
  test("recounts what an instance waits for, index by index, where a counter is wrong", async () => {
    const run = await start(grouped());
    await player.run("s", returns([1, 2]));
    await world.sql("UPDATE task_instance SET upstream_total = 7 WHERE task_id IN ('g.b', 'end')", []);
    for (const name of ["g.a[0]", "g.a[1]"]) await player.run(name);
    expect(player.queued()).toEqual([]);
    await world.sql("UPDATE dag_run SET last_scheduling_decision = last_scheduling_decision - interval '1 hour'", []);
    const { announcement, corrected } = await world.store.audit();
    player.hear(announcement);
    expect(corrected).toEqual([`run ${run} of d stood still`]);
    expect(player.queued()).toEqual(["g.b[0]", "g.b[1]"]);
    for (const name of ["g.b[0]", "g.b[1]", "end"]) await player.run(name);
    expect(await player.runState(run)).toBe("success");
    await expectTrueCounters();
  });
});
