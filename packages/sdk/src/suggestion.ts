/** "Did you mean" as the ending of an error message. */
import { suggest } from "@updraft/dag-core";

/** Empty where no known name is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const meant = suggest(name, known);
  return meant === null ? "" : `; did you mean "${meant}"?`;
}
