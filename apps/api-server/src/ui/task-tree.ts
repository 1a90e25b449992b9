/** Tasks and task groups of a DAG as one tree, in the order in which they run. Pure. */
import {
  mappingUnits,
  type SerializedDag,
  type SerializedTask,
  type SerializedTaskGroup,
  topologicalOrder,
} from "@updraft/dag-core";

interface NamedNode {
  readonly id: string;
  readonly label: string;
  /** Whether it has an instance for each index: it is mapped itself, or a group around it is. */
  readonly isMapped: boolean;
}
type TaskNode = NamedNode & { readonly kind: "task"; readonly task: SerializedTask };
type GroupNode = NamedNode & { readonly kind: "group"; readonly children: readonly TreeNode[] };
export type TreeNode = TaskNode | GroupNode;

/** Tasks that no group names stand at the root. */
export function taskTreeOf(dag: SerializedDag): readonly TreeNode[] {
  const tasks = new Map(dag.tasks.map((task) => [task.task_id, task]));
  const position = new Map(topologicalOrder(dag).map((id, index) => [id, index]));
  const ungrouped = new Set(tasks.keys());
  const units = mappingUnits(dag);

  function childrenOf(group: SerializedTaskGroup, isInMapped: boolean): TreeNode[] {
    const nodes = group.children.flatMap((child): TreeNode[] => {
      if ("group" in child) {
        const { group_id, label, expand } = child.group;
        if (group_id === null) return [];
        const isMapped = isInMapped || expand !== null;
        return [{ kind: "group", id: group_id, label, isMapped, children: childrenOf(child.group, isMapped) }];
      }
      ungrouped.delete(child.task_id);
      return taskNodes(child.task_id, group.group_id);
    });
    return nodes.sort((left, right) => firstPosition(left) - firstPosition(right));
  }

  function firstPosition(node: TreeNode): number {
    if (node.kind === "task") return position.get(node.id) ?? 0;
    return Math.min(...node.children.map(firstPosition));
  }

  /** The node of one task; none where the DAG lacks it. */
  function taskNodes(id: string, groupId: string | null): TaskNode[] {
    const task = tasks.get(id);
    if (task === undefined) return [];
    const prefix = groupId === null ? "" : `${groupId}.`;
    const label = id.startsWith(prefix) ? id.slice(prefix.length) : id;
    return [{ kind: "task", id, label, isMapped: units.has(id), task }];
  }

  const grouped = childrenOf(dag.task_group, false);
  const rest = [...ungrouped].flatMap((id) => taskNodes(id, null));
  return [...grouped, ...rest].sort((left, right) => firstPosition(left) - firstPosition(right));
}

/** Ids of all tasks below a node. */
export function taskIdsBelow(node: TreeNode): string[] {
  return node.kind === "task" ? [node.id] : node.children.flatMap(taskIdsBelow);
}
