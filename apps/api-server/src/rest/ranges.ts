/** `name_gte` and its siblings, as read from a query, as one range for the store. */
import type { RangeBound } from "@updraft/contract";
import type { InstantRange } from "@updraft/metadata-store";

type Bounds<Name extends string> = { readonly [Key in `${Name}_${RangeBound}`]?: unknown };

/** Undefined where no bound is given. */
export function rangeOf<Name extends string>(query: Bounds<Name>, name: Name): InstantRange | undefined {
  const bound = (suffix: RangeBound): number | undefined => {
    const value = query[`${name}_${suffix}`];
    return typeof value === "number" ? value : undefined;
  };
  const range = { gte: bound("gte"), gt: bound("gt"), lte: bound("lte"), lt: bound("lt") };
  return Object.values(range).every((value) => value === undefined) ? undefined : range;
}
