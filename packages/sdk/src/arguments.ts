/**
 * The inputs of a try, as a handler reads them.
 *
 * A read-only view without a prototype. A name that has no exact match is looked up folded (no "_", lower case), so
 * `userId` finds `user_id`; a name that finds nothing is undefined and leaves a warning in the log.
 */
import type { MappedValue, TryBinding } from "@updraft/dag-core";
import { describeValue, isPlainObject, type JsonValue } from "./json.ts";
import { getLogger } from "./task-logger.ts";
import type { TaskFunction } from "./task-types.ts";

export type ArgNameMap<A> = { readonly [K in keyof A]?: string };
type Values = Readonly<Record<string, JsonValue>>;
type Names = Readonly<Record<string, string>>;

const valuesByView = new WeakMap<object, Values>();

/** Calls one of the functions that the author gave to `.map(...)`, by its number. */
export type CallFunction = (number: number, value: JsonValue) => JsonValue;

export interface GivenInputs {
  readonly bindings: readonly TryBinding[];
  /** What upstream tasks returned, by their id. */
  readonly xcoms: Readonly<Record<string, JsonValue>>;
}

/** Pairs each binding with its value. Throws for an upstream task that pushed nothing. */
export function resolveInputs({ bindings, xcoms }: GivenInputs, call: CallFunction): Record<string, JsonValue> {
  return Object.fromEntries(
    bindings.flatMap((binding): (readonly [string, JsonValue])[] => {
      if (binding.kind === "mapped_dict") return dictEntries(binding, bindings, call);
      return [[binding.name, binding.kind === "mapped" ? mappedInput(binding, call) : resolveInput(binding, xcoms)]];
    }),
  );
}

function mappedInput({ value, key }: Extract<TryBinding, { kind: "mapped" }>, call: CallFunction): JsonValue {
  const found = applyMapped(value, call);
  return key === null ? found : memberOf(found, key);
}

function dictEntries(
  { value, strict }: Extract<TryBinding, { kind: "mapped_dict" }>,
  all: readonly TryBinding[],
  call: CallFunction,
) {
  const dict = assertDict(applyMapped(value, call), "expandKwargs maps over");
  const twice = Object.keys(dict).find((key) => strict && all.some(({ name }) => name === key));
  if (twice !== undefined) throw new Error(`Input "${twice}" is given twice: by partial and by expandKwargs`);
  return Object.entries(dict);
}

function applyMapped(value: MappedValue, call: CallFunction): JsonValue {
  switch (value.kind) {
    case "value":
      return value.value;
    case "call":
      return call(value.function, applyMapped(value.of, call));
    case "tuple":
      return value.of.map((part) => applyMapped(part, call));
    case "item":
      throw new Error(`Item ${value.index} of what "${value.task_id}" returned was not read`);
  }
}

function memberOf(value: JsonValue, key: string): JsonValue {
  const member = assertDict(value, "The group maps over")[key];
  if (member === undefined) throw new Error(`What the group is mapped over has no "${key}"`);
  return member;
}

function assertDict(value: JsonValue, what: string): { readonly [key: string]: JsonValue } {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new Error(`${what} objects of named inputs, but one of them is ${describeValue(value)}`);
}

function resolveInput(
  binding: Extract<TryBinding, { kind: "xcom" | "literal" }>,
  xcomInputs: Readonly<Record<string, JsonValue>>,
): JsonValue {
  if (binding.kind === "literal") return binding.value;
  const value = Object.hasOwn(xcomInputs, binding.task_id) ? xcomInputs[binding.task_id] : undefined;
  if (value === undefined) throw new Error(`Input "${binding.name}": task "${binding.task_id}" pushed no return_value`);
  return value;
}

/** The view of `values` that a handler gets. */
export function createArguments(values: Values): object {
  if (Object.keys(values).length === 0) return Object.freeze({});
  return createView(values, {});
}

/** Reads inputs under other names than those they arrive by, for Dags that are written in another language. */
export function withArgNames<A, R>(names: ArgNameMap<NoInfer<A>>, handler: TaskFunction<A, R>): TaskFunction<A, R> {
  const checked = assertNames(names);
  if (typeof handler !== "function") throw new Error(`withArgNames takes a handler, not ${describeValue(handler)}`);
  return function wrapped(args: A): R | Promise<R> {
    const values = typeof args === "object" && args !== null ? valuesByView.get(args) : undefined;
    // Without a view there were no inputs, and nothing to rename.
    return handler(values === undefined ? args : (createView(values, checked) as A));
  };
}

function assertNames(names: unknown): Names {
  if (!isPlainObject(names))
    throw new Error(`The names of withArgNames must be a plain object, not ${describeValue(names)}`);
  const wrong = Object.entries(names).find(([, name]) => typeof name !== "string" || name === "");
  if (wrong !== undefined)
    throw new Error(
      `withArgNames: the name for "${wrong[0]}" must be a non-empty string, not ${describeValue(wrong[1])}`,
    );
  // Every value was just seen to be a string.
  return { ...names } as Names;
}

function createView(values: Values, names: Names): object {
  const byFoldedName = foldNames(values);
  const find = (name: string): string | null => {
    if (Object.hasOwn(names, name)) return Object.hasOwn(values, names[name] ?? "") ? (names[name] ?? null) : null;
    return Object.hasOwn(values, name) ? name : (byFoldedName.get(fold(name)) ?? null);
  };
  const target: Record<string, JsonValue> = Object.assign(Object.create(null), values);
  const refuse = (): never => {
    throw new TypeError("The inputs of a task are read-only");
  };
  const view = new Proxy(target, {
    get: (_, name) => {
      if (typeof name === "symbol") return undefined;
      const wireName = find(name);
      if (wireName !== null) return values[wireName];
      getLogger().warning(`The handler reads input "${name}", but its inputs are ${Object.keys(values).join(", ")}`);
      return undefined;
    },
    has: (_, name) => typeof name === "string" && find(name) !== null,
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
    setPrototypeOf: refuse,
    preventExtensions: refuse,
  });
  valuesByView.set(view, values);
  return view;
}

function foldNames(values: Values): Map<string, string> {
  const folded = new Map<string, string>();
  for (const name of Object.keys(values)) {
    const other = folded.get(fold(name));
    if (other !== undefined)
      throw new Error(`The inputs "${other}" and "${name}" can't be told apart: they differ only in case and "_"`);
    folded.set(fold(name), name);
  }
  return folded;
}

function fold(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}
