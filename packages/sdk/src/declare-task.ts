/** `dag.task(...)` and the factory it returns: from overloaded arguments to a declared, then placed task. */
import { type CallSite, callSiteAbove } from "./call-site.ts";
import type { DagModel, GroupRecord, InputRecord, TaskRecord } from "./dag-model.ts";
import { groupInputOf } from "./group-inputs.ts";
import { copyJson, describeValue, isPlainObject } from "./json.ts";
import { type ExpandRecord, expressionMethods, readList, readProduct } from "./map-sources.ts";
import { createTaskRef, isNode, taskOfInput } from "./node-refs.ts";
import { isOperator } from "./operator.ts";
import { roleOf } from "./setup-teardown.ts";
import { recordSpec } from "./spec-fields.ts";
import type { UpdraftTaskSpec } from "./spec-types.ts";
import type { Inputs, Operator, TaskFunction, TaskRef } from "./task-types.ts";

const NAME_DERIVED_ID = /^[\p{L}\p{N}_.-]+$/u;

type Work = TaskFunction | Operator<Inputs, unknown>;

/** Where a task is declared: its Dag, the group around it, and the author's line. */
export interface Place {
  readonly model: DagModel;
  readonly group: GroupRecord;
  readonly site: CallSite;
}

/** The behaviour behind every overload of `task`. */
export function createTaskMethod(model: DagModel, group: GroupRecord): (...args: readonly unknown[]) => unknown {
  const task = (...args: readonly unknown[]): unknown => {
    const positional = typeof args[0] === "string" ? args[0] : null;
    const [work, options] = positional === null ? args : args.slice(1);
    const place = { model, group, site: callSiteAbove(task) };
    const record = declareTask(place, assertWork(work), { positional, options });
    const factory = (...inputs: readonly unknown[]): TaskRef => placeTask(model, record, inputs);
    return model.dialect.hasMapping ? Object.assign(factory, expandMethods(model, record)) : factory;
  };
  return task;
}

/** `expand`, `expandKwargs` and `partial` of a declared task. */
function expandMethods(model: DagModel, record: TaskRecord) {
  const what = `task "${record.taskId}" of Dag "${model.dagId}"`;
  const placeMapped = (expand: ExpandRecord, partial: readonly unknown[]): TaskRef => {
    if (!record.takesInputs) throw new Error(`The ${what} is a ${record.operatorName}, which takes no inputs to map`);
    const ref = placeTask(model, record, partial);
    record.expand = expand;
    return ref;
  };
  const methods = (partial: readonly unknown[]) => ({
    expand: (inputs: unknown) => placeMapped(readProduct(model, inputs, what), partial),
    expandKwargs: (source: unknown, options: { readonly strict?: boolean | undefined } = {}) =>
      placeMapped(readList(model, source, what, options.strict ?? true), partial),
  });
  return { ...methods([]), partial: (inputs: unknown) => methods([inputs]) };
}

/** Declares a task without placing it. */
export function declareTask(
  place: Place,
  work: Work,
  given: { readonly positional: string | null; readonly options: unknown },
): TaskRecord {
  const { model, group, site } = place;
  model.assertOpen("declare a task");
  const what = `task ${given.positional === null ? "" : `"${given.positional}" `}of Dag "${model.dagId}"`;
  const spec = recordSpec<UpdraftTaskSpec>(
    given.options === undefined ? {} : given.options,
    model.dialect.taskFields,
    what,
  );
  if (isOperator(work)) assertNotRefused(work, spec, what);
  const localId = chooseId(work, given.positional, spec, model.dagId);
  const taskId = group.childPrefix + localId;
  model.assertFree(taskId);
  const record: TaskRecord = {
    kind: "task",
    taskId,
    group,
    handler: isOperator(work) ? work.execute : work,
    operatorName: isOperator(work) ? work.operatorName : "TypeScriptOperator",
    detail: isOperator(work) ? work.detail : null,
    takesInputs: isOperator(work) ? work.takesInputs : true,
    methods: { ...(isOperator(work) ? work.methods : {}), ...spec.methods },
    onDeferralError: (isOperator(work) ? work.onDeferralError : null) ?? null,
    canSkipDownstream: isOperator(work) && work.canSkipDownstream === true,
    isEmpty: isOperator(work) && work.isEmpty,
    role: roleOf(spec),
    spec,
    site,
    placed: false,
    inputs: [],
    expand: null,
    decision: isOperator(work) ? work.decides : null,
  };
  model.addTask(record);
  return record;
}

