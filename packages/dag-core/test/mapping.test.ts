import { dag, group } from "@updraft/testkit/dags";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ExpandInput,
  evaluateMapSources,
  expandLength,
  type JsonValue,
  type MappedValue,
  type MapSource,
  mappedInputs,
  mappedLength,
  mappingUnits,
  resolveMappedValue,
  type SerializedDag,
  sliceIndexes,
  type TaskInstanceState,
  type TriggerRule,
  validateDag,
} from "../src/index.ts";
import { evaluateMappedRule } from "../src/map-decision.ts";
import { table } from "./table.ts";

const list = (...value: JsonValue[]): MapSource => ({ kind: "literal", value });
const dict = (value: Record<string, JsonValue>): MapSource => ({ kind: "literal", value });
const from = (task_id: string): MapSource => ({ kind: "xcom", task_id });
const product = (inputs: Record<string, MapSource>): ExpandInput => ({
  kind: "product",
  inputs: Object.entries(inputs).map(([name, source]) => ({ name, source })),
});
const zip = (fill: { value: JsonValue } | null, ...sources: MapSource[]): MapSource => ({ kind: "zip", sources, fill });
const concat = (...sources: MapSource[]): MapSource => ({ kind: "concat", sources });

/** Items read as `task[index]`, functions called as `f0(...)`. */
function show(value: MappedValue): string {
  const resolved = resolveMappedValue(value, (task, index) => `${task}[${index}]`);
  if (resolved.kind === "value")
    return typeof resolved.value === "string" ? resolved.value : JSON.stringify(resolved.value);
  if (resolved.kind === "call") return `f${resolved.function}(${show(resolved.of)})`;
  return `(${resolved.of.map(show).join(", ")})`;
}

function instances(expand: ExpandInput, lengths: Record<string, number> = {}): string[] {
  const known = new Map(Object.entries(lengths));
  return Array.from({ length: expandLength(expand, known) }, (_, index) => {
    const inputs = mappedInputs(expand, index, known);
    return inputs.kind === "dict"
      ? show(inputs.value)
      : inputs.inputs.map(({ name, value }) => `${name}=${show(value)}`).join(" ");
  });
}

describe("expand", () => {
  it("makes every combination, the last keyword varying fastest", () => {
    expect(instances(product({ x: list(1, 2), y: list("a", "b") }))).toEqual([
      "x=1 y=a",
      "x=1 y=b",
      "x=2 y=a",
      "x=2 y=b",
    ]);
  });

  it.each<[string, ExpandInput, Record<string, number>, string[]]>([
    ["a dict gives pairs", product({ x: dict({ k: 1, l: [2] }) }), {}, ['x=["k",1]', 'x=["l",[2]]']],
    ["an empty list gives nothing", product({ x: list(), y: list(1) }), {}, []],
    ["an upstream result", product({ x: from("a") }), { a: 2 }, ["x=a[0]", "x=a[1]"]],
    ["zip ends with the shortest", product({ x: zip(null, from("a"), list(7)) }), { a: 2 }, ['x=["a[0]",7]']],
    [
      "zip with a fill ends with the longest",
      product({ x: zip({ value: 0 }, from("a"), list(7)) }),
      { a: 2 },
      ['x=["a[0]",7]', 'x=["a[1]",0]'],
    ],
    ["concat", product({ x: concat(from("a"), list("b"), from("c")) }), { a: 1, c: 1 }, ["x=a[0]", "x=b", "x=c[0]"]],
    [
      "map is called for each item",
      product({
        x: { kind: "map", source: zip(null, { kind: "map", source: from("a"), function: 0 }, list(7, 8)), function: 1 },
      }),
      { a: 2 },
      ["x=f1((f0(a[0]), 7))", "x=f1((f0(a[1]), 8))"],
    ],
    ["a list of dicts", { kind: "list", source: list({ x: 1 }, { x: 2 }), strict: true }, {}, ['{"x":1}', '{"x":2}']],
    ["an upstream list of dicts", { kind: "list", source: from("a"), strict: true }, { a: 1 }, ["a[0]"]],
  ])("%s", (_name, expand, lengths, expected) => {
    expect(instances(expand, lengths)).toEqual(expected);
  });

  it("gives every combination once, in the order of nested loops", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const expand = product(Object.fromEntries(lengths.map((_size, i) => [`k${i}`, from(`t${i}`)])));
        const found = instances(expand, Object.fromEntries(lengths.map((size, i) => [`t${i}`, size])));
        const loops = lengths.reduce<string[][]>(
          (rows, size, i) =>
            rows.flatMap((row) => Array.from({ length: size }, (_, n) => [...row, `k${i}=t${i}[${n}]`])),
          [[]],
        );
        expect(found).toEqual(loops.map((row) => row.join(" ")));
      }),
    );
  });
});

