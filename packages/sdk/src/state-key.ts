/** Keys of what tasks and assets keep. */
import { describeValue } from "./json.ts";

/** The key of a state, of a task or of an asset. */
export function assertKey(key: unknown): string {
  if (typeof key !== "string") throw new TypeError(`The key of a state must be a string, not ${describeValue(key)}`);
  if (key === "") throw new RangeError("The key of a state must not be empty");
  return key;
}
