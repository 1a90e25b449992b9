/** Task groups: a name around tasks, which edges may be drawn to and from. */
import { brand } from "./brand.ts";
import type { DagModel, GroupRecord } from "./dag-model.ts";
import { createIfMethod, createSwitchMethod } from "./deciders.ts";
import { createTaskMethod } from "./declare-task.ts";
import { describeValue, isPlainObject } from "./json.ts";
import { orderMethods, registerNode } from "./node-refs.ts";
import { didYouMean } from "./suggestion.ts";
import type { IfMethod, SwitchMethod, TaskGroupOptions, TaskGroupRefOf, TaskMethod } from "./task-types.ts";

const MAX_SEGMENT_LENGTH = 200;
const SEGMENT = /^[\p{L}\p{N}_-]+$/u;

/** Declares a group inside `parent`. */
export function createTaskGroup<TS>(
  model: DagModel,
  parent: GroupRecord,
  given: { readonly label: string; readonly options: TaskGroupOptions | undefined },
): TaskGroupRefOf<TS> {
  model.assertOpen("declare a task group");
  assertSegment(given.label);
  const prefixes = readPrefixOption(given.label, given.options);
  const groupId = parent.childPrefix + given.label;
  model.assertFree(groupId);
  const childPrefix = prefixes ? `${groupId}.` : "";
  const record = { kind: "group" as const, groupId, label: given.label, parent, childPrefix, children: [] };
  model.addGroup(record);
  return createGroupRef<TS>(model, record);
}

function createGroupRef<TS>(model: DagModel, record: GroupRecord & { readonly groupId: string }): TaskGroupRefOf<TS> {
  const ref: TaskGroupRefOf<TS> = {
    dagId: model.dagId,
    groupId: record.groupId,
    // The implementations sort out their overloads at run time; the declared types are what authors see.
    task: createTaskMethod(model, record) as TaskMethod<TS>,
    if: createIfMethod(model, record) as IfMethod<TS>,
    switch: createSwitchMethod(model, record) as SwitchMethod<TS>,
    taskGroup: (label, options) => createTaskGroup<TS>(model, record, { label, options }),
    ...orderMethods<TaskGroupRefOf<TS>>(model, record, () => ref),
  };
  return Object.freeze(registerNode(brand(ref, "TaskGroupRef"), { model, endpoint: record, kind: "group" }));
}

function assertSegment(label: unknown): void {
  if (typeof label !== "string" || label === "")
    throw new Error(`The id of a task group must be a non-empty string, not ${describeValue(label)}`);
  if (label.includes(".")) throw new Error(`The id of task group "${label}" must not contain "."`);
  if ([...label].length > MAX_SEGMENT_LENGTH)
    throw new Error(`The id of task group "${label.slice(0, 20)}..." is longer than ${MAX_SEGMENT_LENGTH} characters`);
  if (!SEGMENT.test(label))
    throw new Error(`The id of task group "${label}" may hold letters, digits, "_" and "-" only`);
}

function readPrefixOption(label: string, options: unknown): boolean {
  if (options === undefined) return true;
  if (!isPlainObject(options))
    throw new Error(`The options of task group "${label}" must be a plain object, not ${describeValue(options)}`);
  const unknown = Object.keys(options).find((key) => key !== "prefixGroupId");
  if (unknown !== undefined)
    throw new Error(`Unknown option "${unknown}" for task group "${label}"${didYouMean(unknown, ["prefixGroupId"])}`);
  const { prefixGroupId } = options;
  if (prefixGroupId === undefined) return true;
  if (typeof prefixGroupId !== "boolean")
    throw new Error(`prefixGroupId of task group "${label}" must be a boolean, not ${describeValue(prefixGroupId)}`);
  return prefixGroupId;
}
