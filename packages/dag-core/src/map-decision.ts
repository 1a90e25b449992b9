/**
 * When a mapped task or group is expanded, and what its producers must deliver.
 *
 *   placeholder (map index -1) ── its trigger rule lets it run ──► the sources ── one failed ──► upstream_failed
 *                                                                              ── one was skipped ──► skipped
 *                                                                              ── one is unfinished ──► waits
 *                                                                              ── all ended ──► length 0: skipped
 *                                                                                               length n: n instances
 */
import type { JsonValue, TaskInstanceState, TriggerRule } from "./model.ts";
import { isFinished } from "./state-sets.ts";
import { evaluateTriggerRule, type TriggerRuleVerdict, type UpstreamCounts } from "./trigger-rule.ts";

/** What is known of a task whose result is mapped over. */
export interface MapSourceFacts {
  readonly task_id: string;
  /** The state of its only instance; null too where it is mapped, as then the values of those that succeeded count. */
  readonly state: TaskInstanceState;
  readonly is_expanded: boolean;
  /** Instances that are not in a finished state. */
  readonly unfinished: number;
}

export type MapSourcesVerdict =
  | { readonly kind: "wait" }
  | { readonly kind: "ready" }
  | { readonly kind: "set"; readonly state: "skipped" | "upstream_failed"; readonly cause: string };

const WAITS_FOR_ALL: readonly TriggerRule[] = ["one_success", "one_failed", "one_done", "none_failed_min_one_success"];

/**
 * The verdict of its rule over an instance. Rules that fire early wait in a placeholder for everything upstream, since
 * each of its instances may find another end.
 */
export function evaluateMappedRule(
  rule: TriggerRule,
  counts: UpstreamCounts,
  instance: { readonly map_index: number; readonly is_mapped: boolean },
): TriggerRuleVerdict {
  const isPlaceholder = instance.is_mapped && instance.map_index < 0;
  const { total, success, failed, upstream_failed, skipped, removed } = counts;
  const open = total - success - failed - upstream_failed - skipped - removed;
  if (isPlaceholder && open > 0 && WAITS_FOR_ALL.includes(rule)) return { kind: "wait" };
  return evaluateTriggerRule(rule, counts, instance.map_index);
}

/** Whether everything that is mapped over is there. */
export function evaluateMapSources(sources: readonly MapSourceFacts[]): MapSourcesVerdict {
  const single = sources.filter(({ is_expanded }) => !is_expanded);
  const broken = single.find(({ state }) => state === "failed" || state === "upstream_failed");
  if (broken !== undefined)
    return { kind: "set", state: "upstream_failed", cause: `It is mapped over '${broken.task_id}', which failed` };
  if (single.some(({ state }) => !isFinished(state)) || sources.some(({ unfinished }) => unfinished > 0))
    return { kind: "wait" };
  const skipped = single.find(({ state }) => state === "skipped" || state === "removed");
  if (skipped === undefined) return { kind: "ready" };
  return { kind: "set", state: "skipped", cause: `It is mapped over '${skipped.task_id}', which was ${skipped.state}` };
}

/** The length of a result that is mapped over, or why it can't be. `undefined`: nothing was returned. */
export function mappedLength(
  value: JsonValue | undefined,
  maxMapLength: number,
): { readonly length: number } | { readonly problem: string } {
  if (value === undefined || value === null)
    return { problem: "XComForMappingNotPushed: it returned nothing, but a task is mapped over its result" };
  if (typeof value !== "object") {
    const problem = `UnmappableXComTypePushed: it returned a ${typeof value}; only a list or a dict can be mapped over`;
    return { problem };
  }
  const length = Array.isArray(value) ? value.length : Object.keys(value).length;
  const over = overLength(length, maxMapLength);
  return over === null ? { length } : { problem: `UnmappableXComLengthPushed: ${over}` };
}

/** The complaint about a length that is not allowed, or null. */
export function overLength(length: number, maxMapLength: number): string | null {
  if (length <= maxMapLength) return null;
  return `${length} mapped instances are more than max_map_length of ${maxMapLength} ([core] max_map_length, AIRFLOW__CORE__MAX_MAP_LENGTH)`;
}