/** Gives a declared task its inputs and its place in the graph. */
export function placeTask(model: DagModel, task: TaskRecord, args: readonly unknown[]): TaskRef {
  const what = `Task "${task.taskId}" of Dag "${model.dagId}"`;
  model.assertOpen(`place task "${task.taskId}"`);
  if (task.placed) throw new Error(`${what} was already called; every task is placed exactly once`);
  if (args.length > 1) throw new Error(`${what} takes one object of named inputs, but got ${args.length} arguments`);
  task.inputs = readInputs(model, task, args[0]);
  task.placed = true;
  return createTaskRef(model, task, model.dialect.hasMapping ? expressionMethods(model, { kind: "task", task }) : {});
}

function readInputs(model: DagModel, task: TaskRecord, given: unknown): InputRecord[] {
  if (given === undefined) return [];
  const what = `Task "${task.taskId}" of Dag "${model.dagId}"`;
  if (isNode(given)) throw new Error(`${what} got a ref in place of its inputs; name the input: ({ name: ref })`);
  if (!isPlainObject(given)) throw new Error(`${what} takes its inputs as a plain object, not ${describeValue(given)}`);
  if (!task.takesInputs) throw new Error(`${what} is a ${task.operatorName}, which takes no inputs`);
  if (Object.getOwnPropertySymbols(given).length > 0) throw new Error(`${what} can't have an input named by a symbol`);
  return Object.entries(given).map(([name, value]) => readInput(model, { name, value, what }));
}

function readInput(model: DagModel, input: { name: string; value: unknown; what: string }): InputRecord {
  const where = `Input "${input.name}" of ${input.what.replace("Task", "task")}`;
  const task = taskOfInput(model, input.value, where);
  if (task !== null) return { name: input.name, task };
  const mapped = groupInputOf(input.value);
  if (mapped !== null) return { name: input.name, mapped };
  assertNoNestedRef(input.value, where, new Set());
  return { name: input.name, literal: snapshot(input.value) };
}

/** A literal as it is now. What is no JSON stays as it is and is complained about when the Dag is read. */
function snapshot(value: unknown): unknown {
  try {
    return copyJson(value, "");
  } catch {
    return value;
  }
}

function assertNoNestedRef(value: unknown, where: string, seen: Set<object>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  for (const part of Object.values(value)) {
    if (isNode(part)) throw new Error(`${where} holds a ref inside a literal; a ref must be an input of its own`);
    assertNoNestedRef(part, where, seen);
  }
}

/** A handler or operator, or the complaint about what was given for one. */
export function assertWork(work: unknown): Work {
  if (isOperator(work)) return work;
  if (typeof work !== "function") throw new Error(`A task needs a function or an operator, not ${describeValue(work)}`);
  if (work.length > 1) {
    throw new Error(
      `Handler "${work.name}" declares ${work.length} parameters; a handler takes one object of named inputs`,
    );
  }
  // Whatever is callable serves as a handler; its inputs are bound by name when it runs.
  return work as TaskFunction;
}

function assertNotRefused(work: Operator<Inputs, unknown>, spec: UpdraftTaskSpec, what: string): void {
  const refused = (work.refusedOptions ?? []).find((name) => Object.hasOwn(spec, name));
  if (refused !== undefined) throw new Error(`${refused} can't be set for ${what}: it is a ${work.operatorName}`);
}

function chooseId(work: Work, positional: string | null, spec: UpdraftTaskSpec, dagId: string): string {
  if (positional !== null && spec.taskId !== undefined) {
    throw new Error(
      `The id of task "${positional}" of Dag "${dagId}" is given twice: as the first argument and as taskId`,
    );
  }
  const explicit = positional ?? spec.taskId;
  if (explicit !== undefined) return assertExplicitId(explicit, dagId);
  if (isOperator(work)) throw new Error(`A ${work.operatorName} of Dag "${dagId}" needs a task id`);
  if (work.name === "") throw new Error(`A task of Dag "${dagId}" has no id: name the function, or give an id`);
  if (!NAME_DERIVED_ID.test(work.name) || work.name.includes(".")) {
    throw new Error(`The function name "${work.name}" can't be the id of a task of Dag "${dagId}"; give an id`);
  }
  return work.name;
}

function assertExplicitId(id: unknown, dagId: string): string {
  if (typeof id !== "string" || id === "")
    throw new Error(`The id of a task of Dag "${dagId}" must be a non-empty string, not ${describeValue(id)}`);
  if (id.includes("."))
    throw new Error(`The id of task "${id}" of Dag "${dagId}" must not contain "."; groups put their own id before it`);
  return id;
}
