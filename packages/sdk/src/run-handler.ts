/**
 * One try of one task: from resolved inputs to what is to be told about its end.
 *
 * Nothing a handler does makes this reject; whatever goes wrong is an outcome. After it, the scope of the try is closed.
 */
import { type JsonValue, type OutletEvent, SKIP_DECISION_KEY } from "@updraft/dag-core";
import { createArguments, type GivenInputs, resolveInputs } from "./arguments.ts";
import { authorTrace } from "./author-trace.ts";
import type { Bundle } from "./bundle.ts";
import { captureOutput, flushOutput } from "./captured-output.ts";
import { type AnyDag, modelOf } from "./dag.ts";
import type { TaskRecord } from "./dag-model.ts";
import { type Choice, type Decided, decide, factsOf, skipFollowing } from "./decisions.ts";
import { describeValue, isPlainObject, jsonRoundTrip } from "./json.ts";
import { renderMapIndex } from "./map-index-name.ts";
import { applyPolicy, type RetryPolicy } from "./retry-policy.ts";
import { FailTask, SkipTask } from "./task-errors.ts";
import type { TaskFunction } from "./task-types.ts";
import { runInScope, type TryFacts, TryScope } from "./try-scope.ts";
import {
  type Kwargs,
  type NextStep,
  SkipDownstream,
  TaskAwaitingInput,
  TaskDeferred,
  TaskRescheduled,
  WaitSignal,
} from "./wait-signals.ts";
import { EXECUTE, TaskDeferralError, TaskDeferralTimeout } from "./waiting.ts";

export interface RunHandlerRequest extends TryFacts {
  readonly bundle: Bundle;
  readonly dagId: string;
  readonly taskId: string;
  readonly inputs: GivenInputs;
}

export type TaskOutcome = TaskEnd & {
  /** What people see in place of the map index; absent where there is no name. */
  readonly renderedMapIndex?: string;
};

type TaskEnd =
  | {
      readonly kind: "success";
      /** Absent where the handler returned undefined. */
      readonly returnValue?: JsonValue;
      /** Other XComs to store together with the end of the try. */
      readonly xcoms: readonly { readonly key: string; readonly value: JsonValue }[];
      /** What the task said about the events of its outlets; absent where it said nothing. */
      readonly outletEvents?: readonly OutletEvent[];
    }
  | {
      readonly kind: "failed";
      readonly error: { readonly name: string; readonly message: string; readonly stack: string };
      readonly retry: boolean;
      /** In place of the delay of the task's retries. */
      readonly retryDelaySeconds?: number;
    }
  | { readonly kind: "deferred"; readonly classpath: string; readonly triggerKwargs: Kwargs; readonly next: NextStep }
  | { readonly kind: "awaiting_input"; readonly next: NextStep }
  | { readonly kind: "up_for_reschedule"; readonly date: string }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "removed"; readonly reason: string };

export async function runHandler(request: RunHandlerRequest): Promise<TaskOutcome> {
  const outcome = await runToEnd(request);
  const name = nameOfIndex(request);
  return name === null ? outcome : { ...outcome, renderedMapIndex: name };
}

/** Rendered however the try ended; a template that can't be rendered gives no name. */
function nameOfIndex({ bundle, dagId, taskId, inputs, context }: RunHandlerRequest): string | null {
  if (context.map_index < 0) return null;
  const dag = bundle.dags.find((candidate) => candidate.dagId === dagId);
  const template = dag === undefined ? undefined : modelOf(dag).tasks.get(taskId)?.spec.mapIndexTemplate;
  if (template === undefined) return null;
  try {
    const args = resolveInputs(inputs, (number, value) => callMapFunction(dag, number, value));
    const { map_index, task_id, run_id, dag_id } = context;
    return renderMapIndex(template, { map_index, task_id, run_id, dag_id, ...args });
  } catch {
    return null;
  }
}

async function runToEnd(request: RunHandlerRequest): Promise<TaskOutcome> {
  captureOutput();
  const scope = new TryScope(request);
  try {
    return await runInScope(scope, async () => {
      try {
        return withOutletEvents(await runTry(request, scope), scope);
      } catch (error) {
        return await outcomeOfFailure(error, policyOf(request), scope);
      }
    });
  } finally {
    flushOutput(scope);
    scope.close();
  }
}

function withOutletEvents(outcome: TaskOutcome, scope: TryScope): TaskOutcome {
  if (outcome.kind !== "success") return outcome;
  const outletEvents = scope.outletEvents.said();
  return outletEvents.length === 0 ? outcome : { ...outcome, outletEvents };
}

async function runTry(request: RunHandlerRequest, scope: TryScope): Promise<TaskOutcome> {
  const { bundle, dagId, taskId } = request;
  const dag = bundle.dags.find((candidate) => candidate.dagId === dagId);
  if (dag !== undefined) modelOf(dag).finalize();
  const handler = bundle.getTaskHandler(dagId, taskId);
  if (handler === undefined) {
    return { kind: "removed", reason: `Task "${taskId}" of Dag "${dagId}" is not in the file any more` };
  }
  const task = dag === undefined ? undefined : modelOf(dag).tasks.get(taskId);
  try {
    const args = resolveInputs(request.inputs, (number, value) => callMapFunction(dag, number, value));
    const returned = await callTask(handler, task, { request, args });
    if (dag === undefined || task === undefined || task.decision === null) return success(returned, task);
    return applyDecision({ model: modelOf(dag), task, decision: task.decision, returned }, scope);
  } catch (signal) {
    if (!(signal instanceof SkipDownstream) || dag === undefined || task === undefined) throw signal;
    const choice = skipFollowing({ model: modelOf(dag), task }, signal.everything);
    return choice.skipped.length === 0 ? success(signal.result) : follow(choice, scope);
  }
}

