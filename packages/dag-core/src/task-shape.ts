/**
 * What the place of a task in its DAG asks of its instances, beyond their direct upstream tasks. Computed once for a
 * version; for a task without setups, teardowns and deciders around it every list is empty and nothing is ever read.
 */
import { downstreamIds, upstreamIds } from "./graph.ts";
import { mappingUnits } from "./mapping-unit.ts";
import type { SerializedDag, SerializedTask } from "./model.ts";
import { type RetryingGroup, retryingGroups } from "./retry-progress.ts";

export interface TaskShape {
  /** Setups further up that must succeed: those whose teardown is below the task, or that have none. */
  readonly indirectSetups: readonly string[];
  /** Direct setups, where the trigger rule asks how they ended. */
  readonly directSetups: readonly string[];
  /** Of a teardown: tasks between its setups and itself that are no direct upstream. It waits for each. */
  readonly scope: readonly string[];
  /** Direct upstream tasks that may have decided against this one. */
  readonly deciders: readonly Decider[];
  /** One instance for each map index, or until that is known a placeholder for all. */
  readonly isMapped: boolean;
  /** Groups with retries that hold a direct upstream task but not this one. */
  readonly retryingGroups: readonly string[];
}

export interface Decider {
  readonly task_id: string;
  /** One instance for each map index: each decides for its own index. */
  readonly isMapped: boolean;
}

type Edges = ReadonlyMap<string, readonly string[]>;

interface Graph {
  readonly tasks: ReadonlyMap<string, SerializedTask>;
  readonly up: Edges;
  readonly down: Edges;
  readonly mapped: ReadonlySet<string>;
  readonly groups: readonly RetryingGroup[];
}

/** The shape of every task, by id. */
export function taskShapes(dag: SerializedDag): Map<string, TaskShape> {
  const graph = {
    tasks: new Map(dag.tasks.map((task) => [task.task_id, task])),
    up: upstreamIds(dag),
    down: downstreamIds(dag),
    mapped: new Set(mappingUnits(dag).keys()),
    groups: retryingGroups(dag),
  };
  const hasSetups = dag.tasks.some(({ is_setup }) => is_setup);
  return new Map(dag.tasks.map((task) => [task.task_id, shapeOf(task, graph, hasSetups)]));
}

/** By task, those that must be looked at again when it ends though they are no direct successors of it. */
export function distantWatchers(shapes: ReadonlyMap<string, TaskShape>): Map<string, string[]> {
  const watchers = new Map<string, string[]>();
  for (const [id, { indirectSetups, scope }] of shapes) {
    for (const watched of [...indirectSetups, ...scope]) watchers.set(watched, [...(watchers.get(watched) ?? []), id]);
  }
  return watchers;
}

function shapeOf(task: SerializedTask, graph: Graph, hasSetups: boolean): TaskShape {
  const upstream = graph.up.get(task.task_id) ?? [];
  const direct = upstream.flatMap((id) => graph.tasks.get(id) ?? []);
  const asksSetups = task.trigger_rule === "all_done_setup_success";
  const waitsForAll = hasSetups && task.trigger_rule !== "always";
  return {
    indirectSetups:
      waitsForAll && !task.is_teardown ? relevantSetups(task, graph).filter((id) => !upstream.includes(id)) : [],
    directSetups: asksSetups ? direct.filter(({ is_setup }) => is_setup).map(({ task_id }) => task_id) : [],
    scope: waitsForAll && task.is_teardown ? teardownScope(task, graph).filter((id) => !upstream.includes(id)) : [],
    deciders: direct
      .filter(({ can_skip_downstream }) => can_skip_downstream)
      .map(({ task_id }) => ({ task_id, isMapped: graph.mapped.has(task_id) })),
    isMapped: graph.mapped.has(task.task_id),
    retryingGroups: graph.groups
      .filter(({ task_ids }) => !task_ids.has(task.task_id) && upstream.some((id) => task_ids.has(id)))
      .map(({ group_id }) => group_id),
  };
}

/** Setups above a task that are still open there: torn down below it, or never. */
function relevantSetups(task: SerializedTask, graph: Graph): string[] {
  const above = reach(task.task_id, graph.up);
  const below = reach(task.task_id, graph.down);
  return [...above].filter((id) => {
    if (graph.tasks.get(id)?.is_setup !== true) return false;
    const teardowns = teardownsOf(id, graph);
    return teardowns.length === 0 || teardowns.some((teardown) => below.has(teardown));
  });
}

function teardownScope(teardown: SerializedTask, graph: Graph): string[] {
  const setups = (graph.up.get(teardown.task_id) ?? []).filter((id) => graph.tasks.get(id)?.is_setup === true);
  const above = reach(teardown.task_id, graph.up);
  const between = new Set(setups.flatMap((id) => [...reach(id, graph.down)]));
  return [...between].filter((id) => above.has(id));
}

function teardownsOf(setup: string, { down, tasks }: Graph): string[] {
  return (down.get(setup) ?? []).filter((id) => tasks.get(id)?.is_teardown === true);
}

function reach(from: string, edges: Edges): Set<string> {
  const reached = new Set(edges.get(from) ?? []);
  for (const id of reached) for (const next of edges.get(id) ?? []) reached.add(next);
  return reached;
}

/**
 * The tasks whose states decide a run: those without a successor, where a teardown counts only if its failure is to
 * fail the run. A task followed by such teardowns alone is a leaf; a DAG of nothing but teardowns has its real leaves.
 */
export function effectiveLeaves(dag: SerializedDag): string[] {
  const tasks = new Map(dag.tasks.map((task) => [task.task_id, task]));
  const isIgnored = (id: string): boolean => {
    const task = tasks.get(id);
    return task?.is_teardown === true && !task.on_failure_fail_dagrun;
  };
  const down = downstreamIds(dag);
  const found = [...down].filter(([id, targets]) => !isIgnored(id) && targets.every(isIgnored)).map(([id]) => id);
  if (found.length > 0) return found;
  return [...down].filter(([, targets]) => targets.length === 0).map(([id]) => id);
}
