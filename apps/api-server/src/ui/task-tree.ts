/** Tasks and task groups of a DAG as one tree, in the order in which they run. Pure. */
import { type SerializedDag, type SerializedTask, type SerializedTaskGroup, topologicalOrder } from "@updraft/dag-core";

export type TreeNode =
  | { readonly kind: "task"; readonly id: string; readonly label: string; readonly task: SerializedTask }
  | { readonly kind: "group"; readonly id: string; readonly label: string; readonly children: readonly TreeNode[] };

/** Tasks that no group names stand at the root. */
export function taskTreeOf(dag: SerializedDag): readonly TreeNode[] {
  const tasks = new Map(dag.tasks.map((task) => [task.task_id, task]));
  const position = new Map(topologicalOrder(dag).map((id, index) => [id, index]));
  const ungrouped = new Set(tasks.keys());

  function childrenOf(group: SerializedTaskGroup): TreeNode[] {
    const nodes = group.children.flatMap((child): TreeNode[] => {
      if ("group" in child) {
        const { group_id, label } = child.group;
        return group_id === null ? [] : [{ kind: "group", id: group_id, label, children: childrenOf(child.group) }];
      }
      ungrouped.delete(child.task_id);
      const task = tasks.get(child.task_id);
      return task === undefined ? [] : [taskNode(task, group.group_id)];
    });
    return nodes.sort((left, right) => firstPosition(left) - firstPosition(right));
  }

  function firstPosition(node: TreeNode): number {
    if (node.kind === "task") return position.get(node.id) ?? 0;
    return Math.min(...node.children.map(firstPosition));
  }

  const grouped = childrenOf(dag.task_group);
  const rest = [...ungrouped].flatMap((id) => taskNode(tasks.get(id), null) ?? []);
  return [...grouped, ...rest].sort((left, right) => firstPosition(left) - firstPosition(right));
}

/** Ids of all tasks below a node. */
export function taskIdsBelow(node: TreeNode): string[] {
  return node.kind === "task" ? [node.id] : node.children.flatMap(taskIdsBelow);
}

function taskNode(task: SerializedTask, groupId: string | null): TreeNode;
function taskNode(task: SerializedTask | undefined, groupId: string | null): TreeNode | undefined;
function taskNode(task: SerializedTask | undefined, groupId: string | null): TreeNode | undefined {
  if (task === undefined) return undefined;
  const prefix = groupId === null ? "" : `${groupId}.`;
  const label = task.task_id.startsWith(prefix) ? task.task_id.slice(prefix.length) : task.task_id;
  return { kind: "task", id: task.task_id, label, task };
}
