/**
 * The edges between tasks: those of inputs, those drawn between tasks, and those of groups, expanded.
 *
 * Roots and leaves of a group follow from the edges between tasks alone; edges of groups are expanded afterwards in the
 * order drawn, so their order can't change what a root is. An edge to or from an empty group is stepped over along the
 * group's own edges; on the upstream side the leaves of the enclosing group stand in where that leads nowhere.
 */
import type { DagModel, Edge, Endpoint, GroupRecord, TaskRecord } from "./dag-model.ts";
import { sourceTasks } from "./map-sources.ts";

/** Direct successors by task id, each list sorted. */
export function downstreamTaskIds(model: DagModel): Map<string, string[]> {
  const direct = directEdges(model);
  const expansion = new GroupExpansion(model.edges, direct);
  const all = new Map([...direct].map(([up, downs]) => [up, new Set(downs)]));
  for (const edge of model.edges) {
    if (edge.up.kind === "task" && edge.down.kind === "task") continue;
    for (const [up, down] of expansion.pairs(edge)) all.get(up)?.add(down);
  }
  return new Map(
    [...model.tasks.values()].map((task) => [
      task.taskId,
      [...(all.get(task) ?? [])].map((down) => down.taskId).toSorted(),
    ]),
  );
}

/** The tasks where an edge to a group arrives. */
export function rootsOf(model: DagModel, group: GroupRecord): TaskRecord[] {
  return new GroupExpansion(model.edges, directEdges(model)).entries(group);
}

/** The tasks of a group after which none of it comes. */
export function leavesOf(model: DagModel, group: GroupRecord): TaskRecord[] {
  return new GroupExpansion(model.edges, directEdges(model)).leaves(group);
}

type Successors = ReadonlyMap<TaskRecord, ReadonlySet<TaskRecord>>;

function directEdges(model: DagModel): Map<TaskRecord, Set<TaskRecord>> {
  const edges = new Map<TaskRecord, Set<TaskRecord>>();
  for (const task of model.tasks.values()) edges.set(task, new Set());
  for (const task of model.tasks.values()) {
    for (const input of task.inputs) if ("task" in input) edges.get(input.task)?.add(task);
    for (const source of task.expand === null ? [] : sourceTasks(task.expand)) edges.get(source)?.add(task);
  }
  for (const { up, down } of model.edges) if (up.kind === "task" && down.kind === "task") edges.get(up)?.add(down);
  return edges;
}

class GroupExpansion {
  readonly #edges: readonly Edge[];
  readonly #direct: Successors;

  constructor(edges: readonly Edge[], direct: Successors) {
    this.#edges = edges;
    this.#direct = direct;
  }

  pairs(edge: Edge): [TaskRecord, TaskRecord][] {
    const downs = this.entries(edge.down);
    const ups = this.#exits(edge.up, new Set());
    const effectiveUps = ups.length > 0 ? ups : this.#enclosingLeaves(edge.up).filter((task) => !downs.includes(task));
    return effectiveUps.flatMap((up) => downs.map((down): [TaskRecord, TaskRecord] => [up, down]));
  }

  entries(endpoint: Endpoint): TaskRecord[] {
    return this.#entries(endpoint, new Set());
  }

  leaves(group: GroupRecord): TaskRecord[] {
    return this.#leaves(membersOf(group));
  }

  /** Where an edge to `endpoint` arrives. */
  #entries(endpoint: Endpoint, seen: Set<Endpoint>): TaskRecord[] {
    if (endpoint.kind === "task") return [endpoint];
    if (seen.has(endpoint)) return [];
    seen.add(endpoint);
    const members = membersOf(endpoint);
    if (members.length > 0) return this.#roots(members);
    const onward = this.#edges.filter((edge) => edge.up === endpoint);
    return unique(onward.flatMap((edge) => this.#entries(edge.down, seen)));
  }

  /** Where an edge from `endpoint` starts. */
  #exits(endpoint: Endpoint, seen: Set<Endpoint>): TaskRecord[] {
    if (endpoint.kind === "task") return [endpoint];
    if (seen.has(endpoint)) return [];
    seen.add(endpoint);
    const members = membersOf(endpoint);
    if (members.length > 0) return this.#leaves(members);
    const back = this.#edges.filter((edge) => edge.down === endpoint);
    return unique(back.flatMap((edge) => this.#exits(edge.up, seen)));
  }

  #enclosingLeaves(endpoint: Endpoint): TaskRecord[] {
    if (endpoint.kind === "task" || endpoint.parent === null || endpoint.parent.groupId === null) return [];
    const members = membersOf(endpoint.parent);
    return members.length > 0 ? this.#leaves(members) : this.#enclosingLeaves(endpoint.parent);
  }

  #roots(members: readonly TaskRecord[]): TaskRecord[] {
    const fed = new Set(members.flatMap((task) => [...(this.#direct.get(task) ?? [])]));
    return members.filter((task) => !fed.has(task));
  }

  #leaves(members: readonly TaskRecord[]): TaskRecord[] {
    const inside = new Set(members);
    return members.filter((task) => ![...(this.#direct.get(task) ?? [])].some((down) => inside.has(down)));
  }
}

function membersOf(group: GroupRecord): TaskRecord[] {
  return group.children.flatMap((child) => (child.kind === "task" ? [child] : membersOf(child)));
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
