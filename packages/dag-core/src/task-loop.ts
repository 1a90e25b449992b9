/**
 * Loops: a task group that runs again until its condition holds, one iteration after the other in the same instances.
 *
 *   the tasks of the group ──► the gate asks whether the loop has come to its end
 *     yes ──► the gate succeeds, and what comes after the group goes on
 *     no, and another iteration is allowed ──► every task of the group runs again
 *     no, in the last iteration ──► the gate fails; a loop without a condition has just counted to its end and succeeds
 */
import { tasksInGroup } from "./mapping-unit.ts";
import type { SerializedDag, SerializedLoop, SerializedTaskGroup } from "./model.ts";

export interface TaskLoop extends SerializedLoop {
  readonly group_id: string;
  /** Its tasks, those of inner groups and the gate included. */
  readonly task_ids: readonly string[];
}

/** Every task of a loop with its loop. Most DAGs have none. */
export function taskLoops({ task_group }: Pick<SerializedDag, "task_group">): ReadonlyMap<string, TaskLoop> {
  const loops = new Map<string, TaskLoop>();
  const visit = (group: SerializedTaskGroup): void => {
    const { group_id, loop } = group;
    const task_ids = loop === undefined || group_id === null ? [] : tasksInGroup(group);
    for (const id of task_ids)
      if (loop !== undefined && group_id !== null) loops.set(id, { ...loop, group_id, task_ids });
    for (const child of group.children) if ("group" in child) visit(child.group);
  };
  visit(task_group);
  return loops;
}

export type LoopDecision =
  | { readonly kind: "done" }
  | { readonly kind: "again"; readonly cause: string }
  | { readonly kind: "failed"; readonly reason: string };

/** What follows once the gate of iteration `index`, counted from 0, has said whether the condition holds. */
export function decideLoop(
  loop: Pick<TaskLoop, "group_id" | "max_iterations" | "has_condition">,
  index: number,
  isMet: boolean,
): LoopDecision {
  const { group_id, max_iterations: most } = loop;
  const mayGoOn = index + 1 < most;
  if (isMet) return { kind: "done" };
  if (mayGoOn) return { kind: "again", cause: `Iteration ${index + 2} of at most ${most} of loop ${group_id} begins` };
  if (!loop.has_condition) return { kind: "done" };
  return { kind: "failed", reason: `the condition of loop ${group_id} did not hold after ${most} iterations` };
}

/** Loops that begin anew because all of their tasks are cleared; clearing a part stays in the iteration. */
export function restartedLoops(
  loops: ReadonlyMap<string, TaskLoop>,
  cleared: ReadonlySet<string>,
): readonly TaskLoop[] {
  const concerned = [...new Map([...cleared].flatMap((id) => entryOf(loops.get(id)))).values()];
  return concerned.filter(({ task_ids }) => task_ids.every((id) => cleared.has(id)));
}

function entryOf(loop: TaskLoop | undefined): [string, TaskLoop][] {
  return loop === undefined ? [] : [[loop.group_id, loop]];
}

/** Complaints about the loops of a DAG. */
export function* loopMessages(dag: SerializedDag): Iterable<string> {
  yield* messagesBelow(dag.task_group, null);
}

/** `around`: what encloses the group and can hold no loop. */
function* messagesBelow(group: SerializedTaskGroup, around: string | null): Iterable<string> {
  const { group_id, loop, expand, children } = group;
  if (loop !== undefined) {
    const where = `The loop '${group_id}'`;
    if (!Number.isInteger(loop.max_iterations) || loop.max_iterations < 1)
      yield `${where} needs max_iterations of at least 1, not ${loop.max_iterations}`;
    if (around !== null) yield `${where} is inside of ${around}, which is not supported`;
    if (expand !== null) yield `${where} can't be mapped as a whole`;
    for (const id of [loop.gate_task_id, loop.result_task_id])
      if (!tasksInGroup(group).includes(id)) yield `${where} names '${id}', which is not a task of it`;
  }
  const kind = loop === undefined ? (expand === null ? null : "mapped group") : "loop";
  const inner = kind === null ? around : `the ${kind} '${group_id}'`;
  for (const child of children) if ("group" in child) yield* messagesBelow(child.group, inner);
}
