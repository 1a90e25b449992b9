/**
 * The shape of a DAG: who waits for whom. Every function here treats unknown successors as absent, because
 * `validateDag` reports them and a store may still ask about a half-broken DAG.
 */
import type { SerializedDag } from "./model.ts";

type Edges = Map<string, string[]>;

/** Direct successors per task, in declaration order, without successors that don't exist. */
export function downstreamIds(dag: SerializedDag): Edges {
  const known = new Set(dag.tasks.map((task) => task.task_id));
  return new Map(dag.tasks.map((task) => [task.task_id, task.downstream_task_ids.filter((id) => known.has(id))]));
}

/** Direct predecessors per task; every task has an entry. */
export function upstreamIds(dag: SerializedDag): Edges {
  const upstream: Edges = new Map(dag.tasks.map((task) => [task.task_id, []]));
  for (const [from, targets] of downstreamIds(dag)) {
    for (const target of targets) upstream.get(target)?.push(from);
  }
  return upstream;
}

/**
 * Every task after all of its predecessors; among equals declaration order holds. Throws on a cycle: callers hold a
 * DAG that `validateDag` accepted.
 */
export function topologicalOrder(dag: SerializedDag): string[] {
  const downstream = downstreamIds(dag);
  const waitingFor = new Map([...upstreamIds(dag)].map(([id, upstream]) => [id, upstream.length]));
  const order = [...waitingFor].filter(([, count]) => count === 0).map(([id]) => id);
  for (const id of order) {
    for (const target of downstream.get(id) ?? []) {
      const left = (waitingFor.get(target) ?? 0) - 1;
      waitingFor.set(target, left);
      if (left === 0) order.push(target);
    }
  }
  if (order.length !== waitingFor.size)
    throw new Error(`DAG ${dag.dag_id} has a cycle: ${findCycle(dag)?.join(" >> ")}`);
  return order;
}

/** The named tasks and everything transitively upstream or downstream of them. Unknown ids are dropped. */
export function closure(
  dag: SerializedDag,
  taskIds: Iterable<string>,
  direction: "upstream" | "downstream",
): Set<string> {
  const edges = direction === "upstream" ? upstreamIds(dag) : downstreamIds(dag);
  const reached = new Set([...taskIds].filter((id) => edges.has(id)));
  for (const id of reached) {
    for (const next of edges.get(id) ?? []) reached.add(next);
  }
  return reached;
}

/** One cycle as `[a, b, a]`, or null. Iterative, because a long chain must not overflow the stack. */
export function findCycle(dag: SerializedDag): string[] | null {
  const downstream = downstreamIds(dag);
  const done = new Set<string>();
  for (const root of downstream.keys()) {
    const cycle = cycleFrom(root, downstream, done);
    if (cycle !== null) return cycle;
  }
  return null;
}

interface Visit {
  readonly id: string;
  next: number;
}

function cycleFrom(root: string, downstream: Edges, done: Set<string>): string[] | null {
  const path: Visit[] = done.has(root) ? [] : [{ id: root, next: 0 }];
  const onPath = new Set(path.map((visit) => visit.id));
  for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
    const target = downstream.get(visit.id)?.[visit.next];
    visit.next += 1;
    if (target === undefined) {
      done.add(visit.id);
      onPath.delete(visit.id);
      path.pop();
    } else if (onPath.has(target)) {
      const ids = path.map((step) => step.id);
      return [...ids.slice(ids.indexOf(target)), target];
    } else if (!done.has(target)) {
      onPath.add(target);
      path.push({ id: target, next: 0 });
    }
  }
  return null;
}
