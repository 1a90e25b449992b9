/**
 * Groups and runs that run again as a whole: Updraft's own, asked of Airflow since 2022.
 *
 *   a task of the group fails for good ──► failed: tasks outside that come after the group wait for what becomes of it
 *     the group's other tasks have ended ──► waiting until `due_at`, while retries are left
 *       due ──► every task of the group is cleared; running, with one retry less
 *   no retries left: the failure counts outside as any other, and for the group around it
 *
 *   a run that would end failed ──► keeps running until `due_at` ──► what failed is cleared, what succeeded stays
 */

import { closure } from "./graph.ts";
import { isoText } from "./instant-text.ts";
import type { Instant, SerializedDag, SerializedTaskGroup, TaskInstanceState } from "./model.ts";
import { isFinished } from "./state-sets.ts";
import { clearScope } from "./task-scope.ts";

/** How far something that may run again has come. */
export interface RetryProgress {
  /** Retries used. */
  readonly used: number;
  /** Something in it failed for good since it last started. */
  readonly failed: boolean;
  /** When it runs again; null: it is not waiting for that. */
  readonly due_at: Instant | null;
}

export interface RunRetries {
  readonly run: RetryProgress;
  /** By group id; groups that are absent have not failed. */
  readonly groups: Readonly<Record<string, RetryProgress>>;
}

export const NO_RETRIES: RunRetries = { run: { used: 0, failed: false, due_at: null }, groups: {} };
const FRESH: RetryProgress = { used: 0, failed: false, due_at: null };

/** A group that may run again. */
export interface RetryingGroup {
  readonly group_id: string;
  readonly retries: number;
  /** Seconds. */
  readonly retry_delay: number;
  /** Its tasks, those of inner groups included. */
  readonly task_ids: ReadonlySet<string>;
}

/** Inner groups before those around them. */
export function retryingGroups({ task_group }: Pick<SerializedDag, "task_group">): RetryingGroup[] {
  const found: RetryingGroup[] = [];
  const visit = (group: SerializedTaskGroup): Set<string> => {
    const ids = new Set<string>();
    for (const child of group.children) {
      if ("task_id" in child) ids.add(child.task_id);
      else for (const id of visit(child.group)) ids.add(id);
    }
    const { group_id, retries, retry_delay } = group;
    if (group_id !== null && retries > 0) found.push({ group_id, retries, retry_delay, task_ids: ids });
    return ids;
  };
  visit(task_group);
  return found;
}

/** After a task failed for good: the innermost group around it that has a retry left is marked, and no other. */
export function noteFailure(
  groups: readonly RetryingGroup[],
  retries: RunRetries | null,
  taskId: string,
): RunRetries | null {
  const known = retries ?? NO_RETRIES;
  const group = groups.find((one) => one.task_ids.has(taskId) && progressOf(known, one).used < one.retries);
  if (group === undefined || progressOf(known, group).failed) return retries;
  return withGroup(known, group, { ...progressOf(known, group), failed: true });
}

export interface GroupMember {
  readonly task_id: string;
  readonly state: TaskInstanceState;
}

export type GroupVerdict =
  /** Some of its tasks have not ended. */
  | { readonly kind: "running" }
  /** Nothing in it is failed any more: somebody marked it. */
  | { readonly kind: "well"; readonly retries: RunRetries }
  | { readonly kind: "waiting"; readonly retries: RunRetries; readonly due_at: Instant; readonly cause: string };

/** A group that failed, once its tasks may all have ended. */
export function evaluateGroup(
  group: RetryingGroup,
  retries: RunRetries,
  { members, now }: { readonly members: readonly GroupMember[]; readonly now: Instant },
): GroupVerdict {
  const own = members.filter(({ task_id }) => group.task_ids.has(task_id));
  if (own.some(({ state }) => !isFinished(state))) return { kind: "running" };
  const failed = own.filter(({ state }) => state === "failed");
  const progress = progressOf(retries, group);
  if (failed.length === 0) return { kind: "well", retries: withGroup(retries, group, { ...progress, failed: false }) };
  const due_at = now + Math.round(group.retry_delay * 1000);
  const cause = `Task group ${group.group_id} failed at ${failed.map(({ task_id }) => task_id).join(", ")}; retry ${progress.used + 1} of ${group.retries} starts after ${isoText(due_at)}`;
  return { kind: "waiting", retries: withGroup(retries, group, { ...progress, due_at }), due_at, cause };
}

