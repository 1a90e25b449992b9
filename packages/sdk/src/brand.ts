/**
 * Marks by which objects of another copy of the SDK are recognised.
 *
 * Two copies of the package in one process would each hold half of a graph. The marks are registered symbols, so a
 * foreign object is seen as what it is and refused with a hint, never taken silently.
 */
export type BrandKind =
  | "Dag"
  | "TaskRef"
  | "TaskGroupRef"
  | "Bundle"
  | "TaskHandler"
  | "Operator"
  | "Condition"
  | "Branch"
  | "Label"
  | "Asset"
  | "AssetNameRef"
  | "AssetUriRef"
  | "AssetAlias"
  | "AssetCondition"
  | "AssetSchedule"
  | "AssetWatcher";

const BRANDED_KINDS: readonly BrandKind[] = [
  "Dag",
  "TaskRef",
  "TaskGroupRef",
  "Bundle",
  "TaskHandler",
  "Operator",
  "Condition",
  "Branch",
  "Label",
  "Asset",
  "AssetNameRef",
  "AssetUriRef",
  "AssetAlias",
  "AssetCondition",
  "AssetSchedule",
  "AssetWatcher",
];

function symbolOf(kind: BrandKind): symbol {
  return Symbol.for(`airflow.ts-sdk.${kind}`);
}

/** Marks `target`, invisibly to enumeration, and returns it. */
export function brand<T extends object>(target: T, kind: BrandKind): T {
  Object.defineProperty(target, symbolOf(kind), { value: true });
  return target;
}

/** The mark of `value`, of whichever copy of the SDK. */
export function brandOf(value: unknown): BrandKind | null {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return null;
  return BRANDED_KINDS.find((kind) => Object.hasOwn(value, symbolOf(kind))) ?? null;
}

/** The sentence for an object that another copy of the SDK made. */
export function foreignCopy(what: string): Error {
  return new Error(
    `${what} was made by another copy of the SDK package; deduplicate it (npm dedupe) so that one copy is loaded`,
  );
}
