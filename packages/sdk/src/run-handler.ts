/**
 * One try of one task: from resolved inputs to what is to be told about its end.
 *
 * Nothing a handler does makes this reject; whatever goes wrong is an outcome. After it, the scope of the try is closed.
 */
import { type JsonValue, SKIP_DECISION_KEY } from "@updraft/dag-core";
import { createArguments } from "./arguments.ts";
import { authorTrace } from "./author-trace.ts";
import type { Bundle } from "./bundle.ts";
import { captureOutput, flushOutput } from "./captured-output.ts";
import { modelOf } from "./dag.ts";
import type { DagModel, Decision, TaskRecord } from "./dag-model.ts";
import { describeValue } from "./json.ts";
import { taskBehind } from "./node-refs.ts";
import { jsonRoundTrip } from "./task-client.ts";
import { FailTask, SkipTask } from "./task-errors.ts";
import type { TaskFunction } from "./task-types.ts";
import { runInScope, type TryFacts, TryScope } from "./try-scope.ts";

export interface RunHandlerRequest extends TryFacts {
  readonly bundle: Bundle;
  readonly dagId: string;
  readonly taskId: string;
  /** Values by input name, in the order of the bindings; see `resolveInputs`. */
  readonly args: Readonly<Record<string, JsonValue>>;
}

export type TaskOutcome =
  | {
      readonly kind: "success";
      /** Absent where the handler returned undefined. */
      readonly returnValue?: JsonValue;
      /** Other XComs to store together with the end of the try. */
      readonly xcoms: readonly { readonly key: string; readonly value: JsonValue }[];
    }
  | {
      readonly kind: "failed";
      readonly error: { readonly name: string; readonly message: string; readonly stack: string };
      readonly retry: boolean;
    }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "removed"; readonly reason: string };

export async function runHandler(request: RunHandlerRequest): Promise<TaskOutcome> {
  captureOutput();
  const scope = new TryScope(request);
  try {
    return await runInScope(scope, () => runTry(request, scope));
  } catch (error) {
    return outcomeOfThrown(error);
  } finally {
    flushOutput(scope);
    scope.close();
  }
}

async function runTry(request: RunHandlerRequest, scope: TryScope): Promise<TaskOutcome> {
  const { bundle, dagId, taskId } = request;
  const dag = bundle.dags.find((candidate) => candidate.dagId === dagId);
  if (dag !== undefined) modelOf(dag).finalize();
  const handler = bundle.getTaskHandler(dagId, taskId);
  if (handler === undefined) {
    return { kind: "removed", reason: `Task "${taskId}" of Dag "${dagId}" is not in the file any more` };
  }
  const returned = await callHandler(handler, request.args);
  const task = dag === undefined ? undefined : modelOf(dag).tasks.get(taskId);
  if (dag === undefined || task === undefined || task.decision === null) return success(returned);
  return success(await applyDecision(modelOf(dag), { task, decision: task.decision, returned }, scope));
}

async function callHandler(handler: TaskFunction, args: Readonly<Record<string, JsonValue>>): Promise<unknown> {
  return await handler(createArguments(args));
}

function success(returned: unknown): TaskOutcome {
  if (returned === undefined) return { kind: "success", xcoms: [] };
  return { kind: "success", returnValue: jsonRoundTrip(returned, "The returned value"), xcoms: [] };
}

interface Decided {
  readonly task: TaskRecord;
  readonly decision: Decision;
  readonly returned: unknown;
}

/** Notes the decision first and skips afterwards: what is cleared between the two is still decided by the note. */
async function applyDecision(model: DagModel, decided: Decided, scope: TryScope): Promise<JsonValue> {
  const { skipped, value } = decide(model, decided);
  if (skipped.length === 0) return value;
  const { dag_id: dagId, run_id: runId, task_id: taskId, map_index: mapIndex } = scope.context;
  await scope.client.setXCom({ dagId, runId, taskId, mapIndex, key: SKIP_DECISION_KEY }, { skipped });
  await scope.client.skipDownstream(skipped);
  return value;
}

function decide(model: DagModel, { task, decision, returned }: Decided): { skipped: string[]; value: JsonValue } {
  if (decision.kind === "if") {
    if (typeof returned !== "boolean") {
      throw new Error(`Condition "${task.taskId}" must return true or false, but returned ${describeValue(returned)}`);
    }
    const untaken = returned ? decision.whenFalse : decision.whenTrue;
    return { skipped: untaken === null ? [] : [untaken.taskId], value: returned };
  }
  const chosen = taskBehind(model, returned);
  if (chosen === null || !decision.cases.includes(chosen)) {
    const cases = decision.cases.map((one) => one.taskId).join(", ");
    const what = chosen === null ? describeValue(returned) : `task "${chosen.taskId}"`;
    throw new Error(`Branch "${task.taskId}" must return one of its cases (${cases}), but returned ${what}`);
  }
  return { skipped: decision.cases.filter((one) => one !== chosen).map((one) => one.taskId), value: chosen.taskId };
}

function outcomeOfThrown(thrown: unknown): TaskOutcome {
  if (thrown instanceof SkipTask) return { kind: "skipped", reason: thrown.message };
  const name = thrown instanceof Error ? thrown.name : "Error";
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { kind: "failed", error: { name, message, stack: authorTrace(thrown) }, retry: !(thrown instanceof FailTask) };
}
