/** Watchers: triggers that look after an asset from outside, and write its events while the asset is active. */
import { brand, brandOf, foreignCopy } from "./brand.ts";
import { describeValue } from "./json.ts";
import { isDefinedTrigger, type Trigger } from "./triggers.ts";

/** Runs `trigger`, one of `defineTrigger`, again and again; whatever it hands over becomes an event of the asset. */
export class AssetWatcher {
  /** Tells the watchers of an asset apart. */
  readonly name: string;
  readonly trigger: Trigger;

  constructor(name: string, trigger: Trigger) {
    if (typeof name !== "string" || name.trim() === "")
      throw new TypeError(`An AssetWatcher needs a name, not ${describeValue(name)}`);
    if (!isDefinedTrigger(trigger))
      throw new TypeError(
        `AssetWatcher "${name}" needs a trigger that defineTrigger made; timers and waits for runs watch no asset`,
      );
    this.name = name;
    this.trigger = trigger;
    brand(this, "AssetWatcher");
    Object.freeze(this);
  }
}

/** Throws unless all are watchers of this copy of the SDK, each under a name of its own. */
export function readWatchers(value: unknown): readonly AssetWatcher[] {
  if (!Array.isArray(value))
    throw new TypeError(`watchers must be a list of AssetWatcher, not ${describeValue(value)}`);
  const names = new Set<string>();
  for (const watcher of value as readonly unknown[]) {
    if (!(watcher instanceof AssetWatcher)) {
      if (typeof watcher === "object" && watcher !== null && brandOf(watcher) === "AssetWatcher")
        throw foreignCopy("The watcher");
      throw new TypeError(`watchers must be a list of AssetWatcher; one is ${describeValue(watcher)}`);
    }
    if (names.has(watcher.name)) throw new TypeError(`An asset has two watchers with the name "${watcher.name}"`);
    names.add(watcher.name);
  }
  return Object.freeze([...(value as readonly AssetWatcher[])]);
}