describe("what is mapped over", () => {
  it.each(
    table(`
      value            | found
      [1, 2]           | 2
      {"a": 1}         | 1
      []               | 0
      null             | XComForMappingNotPushed
      -                | XComForMappingNotPushed
      "text"           | UnmappableXComTypePushed: it returned a string
      7                | UnmappableXComTypePushed: it returned a number
      [1, 2, 3, 4]     | UnmappableXComLengthPushed: 4 mapped instances are more than max_map_length of 3
    `),
  )("$value", ({ value = "", found = "" }) => {
    const answer = mappedLength(value === "" ? undefined : JSON.parse(value), 3);
    expect("length" in answer ? String(answer.length) : answer.problem).toContain(found);
  });

  // One source each: "state", or "open/all" of a mapped one.
  it.each(
    table(`
      sources                  | verdict
      -                        | ready
      success                  | ready
      success, running         | wait
      failed, running          | upstream_failed
      upstream_failed          | upstream_failed
      success, skipped         | skipped
      skipped, running         | wait
      0/3                      | ready
      1/3                      | wait
      0/3, skipped             | skipped
    `),
  )("$sources: $verdict", ({ sources = "", verdict }) => {
    const facts = sources
      .split(",")
      .map((text) => text.trim())
      .filter((text) => text !== "")
      .map((text) => {
        const [open, all] = text.split("/");
        return all === undefined
          ? {
              task_id: text,
              state: text as TaskInstanceState,
              is_expanded: false,
              unfinished: Number(text === "running"),
            }
          : { task_id: text, state: null, is_expanded: true, unfinished: Number(open) };
      });
    const answer = evaluateMapSources(facts);
    expect(answer.kind === "set" ? answer.state : answer.kind).toBe(verdict);
  });
});

describe("the rule of a placeholder", () => {
  const counts = { total: 3, success: 1, failed: 1, upstream_failed: 0, skipped: 0, removed: 0 };
  it.each<[TriggerRule, string, string]>([
    ["one_success", "wait", "run"],
    ["one_failed", "wait", "run"],
    ["one_done", "wait", "run"],
    ["none_failed_min_one_success", "wait", "set"],
    ["all_success", "set", "set"],
    ["all_done", "wait", "wait"],
  ])("%s: %s, and for an instance %s", (rule, placeholder, instance) => {
    expect(evaluateMappedRule(rule, counts, { map_index: -1, is_mapped: true }).kind).toBe(placeholder);
    expect(evaluateMappedRule(rule, counts, { map_index: 0, is_mapped: true }).kind).toBe(instance);
    expect(evaluateMappedRule(rule, counts, { map_index: -1, is_mapped: false }).kind).toBe(instance);
  });
});

describe("units", () => {
  const mapped = dag(
    "s > g.a > g.b > t, s > t",
    {
      task_group: group(null, [
        { task_id: "s" },
        { group: group("g", [{ task_id: "g.a" }, { task_id: "g.b" }], { expand: product({ x: from("s") }) }) },
        { task_id: "t" },
      ]),
    },
    { t: { expand: product({ y: from("s") }) } },
  );

  it("hold all tasks of a mapped group, or one mapped task", () => {
    const units = mappingUnits(mapped);
    expect(units.get("g.a")).toBe(units.get("g.b"));
    expect(units.get("g.a")?.task_ids).toEqual(["g.a", "g.b"]);
    expect(units.get("t")).toEqual({
      group_id: null,
      expand: product({ y: from("s") }),
      task_ids: ["t"],
      sources: ["s"],
    });
    expect(units.has("s")).toBe(false);
  });

  it("are valid", () => expect(validateDag(mapped)).toEqual([]));
});

