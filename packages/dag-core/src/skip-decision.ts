/**
 * Deciders (`if`, `switch`, branch operators) leave their choice in the XCom `skipmixin_key`, so that a task cleared
 * later is skipped again when the decider did not choose it.
 */
import type { JsonValue } from "./model.ts";

/** Key of the XCom a decider leaves behind. */
export const SKIP_DECISION_KEY = "skipmixin_key";

/** True when the decider's stored choice says that `taskId`, a direct successor, is to be skipped. */
export function skipDecision(xcomValue: JsonValue | undefined, taskId: string): boolean {
  if (xcomValue === undefined || xcomValue === null || typeof xcomValue !== "object" || Array.isArray(xcomValue))
    return false;
  const { followed, skipped } = xcomValue;
  if (Array.isArray(followed)) return !followed.includes(taskId);
  return Array.isArray(skipped) && skipped.includes(taskId);
}
