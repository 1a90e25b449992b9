/** Task groups: a name around tasks, which edges may be drawn to and from. */
import { brand } from "./brand.ts";
import type { DagModel, GroupRecord } from "./dag-model.ts";
import { createIfMethod, createSwitchMethod } from "./deciders.ts";
import { createTaskMethod } from "./declare-task.ts";
import { createGroupInput } from "./group-inputs.ts";
import { describeValue, isPlainObject } from "./json.ts";
import { type ExpandRecord, readList, readProduct, sourceTasks } from "./map-sources.ts";
import { orderMethods, registerNode } from "./node-refs.ts";
import { wrongValueIn } from "./spec-fields.ts";
import { didYouMean } from "./suggestion.ts";
import type {
  GroupRefOf,
  IfMethod,
  SwitchMethod,
  TaskGroupRefOf,
  TaskMethod,
  UpdraftTaskGroupOptions,
} from "./task-types.ts";

const MAX_SEGMENT_LENGTH = 200;
const SEGMENT = /^[\p{L}\p{N}_-]+$/u;

/** Declares a group inside `parent`. */
export function createTaskGroup<TS>(
  model: DagModel,
  parent: GroupRecord,
  given: { readonly label: string; readonly options: UpdraftTaskGroupOptions | undefined },
): GroupRefOf<TS> {
  model.assertOpen("declare a task group");
  assertSegment(given.label);
  const { prefixGroupId, retries, retryDelay } = readOptions(model, given);
  const groupId = parent.childPrefix + given.label;
  model.assertFree(groupId);
  const childPrefix = prefixGroupId ? `${groupId}.` : "";
  const expand = readExpand(model, given.label, given.options);
  const record = {
    ...{ kind: "group" as const, groupId, label: given.label, parent, childPrefix, children: [] },
    ...{ expand, retries, retryDelay },
  };
  model.addGroup(record);
  for (const up of expand === null ? [] : sourceTasks(expand)) model.connect({ up, down: record }, null);
  return createGroupRef<TS>(model, record);
}

function readExpand(
  model: DagModel,
  label: string,
  { expand, expandKwargs }: UpdraftTaskGroupOptions = {},
): ExpandRecord | null {
  const what = `task group "${label}" of Dag "${model.dagId}"`;
  if (expand !== undefined && expandKwargs !== undefined)
    throw new Error(`The ${what} takes either expand or expandKwargs, not both`);
  if (expand !== undefined) return readProduct(model, expand, what);
  return expandKwargs === undefined ? null : readList(model, expandKwargs, what, true);
}

function createGroupRef<TS>(model: DagModel, record: GroupRecord & { readonly groupId: string }): GroupRefOf<TS> {
  const mapped = (name: string) => createGroupInput({ group: record, key: name });
  const ref: TaskGroupRefOf<TS> = {
    dagId: model.dagId,
    groupId: record.groupId,
    // The implementations sort out their overloads at run time; the declared types are what authors see.
    task: createTaskMethod(model, record) as TaskMethod<TS>,
    if: createIfMethod(model, record) as IfMethod<TS>,
    switch: createSwitchMethod(model, record) as SwitchMethod<TS>,
    taskGroup: (label, options) => createTaskGroup<TS>(model, record, { label, options }),
    ...orderMethods<TaskGroupRefOf<TS>>(model, record, () => ref),
    ...(model.dialect.hasMapping ? { mapped } : {}),
  };
  // What the dialect adds was just added.
  return Object.freeze(
    registerNode(brand(ref, "TaskGroupRef"), { model, endpoint: record, kind: "group" }),
  ) as GroupRefOf<TS>;
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

interface GroupOptions {
  readonly prefixGroupId: boolean;
  readonly retries: number;
  readonly retryDelay: number;
}

const DEFAULTS: GroupOptions = { prefixGroupId: true, retries: 0, retryDelay: 300 };

function readOptions({ dialect }: DagModel, { label, options }: { label: string; options: unknown }): GroupOptions {
  if (options === undefined) return DEFAULTS;
  const what = `task group "${label}"`;
  if (!isPlainObject(options))
    throw new Error(`The options of ${what} must be a plain object, not ${describeValue(options)}`);
  const known = Object.keys(dialect.groupFields);
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Error(`Unknown option "${unknown}" for ${what}${didYouMean(unknown, known)}`);
  const wrong = wrongValueIn(options, dialect.groupFields, what);
  if (wrong !== null) throw new Error(wrong.replace(" for task group", " of task group"));
  // Each value was checked against its kind.
  return { ...DEFAULTS, ...(definedOf(options) as Partial<GroupOptions>) };
}

function definedOf(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