/** Groups that failed and are not yet waiting for their retry. */
export function failedGroups(groups: readonly RetryingGroup[], retries: RunRetries | null): RetryingGroup[] {
  if (retries === null) return [];
  return groups.filter((group) => {
    const { failed, due_at } = progressOf(retries, group);
    return failed && due_at === null;
  });
}

/** Groups whose retry is due. */
export function dueGroups(groups: readonly RetryingGroup[], retries: RunRetries | null, now: Instant): RetryingGroup[] {
  if (retries === null) return [];
  return groups.filter((group) => (progressOf(retries, group).due_at ?? Number.POSITIVE_INFINITY) <= now);
}

/** A retry of a group begins; the groups inside of it have all their retries again. */
export function beginGroup(groups: readonly RetryingGroup[], retries: RunRetries, group: RetryingGroup): RunRetries {
  const inner = groups.filter((one) => one !== group && [...one.task_ids].every((id) => group.task_ids.has(id)));
  const kept = Object.entries(retries.groups).filter(([id]) => !inner.some(({ group_id }) => group_id === id));
  const used = progressOf(retries, group).used + 1;
  return withGroup({ ...retries, groups: Object.fromEntries(kept) }, group, { used, failed: false, due_at: null });
}

/** Why a task outside must wait for groups that come before it; null: it need not. */
export function heldByGroup(groupIds: readonly string[], retries: RunRetries | null): string | null {
  const id = groupIds.find((one) => retries?.groups[one]?.failed === true);
  return id === undefined ? null : `Task group ${id} failed and runs again`;
}

/** True while the run or a group in it waits for a retry; such a run has not ended. */
export function awaitsRetry(retries: RunRetries | null): boolean {
  if (retries === null) return false;
  return [retries.run, ...Object.values(retries.groups)].some(({ failed, due_at }) => failed || due_at !== null);
}

/** The retry of a run that would end failed; null: none is left. */
export function retryRun(
  { retries: most, retry_delay }: Pick<SerializedDag, "retries" | "retry_delay">,
  retries: RunRetries | null,
  now: Instant,
): { readonly retries: RunRetries; readonly due_at: Instant; readonly cause: string } | null {
  const { run, groups } = retries ?? NO_RETRIES;
  if (run.used >= most) return null;
  const due_at = now + Math.round(retry_delay * 1000);
  const cause = `Failed; retry ${run.used + 1} of ${most} starts after ${isoText(due_at)}`;
  return { retries: { run: { ...run, due_at }, groups }, due_at, cause };
}

/** A retry of the run begins; its groups have all their retries again. */
export function beginRun({ run }: RunRetries): RunRetries {
  return { run: { used: run.used + 1, failed: false, due_at: null }, groups: {} };
}

/**
 * The instances that a retry of the run clears: what failed, what was skipped after it, and the setups and teardowns
 * that those need. What else succeeded keeps its results.
 */
export function failedPart<I extends GroupMember>(dag: SerializedDag, instances: readonly I[]): I[] {
  const failed = instances.filter(({ state }) => state === "failed" || state === "upstream_failed");
  const below = closure(
    dag,
    failed.map(({ task_id }) => task_id),
    "downstream",
  );
  const part = instances.filter(
    ({ task_id, state }) =>
      state === "failed" ||
      state === "upstream_failed" ||
      (state === "skipped" && (dag.fail_fast || below.has(task_id))),
  );
  const ids = new Set(part.map(({ task_id }) => task_id));
  const scope = clearScope(dag, { task_ids: [...ids], include_upstream: false, include_downstream: false });
  return instances.filter((one) => part.includes(one) || (scope.has(one.task_id) && !ids.has(one.task_id)));
}

function progressOf({ groups }: RunRetries, { group_id }: RetryingGroup): RetryProgress {
  return groups[group_id] ?? FRESH;
}

function withGroup(retries: RunRetries, { group_id }: RetryingGroup, progress: RetryProgress): RunRetries {
  return { ...retries, groups: { ...retries.groups, [group_id]: progress } };
}
