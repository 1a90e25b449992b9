/**
 * Which tasks a request to clear or to mark means: names, groups and neighbours, and for a clear the setups and
 * teardowns that must run again with them.
 */
import { closure, downstreamIds, upstreamIds } from "./graph.ts";
import type { SerializedDag, SerializedTask, SerializedTaskGroup } from "./model.ts";

export interface ScopeNames {
  /** Ids of tasks and groups, or pairs of a task id and a map index. Null: everything. */
  readonly task_ids: readonly (string | readonly [string, number])[] | null;
  readonly include_upstream: boolean;
  readonly include_downstream: boolean;
}

/** Map indexes by task id; null stands for all of them. */
export type TaskScope = ReadonlyMap<string, ReadonlySet<number> | null>;

/** The named tasks and their neighbours. Names that the DAG doesn't have are left out: another version may have them. */
export function namedScope(dag: SerializedDag, wanted: ScopeNames): Map<string, ReadonlySet<number> | null> {
  if (wanted.task_ids === null) return new Map(dag.tasks.map(({ task_id }) => [task_id, null]));
  const scope = namedTasks(dag, wanted.task_ids);
  const named = [...scope.keys()];
  for (const direction of ["upstream", "downstream"] as const) {
    if (wanted[`include_${direction}`]) addAll(scope, closure(dag, named, direction));
  }
  return scope;
}

/** What is named, with the setups and teardowns that must run again with it. */
export function clearScope(dag: SerializedDag, wanted: ScopeNames): TaskScope {
  const scope = namedScope(dag, wanted);
  if (wanted.task_ids !== null) addAll(scope, companions(dag, [...scope.keys()]));
  return scope;
}

/** Ids of the tasks inside of a group, at any depth; undefined where there is no such group. */
export function tasksOfGroup(dag: SerializedDag, groupId: string): readonly string[] | undefined {
  const group = findGroup(dag.task_group, groupId);
  return group === undefined ? undefined : [...tasksIn(group)];
}

function namedTasks(dag: SerializedDag, entries: NonNullable<ScopeNames["task_ids"]>) {
  const known = new Set(dag.tasks.map(({ task_id }) => task_id));
  const scope = new Map<string, ReadonlySet<number> | null>();
  for (const entry of entries) {
    if (typeof entry === "string") {
      for (const id of known.has(entry) ? [entry] : (tasksOfGroup(dag, entry) ?? [])) scope.set(id, null);
    } else if (known.has(entry[0]) && scope.get(entry[0]) !== null) {
      scope.set(entry[0], new Set([...(scope.get(entry[0]) ?? []), entry[1]]));
    }
  }
  return scope;
}

/** Whole tasks; one that is in the scope with some of its indexes keeps them. */
function addAll(scope: Map<string, ReadonlySet<number> | null>, taskIds: Iterable<string>): void {
  for (const id of taskIds) if (!scope.has(id)) scope.set(id, null);
}

/**
 * The setups that are in effect where a task runs, with their teardowns: a setup whose teardown lies upstream as well
 * is over by then. A setup that is cleared itself takes its teardowns along.
 */
function* companions(dag: SerializedDag, taskIds: readonly string[]): Iterable<string> {
  const tasks = new Map(dag.tasks.map((task) => [task.task_id, task]));
  if (![...tasks.values()].some(({ is_setup }) => is_setup)) return;
  const downstream = downstreamIds(dag);
  const upstream = upstreamIds(dag);
  const teardownsOf = (setup: string) => (downstream.get(setup) ?? []).filter((id) => tasks.get(id)?.is_teardown);
  for (const id of taskIds) {
    if (tasks.get(id)?.is_setup) yield* teardownsOf(id);
    const before = reach(upstream, id);
    for (const other of before) {
      if (tasks.get(other)?.is_setup !== true) continue;
      const teardowns = teardownsOf(other);
      const isOver = teardowns.length > 0 && teardowns.every((one) => before.has(one) || one === id);
      const closesIt = teardowns.includes(id);
      if (isOver && !closesIt) continue;
      yield other;
      yield* teardowns;
    }
  }
}

function reach(edges: ReadonlyMap<string, readonly string[]>, from: SerializedTask["task_id"]): Set<string> {
  const reached = new Set(edges.get(from));
  for (const id of reached) for (const next of edges.get(id) ?? []) reached.add(next);
  return reached;
}

function findGroup(group: SerializedTaskGroup, id: string): SerializedTaskGroup | undefined {
  if (group.group_id === id) return group;
  for (const child of group.children) {
    const found = "group" in child ? findGroup(child.group, id) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function* tasksIn(group: SerializedTaskGroup): Iterable<string> {
  for (const child of group.children) {
    if ("group" in child) yield* tasksIn(child.group);
    else yield child.task_id;
  }
}
