/**
 * What is expanded together: a mapped task alone, or all tasks of a mapped group, which then have an instance for each
 * index of the group. Two tasks of one unit go together index by index; towards all others a mapped task is the whole
 * of its instances.
 */
import { mapSourceTasks } from "./mapping.ts";
import type { ExpandInput, SerializedDag, SerializedTaskGroup } from "./model.ts";

export interface MappingUnit {
  /** Null: a mapped task by itself. */
  readonly group_id: string | null;
  readonly expand: ExpandInput;
  readonly task_ids: readonly string[];
  /** The tasks whose results are mapped over. */
  readonly sources: readonly string[];
}

/** Every mapped task with its unit. The inner of nested mapped groups counts; `validateDag` refuses them. */
export function mappingUnits(dag: SerializedDag): ReadonlyMap<string, MappingUnit> {
  const units = new Map<string, MappingUnit>();
  for (const group of mappedGroups(dag.task_group)) {
    const task_ids = tasksInGroup(group);
    const unit = unitOf(group.group_id, group.expand, task_ids);
    for (const id of task_ids) units.set(id, unit);
  }
  for (const { task_id, expand } of dag.tasks) {
    if (expand !== null) units.set(task_id, unitOf(null, expand, [task_id]));
  }
  return units;
}

/** Every group that is mapped, outer ones first. */
export function mappedGroups(group: SerializedTaskGroup): (SerializedTaskGroup & { readonly expand: ExpandInput })[] {
  const inner = group.children.flatMap((child) => ("group" in child ? mappedGroups(child.group) : []));
  return group.expand === null ? inner : [{ ...group, expand: group.expand }, ...inner];
}

/** The tasks of a group and of the groups in it, in their order. */
export function tasksInGroup(group: SerializedTaskGroup): string[] {
  return group.children.flatMap((child) => ("group" in child ? tasksInGroup(child.group) : [child.task_id]));
}

function unitOf(group_id: string | null, expand: ExpandInput, task_ids: readonly string[]): MappingUnit {
  return { group_id, expand, task_ids, sources: mapSourceTasks(expand) };
}