describe("validateDag refuses", () => {
  const literal = (value: unknown): MapSource => ({ kind: "literal", value: value as JsonValue[] });
  const grouped = (expand: ExpandInput, inner: ReturnType<typeof group> | null = null) =>
    group(null, [
      { task_id: "s" },
      { group: group("g", [{ task_id: "a" }, ...(inner === null ? [] : [{ group: inner }])], { expand }) },
    ]);

  it.each<[string, SerializedDag]>([
    ["a: expand needs at least one input to map over", dag("a", {}, { a: { expand: product({}) } })],
    [
      "a: Input 'x' can be mapped over a list or a dict, not over \"text\"",
      dag("a", {}, { a: { expand: product({ x: literal("text") }) } }),
    ],
    [
      "a: Input 'x' is given twice: by partial and by expand",
      dag(
        "a",
        {},
        { a: { expand: product({ x: list(1) }), arg_bindings: [{ name: "x", kind: "literal", value: 1 }] } },
      ),
    ],
    [
      "a: Input 'x' is mapped more than once",
      dag(
        "a",
        {},
        {
          a: {
            expand: {
              kind: "product",
              inputs: [
                { name: "x", source: list(1) },
                { name: "x", source: list(2) },
              ],
            },
          },
        },
      ),
    ],
    ["a: It is mapped over 's', which is not upstream", dag("s, a", {}, { a: { expand: product({ x: from("s") }) } })],
    ["a: Input 'x': zip needs at least one list", dag("a", {}, { a: { expand: product({ x: zip(null) }) } })],
    [
      "a: A mapped task inside the mapped group 'g' is not supported",
      dag("s > a", { task_group: grouped(product({ x: from("s") })) }, { a: { expand: product({ y: list(1) }) } }),
    ],
    [
      "a: The trigger rule 'always' is not allowed in the mapped group 'g'",
      dag("s > a", { task_group: grouped(product({ x: from("s") })) }, { a: { trigger_rule: "always" } }),
    ],
    [
      "DAG: The mapped group 'g' holds the mapped group 'g.h'; nesting them is not supported",
      dag("s > a, b", {
        task_group: grouped(
          product({ x: from("s") }),
          group("g.h", [{ task_id: "b" }], { expand: product({ y: list(1) }) }),
        ),
      }),
    ],
    [
      "DAG: The mapped group 'g' is mapped over 's', which is not upstream",
      dag("s, a", { task_group: grouped(product({ x: from("s") })) }),
    ],
    [
      "DAG: The mapped group 'g' is mapped over 'a', which is one of its own tasks",
      dag("s > a", { task_group: grouped(product({ x: from("a") })) }),
    ],
    [
      "a: Input 'n' takes 'z', over which its group is not mapped",
      dag(
        "s > a",
        { task_group: grouped(product({ x: from("s") })) },
        { a: { arg_bindings: [{ name: "n", kind: "group", key: "z" }] } },
      ),
    ],
    [
      "s: Input 'n' takes 'z' of a mapped group, but the task is in none",
      dag(
        "s > a",
        { task_group: grouped(product({ x: from("s") })) },
        { s: { arg_bindings: [{ name: "n", kind: "group", key: "z" }] } },
      ),
    ],
  ])("%s", (message, broken) => {
    expect(validateDag(broken).map((issue) => `${issue.task_id ?? "DAG"}: ${issue.message}`)).toContain(message);
  });
});

describe("a slice", () => {
  // As Python answers for list(range(5)).
  it.each(
    table(`
      start | stop | step | indexes
      -     | -    | -    | 0 1 2 3 4
      1     | 3    | -    | 1 2
      -2    | -    | -    | 3 4
      -     | -1   | -    | 0 1 2 3
      -     | -    | 2    | 0 2 4
      -     | -    | -1   | 4 3 2 1 0
      3     | 0    | -2   | 3 1
      -9    | 9    | -    | 0 1 2 3 4
      3     | 1    | -    | -
      -     | -    | 0    | -
    `),
  )("[$start:$stop:$step]", ({ indexes, ...given }) => {
    const number = (text = "") => (text === "" ? undefined : Number(text));
    const slice = { start: number(given.start), stop: number(given.stop), step: number(given.step) };
    expect(sliceIndexes(5, slice).join(" ")).toBe(indexes);
  });
});
