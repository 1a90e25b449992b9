/**
 * JSON as the SDK sees it: what may be a literal input, a configuration or an XCom, and the check that says where a
 * value stops being JSON.
 */
import type { JsonValue } from "@updraft/dag-core";

export type { JsonValue };

/** The JSON part of `T`. What JSON can't carry (functions, dates, methods of classes) becomes `never`. */
export type JsonCompatible<T> = unknown extends T
  ? JsonValue
  : T extends string | number | boolean | null
    ? T
    : T extends Date | ((...args: never[]) => unknown) | symbol | bigint
      ? never
      : T extends object
        ? { [K in keyof T]: JsonCompatible<T[K]> }
        : never;

/** True for `{}` literals and null-prototype objects, false for class instances, arrays and null. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A strict JSON copy of `value`; throws with the path of the first part that is no JSON. */
export function copyJson(value: unknown, path: string): JsonValue {
  return copyPart(value, path, new Set());
}

function copyPart(value: unknown, path: string, seen: Set<object>): JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw new Error(`${path} must be plain JSON, but is ${value}`);
  }
  if (typeof value !== "object") throw new Error(`${path} must be plain JSON, but is ${describeValue(value)}`);
  if (seen.has(value)) throw new Error(`${path} must be plain JSON, but refers to itself`);
  seen.add(value);
  const copy = Array.isArray(value)
    ? value.map((item, index) => copyPart(item, `${path}[${index}]`, seen))
    : copyObject(value, path, seen);
  seen.delete(value);
  return copy;
}

function copyObject(value: object, path: string, seen: Set<object>): JsonValue {
  if (!isPlainObject(value)) throw new Error(`${path} must be plain JSON, but is ${describeValue(value)}`);
  if (Object.getOwnPropertySymbols(value).length > 0)
    throw new Error(`${path} must be plain JSON, but has a symbol key`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyPart(item, `${path}.${key}`, seen)]));
}

/** How an error message names a value: short, and never its content beyond a few characters. */
export function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
    case "number":
    case "boolean":
    case "bigint":
    case "undefined":
      return String(value);
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    default:
      return isPlainObject(value) ? "an object" : `a ${value.constructor?.name || "class"} instance`;
  }
}

/** What JSON keeps of a value: dates become strings, undefined properties vanish. Throws where nothing is left. */
export function jsonRoundTrip(value: unknown, what: string): JsonValue {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new TypeError(`${what} can't be stored as JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  if (text === undefined) throw new TypeError(`${what} can't be stored as JSON: it is ${describeValue(value)}`);
  return copyJson(JSON.parse(text), what);
}
