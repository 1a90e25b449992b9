/**
 * `dag.if` and `dag.switch`: tasks that choose which of the tasks they name are skipped.
 *
 * Placing a decider draws no edges but its inputs'; naming a side or a case draws the edge to it.
 */
import { brand } from "./brand.ts";
import { callSiteAbove } from "./call-site.ts";
import type { DagModel, Decision, GroupRecord, TaskRecord } from "./dag-model.ts";
import { assertWork, declareTask, placeTask } from "./declare-task.ts";
import { orderMethods, registerNode, taskBehind, taskOfTarget } from "./node-refs.ts";
import type { Branch, Condition, ConditionElse } from "./task-types.ts";

/** The behaviour behind every overload of `if`. */
export function createIfMethod(model: DagModel, group: GroupRecord): (...args: readonly unknown[]) => Condition {
  const method = (...args: readonly unknown[]): Condition => {
    const task = deciderOf(model, group, { args, method });
    const decision = { kind: "if" as const, whenTrue: null, whenFalse: null };
    task.decision = decision;
    return createCondition(model, task, decision);
  };
  return method;
}

/** The behaviour behind every overload of `switch`. */
export function createSwitchMethod(model: DagModel, group: GroupRecord): (...args: readonly unknown[]) => Branch {
  const method = (...args: readonly unknown[]): Branch => {
    const task = deciderOf(model, group, { args, method });
    const decision = { kind: "switch" as const, cases: [] };
    task.decision = decision;
    return createBranch(model, task, decision);
  };
  return method;
}

/** Declares and places the deciding task, or takes one that was placed before. */
function deciderOf(
  model: DagModel,
  group: GroupRecord,
  call: { readonly args: readonly unknown[]; readonly method: (...args: never[]) => unknown },
): TaskRecord {
  const [work, inputs, options] = call.args;
  const placed = taskBehind(model, work);
  if (placed !== null) {
    model.assertOpen("make a task decide");
    if (placed.decision !== null) throw new Error(`Task "${placed.taskId}" of Dag "${model.dagId}" decides already`);
    return placed;
  }
  const place = { model, group, site: callSiteAbove(call.method) };
  const task = declareTask(place, assertWork(work), { positional: null, options });
  placeTask(model, task, inputs === undefined ? [] : [inputs]);
  return task;
}

function createCondition(model: DagModel, task: TaskRecord, decision: Extract<Decision, { kind: "if" }>): Condition {
  const condition: Condition = {
    dagId: model.dagId,
    taskId: task.taskId,
    // biome-ignore lint/suspicious/noThenProperty: Airflow's word for this side; awaiting a condition is refused below.
    then: (target: unknown): ConditionElse => {
      if (typeof target === "function") {
        throw new Error(
          `Condition "${task.taskId}" of Dag "${model.dagId}" was awaited, or then(...) got a function; give it a task`,
        );
      }
      if (decision.whenTrue !== null) throw new Error(`then(...) of condition "${task.taskId}" was named twice`);
      decision.whenTrue = addSide(model, task, { target, where: `then(...) of condition "${task.taskId}"` });
      return Object.freeze({ else: (other: unknown) => setElse(model, task, { decision, target: other }) });
    },
    ...orderMethods<Condition>(model, task, () => condition),
  };
  return Object.freeze(registerNode(brand(condition, "Condition"), { model, endpoint: task, kind: "decider" }));
}

function setElse(
  model: DagModel,
  task: TaskRecord,
  side: { readonly decision: Extract<Decision, { kind: "if" }>; readonly target: unknown },
): void {
  const where = `else(...) of condition "${task.taskId}"`;
  if (side.decision.whenFalse !== null) throw new Error(`${where} was named twice`);
  const target = taskOfTarget(model, side.target, { where, deciders: true });
  if (target === side.decision.whenTrue)
    throw new Error(`Condition "${task.taskId}" names task "${target.taskId}" for both sides`);
  side.decision.whenFalse = addSide(model, task, { target: side.target, where });
}

function createBranch(model: DagModel, task: TaskRecord, decision: Extract<Decision, { kind: "switch" }>): Branch {
  const where = `case(...) of branch "${task.taskId}"`;
  const branch: Branch = {
    dagId: model.dagId,
    taskId: task.taskId,
    case: (target: unknown): Branch => {
      const chosen = taskOfTarget(model, target, { where, deciders: false });
      if (decision.cases.includes(chosen)) throw new Error(`${where} names task "${chosen.taskId}" twice`);
      model.assertOpen("add a case");
      model.connect({ up: task, down: chosen }, null);
      decision.cases.push(chosen);
      return branch;
    },
    ...orderMethods<Branch>(model, task, () => branch),
  };
  return Object.freeze(registerNode(brand(branch, "Branch"), { model, endpoint: task, kind: "decider" }));
}

function addSide(
  model: DagModel,
  task: TaskRecord,
  side: { readonly target: unknown; readonly where: string },
): TaskRecord {
  const target = taskOfTarget(model, side.target, { where: side.where, deciders: true });
  model.assertOpen("name a side");
  model.connect({ up: task, down: target }, null);
  return target;
}
