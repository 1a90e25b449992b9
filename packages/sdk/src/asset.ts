/**
 * Assets as authors name them: identities without a state of their own, frozen, comparable by what they say.
 *
 * `Asset` and its references are Airflow's; aliases and conditions come with `@updraft/sdk`.
 */
import type { AssetReference, AssetCondition as Condition, JsonValue } from "@updraft/dag-core";
import { type AssetWatcher, readWatchers } from "./asset-watcher.ts";
import { type BrandKind, brand, brandOf, foreignCopy } from "./brand.ts";
import { copyJson, describeValue, isPlainObject } from "./json.ts";

export interface AssetSpec {
  /** Unset: the uri. */
  readonly name?: string | undefined;
  /** Unset: the name. */
  readonly uri?: string | undefined;
  readonly group?: string | undefined;
  readonly extra?: Readonly<Record<string, JsonValue>> | undefined;
}

export interface UpdraftAssetSpec extends AssetSpec {
  /** What looks after the asset from outside and writes its events. */
  readonly watchers?: readonly AssetWatcher[] | undefined;
}

export type AssetRefSpec = { readonly name: string } | { readonly uri: string };

/** An asset that is declared elsewhere, by its name. */
export interface AssetNameRef {
  readonly name: string;
}
/** An asset that is declared elsewhere, by its uri. */
export interface AssetUriRef {
  readonly uri: string;
}
export type AssetRef = AssetNameRef | AssetUriRef;

/** What a task or a DAG reads or writes: a file, a table, a model. Known by its name and its uri together. */
export class Asset {
  readonly name: string;
  readonly uri: string;
  readonly group: string;
  readonly extra: Readonly<Record<string, JsonValue>>;
  readonly watchers: readonly AssetWatcher[];

  constructor(spec: UpdraftAssetSpec) {
    const { name, uri, group, extra, watchers } = readSpec(spec);
    this.name = name;
    this.uri = uri;
    this.group = group;
    this.extra = extra;
    this.watchers = watchers;
    const watched = watchers.map(({ name: watcher, trigger }) => ({ name: watcher, ...trigger }));
    const condition = { kind: "asset", name, uri, group, extra } as const;
    remember(this, "Asset", watched.length === 0 ? condition : { ...condition, watchers: watched });
  }

  /** An asset that is declared elsewhere. */
  static ref(spec: { readonly name: string }): AssetNameRef;
  static ref(spec: { readonly uri: string }): AssetUriRef;
  static ref(spec: AssetRefSpec): AssetRef {
    if (!isPlainObject(spec)) throw new TypeError(`Asset.ref takes { name } or { uri }, not ${describeValue(spec)}`);
    const { name, uri, ...rest } = spec as { readonly name?: unknown; readonly uri?: unknown };
    if ((name === undefined) === (uri === undefined) || Object.keys(rest).length > 0)
      throw new TypeError("Asset.ref takes either { name } or { uri }");
    if (name !== undefined) {
      const text = assertText("name", name);
      return remember({ name: text }, "AssetNameRef", { kind: "name_ref", name: text });
    }
    const text = assertText("uri", uri);
    return remember({ uri: text }, "AssetUriRef", { kind: "uri_ref", uri: text });
  }
}

/** A name under which tasks write events of assets that are known only when they run. */
export class AssetAlias {
  /** Tells it from an asset, which has a name too. */
  readonly kind = "alias";
  readonly name: string;
  readonly group: string;

  constructor(name: string, options: { readonly group?: string | undefined } = {}) {
    this.name = assertText("name", name);
    this.group = options.group ?? "asset";
    remember(this, "AssetAlias", { kind: "alias", name: this.name, group: this.group });
  }
}

/** What a schedule may wait for. */
export type AssetExpression = Asset | AssetRef | AssetAlias | AssetConditionRef;

/** Assets joined by `assetAll` or `assetAny`. */
export interface AssetConditionRef {
  readonly kind: "all" | "any";
  readonly conditions: readonly AssetExpression[];
}

/** Met when every part is (Airflow's `&`). */
export function assetAll(...conditions: readonly AssetExpression[]): AssetConditionRef {
  return join("all", conditions);
}

/** Met when one part is (Airflow's `|`). */
export function assetAny(...conditions: readonly AssetExpression[]): AssetConditionRef {
  return join("any", conditions);
}

/** What an author's object says; null where it is none of these. Throws for objects of another copy of the SDK. */
export function conditionOf(value: unknown): Condition | null {
  if (typeof value !== "object" || value === null) return null;
  const known = conditions.get(value);
  if (known !== undefined) return known;
  const kind = brandOf(value);
  if (kind !== null && ASSET_KINDS.includes(kind)) throw foreignCopy("The asset");
  return null;
}

/** The same for what an inlet or outlet may be. */
export function referenceOf(value: unknown): AssetReference | null {
  const condition = conditionOf(value);
  return condition === null || "conditions" in condition ? null : condition;
}

const ASSET_KINDS: readonly BrandKind[] = ["Asset", "AssetNameRef", "AssetUriRef", "AssetAlias", "AssetCondition"];
const conditions = new WeakMap<object, Condition>();

function remember<T extends object>(target: T, kind: BrandKind, condition: Condition): T {
  conditions.set(brand(target, kind), condition);
  return Object.freeze(target);
}

function join(kind: "all" | "any", parts: readonly AssetExpression[]): AssetConditionRef {
  const name = kind === "all" ? "assetAll" : "assetAny";
  if (parts.length === 0) throw new TypeError(`${name} needs at least one asset`);
  const joined = parts.map((part) => {
    const condition = conditionOf(part);
    if (condition === null) throw new TypeError(`${name} takes assets, not ${describeValue(part)}`);
    return condition;
  });
  return remember({ kind, conditions: Object.freeze([...parts]) }, "AssetCondition", { kind, conditions: joined });
}

function readSpec(spec: UpdraftAssetSpec) {
  if (!isPlainObject(spec)) throw new TypeError(`An asset takes { name, uri }, not ${describeValue(spec)}`);
  const {
    name,
    uri,
    group = "asset",
    extra = {},
    watchers = [],
    ...rest
  } = spec as UpdraftAssetSpec & Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new TypeError(`Unknown option "${unknown}" for an asset`);
  if (name === undefined && uri === undefined) throw new TypeError("An asset needs a name or a uri");
  const copied = copyJson(extra, "The extra of an asset") as Readonly<Record<string, JsonValue>>;
  return {
    name: assertText("name", name ?? uri),
    uri: assertText("uri", uri ?? name),
    group: assertText("group", group),
    extra: Object.freeze(copied),
    watchers: readWatchers(watchers),
  };
}

function assertText(part: string, value: unknown): string {
  if (typeof value !== "string" || value.trim() === "")
    throw new TypeError(`The ${part} of an asset must be a non-empty string, not ${describeValue(value)}`);
  return value;
}
