/**
 * What a task or group is mapped over: how many instances there are, and which values each of them gets.
 *
 * Sources are lazy. The length of every source task is known before anything is expanded; its items are named here and
 * read by the store, and functions of the author's file are named by their number and called in the task's process.
 */
import { assert, assertNever } from "./assert.ts";
import type { ArgBinding, ExpandInput, JsonValue, MapSource } from "./model.ts";

/** How many items each source task has, by task id. */
export type MapLengths = ReadonlyMap<string, number>;

/** A value of one instance, before items are read and functions called. */
export type MappedValue =
  | { readonly kind: "value"; readonly value: JsonValue }
  /** An item of what a source task returned. */
  | { readonly kind: "item"; readonly task_id: string; readonly index: number }
  | { readonly kind: "call"; readonly function: number; readonly of: MappedValue }
  | { readonly kind: "tuple"; readonly of: readonly MappedValue[] };

/** What one instance gets: a value for each named input, or one dict whose keys are the names. */
export type MappedInputs =
  | { readonly kind: "named"; readonly inputs: readonly { readonly name: string; readonly value: MappedValue }[] }
  | { readonly kind: "dict"; readonly value: MappedValue };

/** An input as a try gets it. */
export type TryBinding =
  | Exclude<ArgBinding, { kind: "group" }>
  /** Still to be passed through functions of the author's file. `key` takes one member of the result. */
  | { readonly name: string; readonly kind: "mapped"; readonly value: MappedValue; readonly key: string | null }
  /** A dict whose members are inputs by their keys. `strict`: none that is bound otherwise as well. */
  | { readonly name: string; readonly kind: "mapped_dict"; readonly value: MappedValue; readonly strict: boolean };

/** How many instances there are. */
export function expandLength(expand: ExpandInput, lengths: MapLengths): number {
  if (expand.kind === "list") return sourceLength(expand.source, lengths);
  return expand.inputs.reduce((product, { source }) => product * sourceLength(source, lengths), 1);
}

/** The inputs of the instance `index`. Of named inputs the last one varies fastest. */
export function mappedInputs(expand: ExpandInput, index: number, lengths: MapLengths): MappedInputs {
  if (expand.kind === "list") return { kind: "dict", value: itemOf(expand.source, index, lengths) };
  let rest = index;
  const inputs = expand.inputs.toReversed().map(({ name, source }) => {
    const length = sourceLength(source, lengths);
    const value = itemOf(source, rest % length, lengths);
    rest = Math.floor(rest / length);
    return { name, value };
  });
  assert(rest === 0, `there is no mapped instance ${index}`);
  return { kind: "named", inputs: inputs.reverse() };
}

/** The tasks whose results are mapped over, each once. */
export function mapSourceTasks(expand: ExpandInput): string[] {
  const sources = expand.kind === "list" ? [expand.source] : expand.inputs.map(({ source }) => source);
  return [...new Set(sources.flatMap(tasksOf))];
}

/** Reads every item through `read` and joins what needs no function of the author's. */
export function resolveMappedValue(
  value: MappedValue,
  read: (taskId: string, index: number) => JsonValue,
): Exclude<MappedValue, { kind: "item" }> {
  switch (value.kind) {
    case "value":
      return value;
    case "item":
      return { kind: "value", value: read(value.task_id, value.index) };
    case "call":
      return { ...value, of: resolveMappedValue(value.of, read) };
    case "tuple": {
      const parts = value.of.map((part) => resolveMappedValue(part, read));
      const plain = parts.flatMap((part) => (part.kind === "value" ? [part.value] : []));
      return plain.length === parts.length ? { kind: "value", value: plain } : { kind: "tuple", of: parts };
    }
    default:
      return assertNever(value);
  }
}

function sourceLength(source: MapSource, lengths: MapLengths): number {
  switch (source.kind) {
    case "literal":
      return Array.isArray(source.value) ? source.value.length : Object.keys(source.value).length;
    case "xcom": {
      const length = lengths.get(source.task_id);
      assert(length !== undefined, `the length of what ${source.task_id} returned is not known`);
      return length;
    }
    case "map":
      return sourceLength(source.source, lengths);
    case "zip": {
      const all = source.sources.map((part) => sourceLength(part, lengths));
      return source.fill === null ? Math.min(...all) : Math.max(...all);
    }
    case "concat":
      return source.sources.reduce((sum, part) => sum + sourceLength(part, lengths), 0);
    default:
      return assertNever(source);
  }
}

function itemOf(source: MapSource, index: number, lengths: MapLengths): MappedValue {
  switch (source.kind) {
    case "literal":
      return { kind: "value", value: literalItem(source.value, index) };
    case "xcom":
      return { kind: "item", task_id: source.task_id, index };
    case "map":
      return { kind: "call", function: source.function, of: itemOf(source.source, index, lengths) };
    case "zip":
      return { kind: "tuple", of: source.sources.map((part) => zipPart(part, index, lengths, source.fill)) };
    case "concat":
      return concatItem(source.sources, index, lengths);
    default:
      return assertNever(source);
  }
}

function literalItem(value: Extract<MapSource, { kind: "literal" }>["value"], index: number): JsonValue {
  const items: readonly JsonValue[] = Array.isArray(value) ? value : Object.entries(value);
  const item = items[index];
  assert(item !== undefined, `a literal list of ${items.length} has no item ${index}`);
  return item;
}

function zipPart(
  part: MapSource,
  index: number,
  lengths: MapLengths,
  fill: { readonly value: JsonValue } | null,
): MappedValue {
  if (fill !== null && index >= sourceLength(part, lengths)) return { kind: "value", value: fill.value };
  return itemOf(part, index, lengths);
}

function concatItem(sources: readonly MapSource[], index: number, lengths: MapLengths): MappedValue {
  let before = 0;
  for (const source of sources) {
    const length = sourceLength(source, lengths);
    if (index < before + length) return itemOf(source, index - before, lengths);
    before += length;
  }
  throw new Error(`a joined list of ${before} has no item ${index}`);
}

function tasksOf(source: MapSource): string[] {
  switch (source.kind) {
    case "literal":
      return [];
    case "xcom":
      return [source.task_id];
    case "map":
      return tasksOf(source.source);
    case "zip":
    case "concat":
      return source.sources.flatMap(tasksOf);
    default:
      return assertNever(source);
  }
}
