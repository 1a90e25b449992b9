/** What is wrong with the mapped tasks and groups of a DAG, in the author's words. */
import { mapSourceTasks } from "./mapping.ts";
import { mappedGroups, tasksInGroup } from "./mapping-unit.ts";
import type { ExpandInput, MapSource, SerializedDag, SerializedTask, SerializedTaskGroup } from "./model.ts";

/** The successors of each task, by its id. */
type Successors = ReadonlyMap<string, ReadonlySet<string>>;

/** Complaints about one task's own mapping. */
export function* taskMappingMessages(task: SerializedTask, successors: Successors): Iterable<string> {
  const { expand } = task;
  if (expand === null) return;
  yield* expandMessages(expand);
  if (expand.kind === "product") {
    for (const { name } of expand.inputs) {
      if (task.arg_bindings.some((binding) => binding.name === name))
        yield `Input '${name}' is given twice: by partial and by expand`;
    }
  }
  for (const id of mapSourceTasks(expand)) {
    if (successors.get(id)?.has(task.task_id) !== true) yield `It is mapped over '${id}', which is not upstream`;
  }
}

/** Complaints about mapped groups, each with the task concerned; null: the DAG. */
export function* groupMappingMessages(
  dag: SerializedDag,
  successors: Successors,
): Iterable<{ readonly task_id: string | null; readonly message: string }> {
  const tasks = new Map(dag.tasks.map((task) => [task.task_id, task]));
  const keys = new Map<string, ExpandInput>();
  for (const group of mappedGroups(dag.task_group)) {
    const ids = tasksInGroup(group);
    for (const message of groupMessages(group, group.expand, ids, successors)) yield { task_id: null, message };
    for (const id of ids) {
      keys.set(id, group.expand);
      const task = tasks.get(id);
      if (task === undefined) continue;
      if (task.expand !== null)
        yield { task_id: id, message: `A mapped task inside the mapped group '${group.group_id}' is not supported` };
      if (task.trigger_rule === "always")
        yield {
          task_id: id,
          message: `The trigger rule 'always' is not allowed in the mapped group '${group.group_id}'`,
        };
    }
  }
  for (const task of dag.tasks) {
    for (const message of bindingMessages(task, keys.get(task.task_id))) yield { task_id: task.task_id, message };
  }
}

function* groupMessages(
  group: SerializedTaskGroup,
  expand: ExpandInput,
  ids: readonly string[],
  successors: Successors,
): Iterable<string> {
  const where = `The mapped group '${group.group_id}'`;
  for (const message of expandMessages(expand)) yield `${where}: ${message}`;
  const inner = group.children.flatMap((child) => ("group" in child ? mappedGroups(child.group) : []));
  for (const { group_id } of inner)
    yield `${where} holds the mapped group '${group_id}'; nesting them is not supported`;
  for (const id of mapSourceTasks(expand)) {
    if (ids.includes(id)) yield `${where} is mapped over '${id}', which is one of its own tasks`;
    else if (!ids.some((task) => successors.get(id)?.has(task)))
      yield `${where} is mapped over '${id}', which is not upstream`;
  }
}

function* bindingMessages(task: SerializedTask, expand: ExpandInput | undefined): Iterable<string> {
  for (const binding of task.arg_bindings) {
    if (binding.kind !== "group") continue;
    if (expand === undefined)
      yield `Input '${binding.name}' takes '${binding.key}' of a mapped group, but the task is in none`;
    else if (expand.kind === "product" && !expand.inputs.some(({ name }) => name === binding.key))
      yield `Input '${binding.name}' takes '${binding.key}', over which its group is not mapped`;
  }
}

function* expandMessages(expand: ExpandInput): Iterable<string> {
  if (expand.kind === "list") {
    yield* sourceMessages("expandKwargs", expand.source);
    return;
  }
  if (expand.inputs.length === 0) yield "expand needs at least one input to map over";
  const seen = new Set<string>();
  for (const { name, source } of expand.inputs) {
    if (seen.has(name)) yield `Input '${name}' is mapped more than once`;
    seen.add(name);
    yield* sourceMessages(`Input '${name}'`, source);
  }
}

/** A form may come from elsewhere than our own SDK, so what the types promise is looked at. */
function* sourceMessages(what: string, source: MapSource): Iterable<string> {
  switch (source.kind) {
    case "literal":
      if (typeof source.value !== "object" || source.value === null)
        yield `${what} can be mapped over a list or a dict, not over ${JSON.stringify(source.value)}`;
      return;
    case "map":
      if (!Number.isInteger(source.function) || source.function < 0) yield `${what} names no function to map with`;
      yield* sourceMessages(what, source.source);
      return;
    case "zip":
    case "concat":
      if (source.sources.length === 0) yield `${what}: ${source.kind} needs at least one list`;
      for (const part of source.sources) yield* sourceMessages(what, part);
      return;
  }
}
