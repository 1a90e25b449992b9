/**
 * Trigger rules: may a task run, given how its direct upstream tasks ended?
 *
 * A rule first looks whether the task's end is already certain (`set`, which need not wait for the rest), then
 * whether it may run. Counts hold finished upstream tasks only, so `total` minus their sum is what is still open.
 */
import { assert, assertNever } from "./assert.ts";
import type { TriggerRule } from "./model.ts";

/** How many direct upstream task instances exist, and how many ended in which state. */
export interface UpstreamCounts {
  readonly total: number;
  readonly success: number;
  readonly failed: number;
  readonly upstream_failed: number;
  readonly skipped: number;
  readonly removed: number;
  /** How the direct setups among them ended; only `all_done_setup_success` asks. */
  readonly setups?: { readonly total: number; readonly success: number; readonly skipped: number };
}

export type TriggerRuleVerdict =
  | { readonly kind: "wait" }
  | { readonly kind: "run" }
  | { readonly kind: "set"; readonly state: "skipped" | "upstream_failed" | "removed"; readonly cause: string };

/** The rule's verdict. `mapIndex` matters only to the removal of surplus mapped tasks under `all_success`. */
export function evaluateTriggerRule(rule: TriggerRule, counts: UpstreamCounts, mapIndex = -1): TriggerRuleVerdict {
  assert(finished(counts) <= counts.total, "more upstream tasks finished than exist");
  if (counts.total === 0 || rule === "always") return { kind: "run" };
  const state = certainEnd(rule, counts, mapIndex);
  if (state !== null) return { kind: "set", state, cause: explain(rule, counts) };
  return mayRun(rule, counts) ? { kind: "run" } : { kind: "wait" };
}

type CertainEnd = "skipped" | "upstream_failed" | "removed" | null;

function certainEnd(rule: TriggerRule, c: UpstreamCounts, mapIndex: number): CertainEnd {
  const broken = c.failed + c.upstream_failed;
  const allDone = finished(c) === c.total;
  switch (rule) {
    case "all_success":
      if (broken > 0) return "upstream_failed";
      if (c.skipped > 0) return "skipped";
      return c.removed > 0 && c.success > 0 && mapIndex >= c.success ? "removed" : null;
    case "all_failed":
      return c.success + c.skipped > 0 ? "skipped" : null;
    case "all_done_min_one_success":
      if (c.skipped > 0) return "skipped";
      return allDone && c.success === 0 ? "upstream_failed" : null;
    case "one_success":
      if (!allDone || c.success > 0) return null;
      return c.skipped === c.total ? "skipped" : "upstream_failed";
    case "one_failed":
      return allDone && broken === 0 ? "skipped" : null;
    case "one_done":
      return allDone && c.success + c.failed === 0 ? "skipped" : null;
    case "none_failed":
      return broken > 0 ? "upstream_failed" : null;
    case "none_failed_min_one_success":
      if (broken > 0) return "upstream_failed";
      if (c.skipped === c.total) return "skipped";
      return allDone && c.success === 0 ? "upstream_failed" : null;
    case "none_skipped":
      return c.skipped > 0 ? "skipped" : null;
    case "all_skipped":
      return c.success + broken > 0 ? "skipped" : null;
    case "all_done_setup_success":
      if (!allDone || c.setups === undefined || c.setups.total === 0 || c.setups.success > 0) return null;
      return c.setups.skipped === c.setups.total ? "skipped" : "upstream_failed";
    case "all_done":
    case "always":
      return null;
    default:
      return assertNever(rule);
  }
}

function mayRun(rule: TriggerRule, c: UpstreamCounts): boolean {
  const broken = c.failed + c.upstream_failed;
  const allDone = finished(c) === c.total;
  switch (rule) {
    case "all_success":
      return c.success + c.removed >= c.total;
    case "all_failed":
      return broken + c.removed >= c.total;
    case "all_done":
    case "all_done_setup_success":
      return allDone;
    case "all_done_min_one_success":
      return c.skipped === 0 && c.success > 0 && c.success + broken >= c.total - c.removed;
    case "one_success":
      return c.success > 0;
    case "one_failed":
      return broken > 0;
    case "one_done":
      return c.success + c.failed > 0;
    case "none_failed":
      return c.success + c.skipped + c.removed >= c.total;
    case "none_failed_min_one_success":
      return c.success > 0 && c.success + c.skipped + c.removed >= c.total;
    case "none_skipped":
      return allDone && c.skipped === 0;
    case "all_skipped":
      return c.skipped >= c.total;
    case "always":
      return true;
    default:
      return assertNever(rule);
  }
}

function finished(c: UpstreamCounts): number {
  return c.success + c.failed + c.upstream_failed + c.skipped + c.removed;
}

function explain(rule: TriggerRule, c: UpstreamCounts): string {
  const parts = (["success", "failed", "upstream_failed", "skipped", "removed"] as const)
    .filter((state) => c[state] > 0)
    .map((state) => `${c[state]} ${state}`);
  return `Trigger rule ${rule}: of ${c.total} upstream tasks ${parts.join(", ")}`;
}
