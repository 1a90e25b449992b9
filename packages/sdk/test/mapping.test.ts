import type { JsonValue, TryBinding } from "@updraft/dag-core";
import { describe, expect, it } from "vitest";
import { Bundle } from "../src/bundle.ts";
import { runHandler, type TaskOutcome } from "../src/host.ts";
import { Dag, getContext, skip } from "../src/index.ts";
import { renderMapIndex } from "../src/map-index-name.ts";
import { contextOf, edgesOf, serialize, taskOf, World } from "./support/play.ts";

/** Runs the mapped instance 0 of a task with what its claim would bind. */
async function runMapped(dag: Dag, taskId: string, bindings: readonly TryBinding[]): Promise<TaskOutcome> {
  const context = { ...contextOf(dag.dagId, taskId), map_index: 0 };
  const world = new World();
  return runHandler({
    ...{ bundle: new Bundle(dag), dagId: dag.dagId, taskId, context, inputs: { bindings, xcoms: {} } },
    client: world.client(),
    log: () => undefined,
    signal: new AbortController().signal,
  });
}

const literal = (name: string, value: JsonValue): TryBinding => ({ name, kind: "literal", value });

describe("a mapped task", () => {
  it("is expanded over results, lists and dicts, with the rest of its inputs by partial", () => {
    const dag = new Dag("d");
    const list = dag.task("list", () => [1, 2]);
    const add = dag.task("add", ({ x, y, z }: { x: number; y: [string, number]; z: number }) => x + y[1] + z);
    const sum = dag.task("sum", ({ all }: { all: number[] }) => all.reduce((a, b) => a + b, 0));
    sum({ all: add.partial({ z: 10 }).expand({ x: list(), y: { a: 1 } }) });
    const form = serialize(dag);
    expect(edgesOf(form)).toEqual(["add > sum", "list > add"]);
    expect(taskOf(form, "add")).toMatchObject({
      arg_bindings: [{ name: "z", kind: "literal", value: 10 }],
      expand: {
        kind: "product",
        inputs: [
          { name: "x", source: { kind: "xcom", task_id: "list" } },
          { name: "y", source: { kind: "literal", value: { a: 1 } } },
        ],
      },
    });
  });

  it("is expanded over the dicts of a list", () => {
    const dag = new Dag("d");
    dag.task("t", ({ x }: { x: number }) => x).expandKwargs([{ x: 1 }, { x: 2 }], { strict: false });
    expect(taskOf(serialize(dag), "t").expand).toEqual({
      kind: "list",
      source: { kind: "literal", value: [{ x: 1 }, { x: 2 }] },
      strict: false,
    });
  });

  it("is expanded over lists joined by map, zip, zipLongest and concat", () => {
    const dag = new Dag("d");
    const a = dag.task("a", () => [1, 2])();
    const b = dag.task("b", () => ["x"])();
    const t = dag.task("t", ({ v }: { v: JsonValue }) => v);
    t.expand({
      v: a
        .map((n: number) => n + 1)
        .zip(b, [7])
        .concat(b.zipLongest(0, a)),
    });
    const form = serialize(dag);
    expect(edgesOf(form)).toEqual(["a > t", "b > t"]);
    const from = (task_id: string) => ({ kind: "xcom", task_id });
    const mapped = { kind: "map", source: from("a"), function: 0 };
    expect(taskOf(form, "t").expand).toMatchObject({
      inputs: [
        {
          source: {
            kind: "concat",
            sources: [
              { kind: "zip", sources: [mapped, from("b"), { kind: "literal", value: [7] }], fill: null },
              { kind: "zip", sources: [from("b"), from("a")], fill: { value: 0 } },
            ],
          },
        },
      ],
    });
  });

  it.each<[string, (dag: Dag) => unknown, string]>([
    [
      "a text",
      (dag) => dag.task("t", ({ x }: { x: string }) => x).expand({ x: "ab" as never }),
      "can be mapped over a list, a dict or the result of a task",
    ],
    [
      "a set",
      (dag) => dag.task("t", ({ x }: { x: string }) => x).expand({ x: new Set([1]) as never }),
      "can be mapped over a list, a dict or the result of a task",
    ],
    [
      "nothing",
      (dag) => dag.task("t", ({ x }: { x: string }) => x).expand({}),
      "expand needs at least one input to map over",
    ],
    [
      "what partial gave",
      (dag) =>
        dag
          .task("t", ({ x }: { x: number }) => x)
          .partial({ x: 1 })
          .expand({ x: [1] }),
      "Input 'x' is given twice: by partial and by expand",
    ],
  ])("is not expanded over %s", (_name, declare, message) => {
    const dag = new Dag("d");
    expect(() => {
      declare(dag);
      serialize(dag);
    }).toThrow(message);
  });

  it("gets its values as named inputs, and knows its index", async () => {
    const dag = new Dag("d");
    dag.task("t", ({ x }: { x: number }) => [x, getContext().mapIndex]).expand({ x: [5] });
    expect(await runMapped(dag, "t", [literal("x", 5)])).toMatchObject({ kind: "success", returnValue: [5, 0] });
  });

  it("gets each item through the functions of map, which may skip it", async () => {
    const dag = new Dag("d");
    const source = dag.task("source", () => [1])();
    const doubled = source.map((n: number) => (n > 1 ? n * 2 : skip("too small")));
    dag.task("t", ({ pair }: { pair: [number, string] }) => pair).expand({ pair: doubled.zip(["a", "b"]) });
    const bound = (item: number): TryBinding => {
      const call = { kind: "call" as const, function: 0, of: { kind: "value" as const, value: item } };
      return {
        name: "pair",
        kind: "mapped",
        value: { kind: "tuple", of: [call, { kind: "value", value: "a" }] },
        key: null,
      };
    };
    expect(await runMapped(dag, "t", [bound(3)])).toMatchObject({ kind: "success", returnValue: [6, "a"] });
    expect(await runMapped(dag, "t", [bound(1)])).toMatchObject({ kind: "skipped", reason: "too small" });
  });

  it.each<[string, JsonValue, boolean, object]>([
    ["as inputs by their keys", { x: 1 }, true, { kind: "success", returnValue: [1, "p"] }],
    [
      "in place of what partial gave, unless strict",
      { x: 1, y: "q" },
      false,
      { kind: "success", returnValue: [1, "q"] },
    ],
    [
      "not twice when strict",
      { x: 1, y: "q" },
      true,
      { kind: "failed", error: { message: 'Input "y" is given twice: by partial and by expandKwargs' } },
    ],
    [
      "only as dicts",
      [1],
      true,
      { kind: "failed", error: { message: expect.stringContaining("expandKwargs maps over objects of named inputs") } },
    ],
  ])("gets the members of a dict %s", async (_name, value, strict, outcome) => {
    const dag = new Dag("d");
    dag
      .task("t", ({ x, y }: { x: number; y: string }) => [x, y])
      .partial({ y: "p" })
      .expandKwargs([{ x: 1 }], { strict });
    const bindings: TryBinding[] = [
      literal("y", "p"),
      { name: "**", kind: "mapped_dict", value: { kind: "value", value }, strict },
    ];
    expect(await runMapped(dag, "t", bindings)).toMatchObject(outcome);
  });
});

