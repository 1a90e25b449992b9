/**
 * What a task or group is mapped over, as the author says it: results of tasks, lists, dicts, and expressions over them.
 *
 * Expressions are lazy: their functions are kept with the Dag and called in the process of each mapped try.
 */
import type { ExpandInput, MapSource } from "@updraft/dag-core";
import type { DagModel, TaskRecord } from "./dag-model.ts";
import { copyJson, describeValue, isPlainObject, type JsonValue } from "./json.ts";
import { isNode, taskOfInput } from "./node-refs.ts";
import type { MapExpression } from "./task-types.ts";

export type SourceRecord =
  | { readonly kind: "literal"; readonly value: unknown }
  | { readonly kind: "task"; readonly task: TaskRecord }
  | { readonly kind: "map"; readonly source: SourceRecord; readonly function: number }
  | {
      readonly kind: "zip";
      readonly sources: readonly SourceRecord[];
      readonly fill: { readonly value: unknown } | null;
    }
  | { readonly kind: "concat"; readonly sources: readonly SourceRecord[] };

export type ExpandRecord =
  | { readonly kind: "product"; readonly inputs: readonly { readonly name: string; readonly source: SourceRecord }[] }
  | { readonly kind: "list"; readonly source: SourceRecord; readonly strict: boolean };

const expressions = new WeakMap<object, { readonly model: DagModel; readonly source: SourceRecord }>();

/** `map`, `zip`, `zipLongest` and `concat` over `source`. */
export function expressionMethods(model: DagModel, source: SourceRecord): MapExpression {
  const sources = (others: readonly unknown[], where: string) => others.map((one) => sourceOf(model, one, where));
  return {
    map: (apply) => {
      model.assertOpen("map over a list");
      if (typeof apply !== "function") throw new Error(`map(...) takes a function, not ${describeValue(apply)}`);
      // It gets what was pushed, whose type the author names.
      const number = model.mapFunctions.push(apply as (value: JsonValue) => unknown) - 1;
      return expression(model, { kind: "map", source, function: number });
    },
    zip: (...others) =>
      expression(model, { kind: "zip", sources: [source, ...sources(others, "zip(...)")], fill: null }),
    zipLongest: (fillvalue, ...others) => {
      const fill = { value: copyJson(fillvalue, "The fill value of zipLongest(...)") };
      return expression(model, { kind: "zip", sources: [source, ...sources(others, "zipLongest(...)")], fill });
    },
    concat: (...others) => expression(model, { kind: "concat", sources: [source, ...sources(others, "concat(...)")] }),
  };
}

function expression(model: DagModel, source: SourceRecord): MapExpression {
  const made = expressionMethods(model, source);
  expressions.set(made, { model, source });
  return Object.freeze(made);
}

/** What `value` stands for, or the complaint that nothing can be mapped over it. */
function sourceOf(model: DagModel, value: unknown, where: string): SourceRecord {
  const known = typeof value === "object" && value !== null ? expressions.get(value) : undefined;
  if (known !== undefined) {
    if (known.model === model) return known.source;
    throw new Error(`${where}: the expression belongs to Dag "${known.model.dagId}", not to "${model.dagId}"`);
  }
  if (isNode(value)) {
    const task = taskOfInput(model, value, where);
    if (task !== null) return { kind: "task", task };
  }
  if (!Array.isArray(value) && !isPlainObject(value))
    throw new Error(
      `${where} can be mapped over a list, a dict or the result of a task, not over ${describeValue(value)}`,
    );
  return { kind: "literal", value: copyJson(value, where) };
}

/** `expand({ name: source })`. */
export function readProduct(model: DagModel, given: unknown, what: string): ExpandRecord {
  if (!isPlainObject(given) || isNode(given))
    throw new Error(`${what}: expand takes an object of named inputs, not ${describeValue(given)}`);
  const inputs = Object.entries(given).map(([name, value]) => ({
    name,
    source: sourceOf(model, value, `Input "${name}" of ${what}`),
  }));
  return { kind: "product", inputs };
}

/** `expandKwargs(source)`. */
export function readList(model: DagModel, given: unknown, what: string, strict: boolean): ExpandRecord {
  return { kind: "list", source: sourceOf(model, given, `expandKwargs of ${what}`), strict };
}

/** The tasks whose results are mapped over. */
export function sourceTasks(expand: ExpandRecord): TaskRecord[] {
  const sources = expand.kind === "list" ? [expand.source] : expand.inputs.map(({ source }) => source);
  return [...new Set(sources.flatMap(tasksOf))];
}

function tasksOf(source: SourceRecord): TaskRecord[] {
  if (source.kind === "task") return [source.task];
  if (source.kind === "map") return tasksOf(source.source);
  return source.kind === "literal" ? [] : source.sources.flatMap(tasksOf);
}

export function serializeExpand(expand: ExpandRecord | null): ExpandInput | null {
  if (expand === null) return null;
  if (expand.kind === "list") return { kind: "list", source: serializeSource(expand.source), strict: expand.strict };
  return {
    kind: "product",
    inputs: expand.inputs.map(({ name, source }) => ({ name, source: serializeSource(source) })),
  };
}

function serializeSource(source: SourceRecord): MapSource {
  switch (source.kind) {
    case "literal":
      // It was copied as JSON and is a list or a dict, or it would have been refused.
      return { kind: "literal", value: source.value as Extract<MapSource, { kind: "literal" }>["value"] };
    case "task":
      return { kind: "xcom", task_id: source.task.taskId };
    case "map":
      return { kind: "map", source: serializeSource(source.source), function: source.function };
    case "zip": {
      const fill = source.fill === null ? null : { value: copyJson(source.fill.value, "fillvalue") };
      return { kind: "zip", sources: source.sources.map(serializeSource), fill };
    }
    case "concat":
      return { kind: "concat", sources: source.sources.map(serializeSource) };
  }
}
