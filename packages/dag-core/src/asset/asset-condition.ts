/**
 * Conditions over assets: a leaf is met by an event of its asset, of any member of its alias, or of the asset that its
 * reference finds; `all` and `any` combine conditions.
 */
import { assertNever } from "../assert.ts";
import type { AssetCondition, AssetReference, AssetTimetable, Timetable } from "../model.ts";

/** An event as conditions see it: its asset, and the aliases that the asset is a member of. */
export interface AssetEventFacts {
  readonly name: string;
  readonly uri: string;
  readonly aliases: readonly string[];
}

/** The schedule, where it asks for assets. */
export function assetSchedule(timetable: Timetable): AssetTimetable | null {
  return "condition" in timetable ? timetable : null;
}

export function isAssetConditionMet(condition: AssetCondition, events: readonly AssetEventFacts[]): boolean {
  switch (condition.kind) {
    case "all":
      return condition.conditions.every((part) => isAssetConditionMet(part, events));
    case "any":
      return condition.conditions.some((part) => isAssetConditionMet(part, events));
    default:
      return events.some((event) => concerns(condition, event));
  }
}

/** Whether a reference means the asset of an event. */
function concerns(reference: AssetReference, { name, uri, aliases }: AssetEventFacts): boolean {
  switch (reference.kind) {
    case "asset":
      return reference.name === name && reference.uri === uri;
    case "alias":
      return aliases.includes(reference.name);
    case "name_ref":
      return reference.name === name;
    case "uri_ref":
      return reference.uri === uri;
    default:
      return assertNever(reference);
  }
}

/** Every reference of a condition, in the order written; one that is written twice comes twice. */
export function assetReferences(condition: AssetCondition): AssetReference[] {
  return "conditions" in condition ? condition.conditions.flatMap(assetReferences) : [condition];
}

/** Several assets that must all have events need them together in one run; single ones need not. */
export function requiresBatching(condition: AssetCondition): boolean {
  if (!("conditions" in condition)) return false;
  const needsAll = condition.kind === "all" && condition.conditions.length > 1;
  return needsAll || condition.conditions.some(requiresBatching);
}