describe("a mapped group", () => {
  it("gives its tasks what it is mapped over by name, and comes after its sources", () => {
    const dag = new Dag("d");
    const files = dag.task("files", () => ["a", "b"])();
    const g = dag.taskGroup("g", { expand: { file: files } });
    const read = g.task("read", ({ file }: { file: string }) => file.length)({ file: g.mapped("file") });
    g.task("store", ({ size }: { size: number }) => size)({ size: read });
    const form = serialize(dag);
    expect(edgesOf(form)).toEqual(["files > g.read", "g.read > g.store"]);
    expect(taskOf(form, "g.read").arg_bindings).toEqual([{ name: "file", kind: "group", key: "file" }]);
    expect(form.task_group.children[1]).toMatchObject({
      group: {
        group_id: "g",
        expand: { kind: "product", inputs: [{ name: "file", source: { kind: "xcom", task_id: "files" } }] },
      },
    });
  });

  it("is refused where its tasks can't be mapped", () => {
    const dag = new Dag("d");
    const g = dag.taskGroup("g", { expand: { x: [1] } });
    g.task("t", ({ x }: { x: number }) => x, { triggerRule: "always" })({ x: g.mapped("y") });
    expect(() => serialize(dag)).toThrow(
      /'always' is not allowed in the mapped group 'g'[\s\S]*over which its group is not mapped/,
    );
  });
});

describe("the name of a map index", () => {
  it.each<[string, string | null]>([
    ["{{ file.name }}", "a.csv"],
    ["no {{map_index}}: {{ file.size }}", "no 3: 7"],
    ["{{ file.missing }}", null],
    ["plain", "plain"],
  ])("%s is %s", (template, name) => {
    expect(renderMapIndex(template, { map_index: 3, file: { name: "a.csv", size: 7 } })).toBe(name);
  });

  it("is rendered after the try, also after a failed one", async () => {
    const dag = new Dag("d");
    const fails = ({ x }: { x: string }) => {
      throw new Error(x);
    };
    dag.task("t", fails, { mapIndexTemplate: "item {{ x }}" }).expand({ x: ["a"] });
    expect(await runMapped(dag, "t", [literal("x", "a")])).toMatchObject({
      kind: "failed",
      renderedMapIndex: "item a",
    });
  });
});
