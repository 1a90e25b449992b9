/**
 * Refs: the frozen objects authors hold, and the records they stand for.
 *
 * A ref is known by identity. A look-alike is a literal; a ref of another Dag, of a twin with the same id or of another
 * copy of the SDK is refused by name, because its edges would vanish.
 */
import { brand, brandOf, foreignCopy } from "./brand.ts";
import type { DagModel, Endpoint, TaskRecord } from "./dag-model.ts";
import { describeValue } from "./json.ts";
import { type LabelledNodes, labelledNodes } from "./label.ts";
import { markTeardown, readTeardownOptions } from "./setup-teardown.ts";
import type { Node, TaskRef } from "./task-types.ts";

interface Registration {
  readonly model: DagModel;
  readonly endpoint: Endpoint;
  readonly kind: "ref" | "group" | "decider";
}

const registrations = new WeakMap<object, Registration>();

/** Remembers which record `node` stands for. */
export function registerNode<N extends Node>(node: N, registration: Registration): N {
  registrations.set(node, registration);
  return node;
}

/** The ref of a placed task. */
export function createTaskRef(model: DagModel, task: TaskRecord, methods: object): TaskRef {
  const ref: TaskRef = {
    dagId: model.dagId,
    taskId: task.taskId,
    ...orderMethods<TaskRef>(model, task, () => ref),
    ...(model.dialect.hasSetups ? setupMethods(model, task, () => ref) : {}),
    ...methods,
  };
  return Object.freeze(registerNode(brand(ref, "TaskRef"), { model, endpoint: task, kind: "ref" }));
}

/** `asSetup` and `asTeardown` of a placed task. */
function setupMethods(model: DagModel, task: TaskRecord, receiver: () => TaskRef) {
  return {
    asSetup: () => {
      model.assertOpen("mark a setup");
      task.role.isSetup = true;
      return receiver();
    },
    asTeardown: (options?: unknown) => {
      markTeardown(model, task, readTeardown(model, task, options));
      return receiver();
    },
  };
}

function readTeardown(model: DagModel, task: TaskRecord, options: unknown) {
  const where = `asTeardown(...) of task "${task.taskId}"`;
  const { setups, onFailureFailDagrun } = readTeardownOptions(options, where);
  return {
    setups: setups.map((one) => taskOfTarget(model, one, { where: `setups of ${where}`, deciders: false })),
    onFailureFailDagrun,
  };
}

/** `before` and `after` of a node; both return the node itself. */
export function orderMethods<N extends Node>(model: DagModel, self: Endpoint, receiver: () => N): OrderMethods<N> {
  const draw = (others: readonly Node[], toEdge: (other: Endpoint) => { up: Endpoint; down: Endpoint }): N => {
    model.assertOpen("draw an edge");
    const targets = others.flatMap((other) => resolveNodes(model, other));
    for (const target of targets) model.connect(toEdge(target.endpoint), target.label);
    return receiver();
  };
  return {
    before: (...downstream) => draw(downstream, (down) => ({ up: self, down })),
    after: (...upstream) => draw(upstream, (up) => ({ up, down: self })),
  };
}

interface OrderMethods<N> {
  before(...downstream: readonly Node[]): N;
  after(...upstream: readonly Node[]): N;
}

/** The task a ref stands for, if `value` is a ref of this Dag; null for anything that is no ref at all. */
export function taskOfInput(model: DagModel, value: unknown, where: string): TaskRecord | null {
  const registration = registrationOf(value);
  if (registration === null) {
    const kind = brandOf(value);
    if (kind === null) return null;
    if (kind === "Label" || labelledNodes(value) !== null)
      throw new Error(`${where} can't be a label; labels belong to before(...) and after(...)`);
    if (kind === "TaskRef") throw foreignCopy(`The ref given as ${where}`);
    throw new Error(`${where} can't be a ${kind}; give the ref of a task or a JSON value`);
  }
  assertSameDag(model, registration, where);
  const { endpoint, kind } = registration;
  if (endpoint.kind === "group" || kind !== "ref") {
    throw new Error(
      `${where} can't be a ${kind === "group" ? "task group" : "condition or branch"}; give the ref of a task or a JSON value`,
    );
  }
  return endpoint;
}

/** The task that a side or a case names: the task itself, or the one that decides. */
export function taskOfTarget(
  model: DagModel,
  value: unknown,
  target: { readonly where: string; readonly deciders: boolean },
): TaskRecord {
  const allowed = target.deciders ? "a task's ref, a condition or a branch" : "a task's ref";
  const registration = registrationOf(value);
  if (registration === null) {
    const kind = brandOf(value);
    if (kind !== null && kind !== "Label" && kind !== "Dag") throw foreignCopy(`What was given to ${target.where}`);
    throw new Error(`${target.where} takes ${allowed}, not ${kind === "Label" ? "a label" : describeValue(value)}`);
  }
  assertSameDag(model, registration, target.where);
  const { endpoint, kind } = registration;
  if (endpoint.kind === "group") throw new Error(`${target.where} takes ${allowed}, not a task group`);
  if (kind === "decider" && !target.deciders)
    throw new Error(`${target.where} takes ${allowed}, not a condition or branch`);
  return endpoint;
}

/** The placed task behind `value`, or null where `value` is no ref of this Dag. Never throws: handlers' values come here. */
export function taskBehind(model: DagModel, value: unknown): TaskRecord | null {
  const registration = registrationOf(value);
  return registration !== null && registration.model === model && registration.endpoint.kind === "task"
    ? registration.endpoint
    : null;
}

/** True for whatever stands for a node, of this copy or another. */
export function isNode(value: unknown): boolean {
  return registrationOf(value) !== null || brandOf(value) === "TaskRef";
}

function resolveNodes(model: DagModel, value: unknown): { endpoint: Endpoint; label: string | null }[] {
  const labelled: LabelledNodes | null = labelledNodes(value);
  if (labelled !== null) {
    return labelled.nodes.map((node) => ({ endpoint: resolveNode(model, node), label: labelled.text }));
  }
  return [{ endpoint: resolveNode(model, value), label: null }];
}

function resolveNode(model: DagModel, value: unknown): Endpoint {
  const registration = registrationOf(value);
  if (registration !== null) {
    assertSameDag(model, registration, "before(...) and after(...)");
    return registration.endpoint;
  }
  const kind = brandOf(value);
  if (kind === "TaskRef" || kind === "TaskGroupRef" || kind === "Condition" || kind === "Branch" || kind === "Label") {
    throw foreignCopy("A node given to before(...) or after(...)");
  }
  const hint = typeof value === "function" ? "; call the factory and give its ref" : "";
  throw new Error(
    `before(...) and after(...) take tasks, groups, conditions and branches, not ${describeValue(value)}${hint}`,
  );
}

function registrationOf(value: unknown): Registration | null {
  return typeof value === "object" && value !== null ? (registrations.get(value) ?? null) : null;
}

function assertSameDag(model: DagModel, registration: Registration, where: string): void {
  if (registration.model === model) return;
  if (registration.model.dagId !== model.dagId) {
    throw new Error(`${where}: the node belongs to Dag "${registration.model.dagId}", not to "${model.dagId}"`);
  }
  throw new Error(`${where}: the node was handed out by another Dag object that is also called "${model.dagId}"`);
}
