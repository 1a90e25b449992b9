/** What tasks push and pull. */
import type { JsonValue } from "@updraft/dag-core";
import { describe, expect, it } from "vitest";
import { Dag, type XComPullOptions, xcomPull } from "../src/index.ts";
import { runDag, runTry, type World } from "./support/play.ts";

describe("xcomPull", () => {
  const pushed: Record<string, JsonValue> = {
    "d/run/one/return_value": 1,
    "d/run/list/return_value": [1, 2],
    "d/run/one/rows": 7,
    "d/run/me/return_value": "mine",
    "d/run/mapped/return_value[0]": "a",
    "d/run/mapped/return_value[2]": "c",
    "other/then/one/return_value": "there",
  };

  async function pull(options?: XComPullOptions): Promise<unknown> {
    const dag = new Dag("d");
    dag.task("me", async () => ({ pulled: await xcomPull(options) }))();
    const prepare = (world: World) => {
      for (const [name, value] of Object.entries(pushed)) world.xcoms.set(name, value);
    };
    const outcome = await runTry(dag, "me", { prepare });
    if (outcome.kind !== "success") throw new Error(JSON.stringify(outcome));
    return (outcome.returnValue as { pulled: unknown }).pulled;
  }

  it.each<[string, XComPullOptions, unknown]>([
    ["one task that pushed nothing", { taskIds: "none" }, null],
    ["one task that pushed nothing, with a default", { taskIds: "none", default: 0 }, 0],
    ["one task", { taskIds: "one" }, 1],
    ["one task whose value is a list", { taskIds: "list" }, [1, 2]],
    ["one mapped task", { taskIds: "mapped" }, ["a", "c"]],
    ["another key", { taskIds: "one", key: "rows" }, 7],
    ["a list of tasks", { taskIds: ["one", "none", "mapped", "list"] }, [1, null, "a", "c", [1, 2]]],
    ["a list of one task", { taskIds: ["one"] }, [1]],
    ["one instance", { taskIds: "mapped", mapIndexes: 2 }, "c"],
    ["an instance that pushed nothing", { taskIds: "mapped", mapIndexes: 1, default: "-" }, "-"],
    ["several instances", { taskIds: "mapped", mapIndexes: [2, 1, 0] }, ["c", null, "a"]],
    ["one instance of a task that is not mapped", { taskIds: "list", mapIndexes: -1 }, [1, 2]],
    ["one instance of several tasks", { taskIds: ["one", "mapped"], mapIndexes: -1 }, [1, null]],
    ["itself", {}, "mine"],
    ["another run", { taskIds: "one", dagId: "other", runId: "then" }, "there"],
  ])("of %s", async (_, options, expected) => {
    expect(await pull(options)).toEqual(expected);
  });

  it("works inside a running task only", async () => {
    await expect(xcomPull()).rejects.toThrow("only inside a running task");
  });
});

describe("multipleOutputs", () => {
  const run = (returned: unknown, options: { doXcomPush?: boolean } = {}) => {
    const dag = new Dag("d");
    dag.task("t", () => returned, { multipleOutputs: true, ...options })();
    return runTry(dag, "t");
  };

  it("pushes each key and the whole", async () => {
    expect(await run({ rows: 3, names: ["a"] })).toEqual({
      kind: "success",
      returnValue: { rows: 3, names: ["a"] },
      xcoms: [
        { key: "rows", value: 3 },
        { key: "names", value: ["a"] },
      ],
    });
  });

  it("fails for what has no keys, and pushes nothing where nothing is returned or is to be pushed", async () => {
    expect(await run([1])).toMatchObject({ kind: "failed", error: { message: expect.stringContaining("an object") } });
    expect(await run(undefined)).toEqual({ kind: "success", xcoms: [] });
    expect(await run({ rows: 3 }, { doXcomPush: false })).toMatchObject({ kind: "success", xcoms: [] });
  });
});

describe("results", () => {
  it("takes JSON only", async () => {
    const run = (returned: unknown) => {
      const dag = new Dag("d");
      dag.task("t", () => returned)();
      return runTry(dag, "t");
    };
    expect(await run({ at: new Date(0) })).toMatchObject({ returnValue: { at: "1970-01-01T00:00:00.000Z" } });
    expect(await run(1n)).toMatchObject({ kind: "failed" });
    expect(await run(() => 1)).toMatchObject({ kind: "failed", error: { message: expect.stringContaining("JSON") } });
  });

  it("fails a task whose input was not pushed", async () => {
    const dag = new Dag("d");
    const push = dag.task("push", () => undefined)();
    dag.task("pull", ({ rows }: { rows: number }) => rows)({ rows: push });
    expect((await runDag(dag)).outcomes.pull).toMatchObject({
      kind: "failed",
      retry: true,
      error: { message: 'Input "rows": task "push" pushed no return_value' },
    });
  });
});