/** From the beginning, or where a wait left off. */
async function callTask(
  handler: TaskFunction,
  task: TaskRecord | undefined,
  { request, args }: { readonly request: RunHandlerRequest; readonly args: Readonly<Record<string, JsonValue>> },
): Promise<unknown> {
  const { resumption } = request.context;
  if (resumption === undefined || resumption.method === EXECUTE) return await handler(createArguments(args));
  const { event = null, ...kwargs } = resumption.kwargs;
  if (resumption.method === FAIL) return failDeferral(task, kwargs);
  const method = task?.methods[resumption.method];
  if (method === undefined)
    throw new Error(`Task "${request.taskId}" has no method "${resumption.method}" to go on with`);
  return await method({ event, kwargs, inputs: createArguments(args) });
}

/** Airflow's name for the way on after a trigger that failed or did not fire. */
const FAIL = "__fail__";

function failDeferral(task: TaskRecord | undefined, { error, traceback }: Kwargs): unknown {
  const lines = Array.isArray(traceback) ? traceback.map(String) : [];
  const failure =
    error === "Trigger timeout"
      ? new TaskDeferralTimeout("The trigger did not fire in time")
      : new TaskDeferralError(["The trigger failed", ...lines].join("\n"));
  if (task?.onDeferralError === null || task === undefined) throw failure;
  return task.onDeferralError(failure);
}

/** Functions of `.map(...)` run in the try, so that they may skip it. */
function callMapFunction(dag: AnyDag | undefined, number: number, value: JsonValue): JsonValue {
  const apply = dag === undefined ? undefined : modelOf(dag).mapFunctions[number];
  if (apply === undefined) throw new Error(`The function ${number} of map(...) is not in the file any more`);
  return jsonRoundTrip(apply(value), "What the function of map(...) returned");
}

function success(returned: unknown, task?: TaskRecord): TaskOutcome {
  if (returned === undefined) return { kind: "success", xcoms: [] };
  const returnValue = jsonRoundTrip(returned, "The returned value");
  return {
    kind: "success",
    returnValue,
    xcoms: task?.spec.multipleOutputs === true ? membersOf(task, returnValue) : [],
  };
}

/** What `multipleOutputs` pushes besides the whole. */
function membersOf({ taskId, spec }: TaskRecord, value: JsonValue) {
  if (value === null || spec.doXcomPush === false) return [];
  if (!isPlainObject(value))
    throw new TypeError(`Task "${taskId}" has multipleOutputs and must return an object, not ${describeValue(value)}`);
  return Object.entries(value).map(([key, member]) => ({ key, value: member as JsonValue }));
}

async function applyDecision(decided: Decided, scope: TryScope): Promise<TaskOutcome> {
  return follow(decide(decided, factsOf(scope)), scope);
}

/** Notes the decision first and skips afterwards: what is cleared between the two is still decided by the note. */
async function follow({ note, skipped, value }: Choice, scope: TryScope): Promise<TaskOutcome> {
  const { dag_id: dagId, run_id: runId, task_id: taskId, map_index: mapIndex } = scope.context;
  if (note !== null) await scope.client.setXCom({ dagId, runId, taskId, mapIndex, key: SKIP_DECISION_KEY }, note);
  if (skipped.length > 0) await scope.client.skipDownstream(skipped);
  return success(value);
}

function policyOf({ bundle, dagId, taskId }: RunHandlerRequest): RetryPolicy | null {
  const dag = bundle.dags.find((candidate) => candidate.dagId === dagId);
  return (dag === undefined ? undefined : modelOf(dag).tasks.get(taskId)?.spec.retryPolicy) ?? null;
}

/** A failure by the author's policy, where the task has one and the failure leaves something to decide. */
async function outcomeOfFailure(thrown: unknown, policy: RetryPolicy | null, scope: TryScope): Promise<TaskOutcome> {
  const isDecided = thrown instanceof SkipTask || thrown instanceof FailTask || thrown instanceof WaitSignal;
  if (policy === null || isDecided) return outcomeOfThrown(thrown);
  const error = thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
  const { try_number, max_tries, reschedules } = scope.context;
  const startDate = reschedules === undefined ? scope.startedAt : new Date(reschedules.first_start);
  const facts = { tryNumber: try_number, maxTries: max_tries, rescheduleCount: reschedules?.count ?? 0, startDate };
  const verdict = await applyPolicy(policy, error, facts);
  const outcome = outcomeOfThrown(verdict.thrown);
  if (outcome.kind !== "failed" || verdict.retryDelaySeconds === undefined) return outcome;
  return { ...outcome, retryDelaySeconds: verdict.retryDelaySeconds };
}

function outcomeOfThrown(thrown: unknown): TaskOutcome {
  if (thrown instanceof TaskDeferred) {
    const { classpath, triggerKwargs, next } = thrown;
    return { kind: "deferred", classpath, triggerKwargs, next };
  }
  if (thrown instanceof TaskAwaitingInput) return { kind: "awaiting_input", next: thrown.next };
  if (thrown instanceof TaskRescheduled) return { kind: "up_for_reschedule", date: thrown.date.toISOString() };
  if (thrown instanceof SkipTask) return { kind: "skipped", reason: thrown.message };
  const name = thrown instanceof Error ? thrown.name : "Error";
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { kind: "failed", error: { name, message, stack: authorTrace(thrown) }, retry: !(thrown instanceof FailTask) };
}
