/** `hitl` and `approval`: tasks that ask people and wait for the answer, without a slot. Airflow's `/hitl`. */
import { answerProblem, type JsonValue } from "@updraft/dag-core";
import { copyJson, describeValue, isPlainObject } from "./json.ts";
import { defineOperator } from "./operator.ts";
import type { HitlQuestion } from "./raw-client.ts";
import { didYouMean } from "./suggestion.ts";
import type { Inputs, NoInputs, Operator } from "./task-types.ts";
import { jsonObject } from "./triggers.ts";
import { currentScope } from "./try-scope.ts";
import { SkipDownstream, TaskAwaitingInput } from "./wait-signals.ts";

export interface HITLUser {
  readonly id: string;
  readonly name: string;
}

export interface HITLParam {
  readonly value: JsonValue;
  readonly description?: string | undefined;
  readonly schema?: { readonly [key: string]: JsonValue } | undefined;
}

export interface HITLResult {
  readonly chosen_options: readonly string[];
  readonly params_input: Readonly<Record<string, JsonValue>>;
  readonly responded_at: string;
  readonly responded_by_user: HITLUser | null;
  readonly timedout: boolean;
}

export type HITLTextArgs = Inputs;
/** A text, or how to make it from the inputs; made once, when the task asks. */
// biome-ignore lint/suspicious/noExplicitAny: a text without inputs fits a task of any inputs, as in Airflow's SDK.
export type HITLText<A extends HITLTextArgs = any> = string | ((inputs: A) => string | Promise<string>);
export type HITLTask<A extends Inputs = NoInputs> = Operator<A, HITLResult>;

interface CommonSpec<S extends Inputs, B extends Inputs> {
  readonly subject: HITLText<S>;
  readonly body?: HITLText<B> | null | undefined;
  readonly params?: { readonly [name: string]: HITLParam } | undefined;
  readonly assignedUsers?: readonly HITLUser[] | undefined;
  /** Whole seconds. */
  readonly responseTimeout?: number | undefined;
}

export interface HITLSpec<S extends Inputs = NoInputs, B extends Inputs = S> extends CommonSpec<S, B> {
  readonly options: readonly string[];
  /** Taken as the answer when nobody answers in time. */
  readonly defaults?: readonly string[] | undefined;
  readonly multiple?: boolean | undefined;
}

export interface ApprovalSpec<S extends Inputs = NoInputs, B extends Inputs = S> extends CommonSpec<S, B> {
  readonly defaults?: "Approve" | "Reject" | undefined;
  /** A rejection skips everything downstream, not only the direct successors. */
  readonly ignoreDownstreamTriggerRules?: boolean | undefined;
  /** A rejection fails the task; a retry asks again. */
  readonly failOnReject?: boolean | undefined;
}

const COMMON = ["subject", "body", "params", "assignedUsers", "responseTimeout"];
const APPROVE = "Approve";
const REJECT = "Reject";
/** Airflow's name for how such a task goes on. */
const COMPLETE = "execute_complete";

interface Plan {
  readonly subject: HITLText;
  readonly body: HITLText | null;
  readonly options: readonly string[];
  readonly defaults: readonly string[] | null;
  readonly multiple: boolean;
  readonly params: Readonly<Record<string, JsonValue>>;
  readonly assignedUsers: readonly HITLUser[];
  readonly responseTimeout: number | null;
}

/** A task that asks people to choose among options. */
export function hitl<S extends Inputs = NoInputs, B extends Inputs = S>(spec: HITLSpec<S, B>): HITLTask<S & B> {
  const given = readSpec("hitl", spec, [...COMMON, "options", "defaults", "multiple"]);
  const { multiple = false } = given;
  if (typeof multiple !== "boolean") throw wrong("hitl", "multiple", "a boolean", multiple);
  const options = readOptions(given.options);
  const plan: Plan = {
    ...readCommon("hitl", given),
    options,
    multiple,
    defaults: readDefaults(given.defaults, { options, multiple }),
  };
  return question("HITLOperator", plan, (result) => result);
}

/** A task that asks people to approve; what comes after it is skipped when they reject. */
export function approval<S extends Inputs = NoInputs, B extends Inputs = S>(spec: ApprovalSpec<S, B>): HITLTask<S & B> {
  const given = readSpec("approval", spec, [...COMMON, "defaults", "ignoreDownstreamTriggerRules", "failOnReject"]);
  const { defaults, ignoreDownstreamTriggerRules = false, failOnReject = false } = given;
  if (defaults !== undefined && defaults !== APPROVE && defaults !== REJECT)
    throw wrong("approval", "defaults", `"${APPROVE}" or "${REJECT}"`, defaults);
  for (const [name, value] of Object.entries({ ignoreDownstreamTriggerRules, failOnReject }))
    if (typeof value !== "boolean") throw wrong("approval", name, "a boolean", value);
  const plan: Plan = {
    ...readCommon("approval", given),
    options: [APPROVE, REJECT],
    multiple: false,
    defaults: defaults === undefined ? null : [String(defaults)],
  };
  return question("ApprovalOperator", plan, (result) => {
    if (!result.chosen_options.includes(REJECT)) return result;
    if (failOnReject === true) throw new Error("The request was rejected");
    throw new SkipDownstream(ignoreDownstreamTriggerRules === true, copyJson(result, "The answer"));
  });
}

function question<A extends Inputs>(
  operatorName: string,
  plan: Plan,
  conclude: (result: HITLResult) => HITLResult,
): HITLTask<A> {
  return defineOperator<A, HITLResult>({
    operatorName,
    takesInputs: true,
    refusedOptions: ["executionTimeout"],
    canSkipDownstream: operatorName === "ApprovalOperator",
    execute: (inputs) => ask(operatorName, plan, inputs),
    methods: { [COMPLETE]: ({ event }) => conclude(readAnswer(plan, event)) },
  });
}

async function ask(operatorName: string, plan: Plan, inputs: unknown): Promise<never> {
  const subject = await textOf(plan.subject, inputs);
  if (subject === "") throw new Error(`The subject of a ${operatorName} must not be empty`);
  const asked: HitlQuestion = {
    options: plan.options,
    subject,
    body: plan.body === null ? null : await textOf(plan.body, inputs),
    defaults: plan.defaults,
    multiple: plan.multiple,
    params: plan.params,
    assigned_users: plan.assignedUsers,
  };
  await currentScope(operatorName).client.askPeople(asked);
  throw new TaskAwaitingInput({ method: COMPLETE, kwargs: {}, timeout: plan.responseTimeout });
}

async function textOf(text: HITLText, inputs: unknown): Promise<string> {
  const made = typeof text === "function" ? await text(inputs) : text;
  if (typeof made !== "string") throw new Error(`A text for people must be a string, not ${describeValue(made)}`);
  return made;
}

/** The answer that resumed the task, checked against what was asked. */
function readAnswer(plan: Plan, event: JsonValue): HITLResult {
  if (!isPlainObject(event)) throw new Error(`The answer must be an object, not ${describeValue(event)}`);
  const { error, error_type, chosen_options, params_input, responded_at, responded_by_user, timedout } = event;
  if (error !== undefined)
    throw new Error(`${error_type === "timeout" ? "Response timed out" : "The answer failed"}: ${String(error)}`);
  const chosen = Array.isArray(chosen_options) ? chosen_options.map(String) : [];
  const problem = answerProblem(plan, chosen);
  if (problem !== null) throw new Error(`The answer doesn't fit: ${problem}`);
  const input = jsonObject(params_input ?? {}, "params_input of the answer");
  const [declared, answered] = [Object.keys(plan.params).toSorted(), Object.keys(input).toSorted()];
  if (declared.length > 0 && answered.length > 0 && declared.join() !== answered.join())
    throw new Error(
      `The answer doesn't fit: it has params ${answered.join(", ")}, but asked was for ${declared.join(", ")}`,
    );
  return {
    chosen_options: chosen,
    params_input: input,
    responded_at: new Date(String(responded_at)).toISOString(),
    responded_by_user: readUser(responded_by_user),
    timedout: timedout === true,
  };
}

function readUser(user: unknown): HITLUser | null {
  return isPlainObject(user) ? { id: String(user.id), name: String(user.name) } : null;
}

function readSpec(what: string, spec: unknown, known: readonly string[]): Record<string, unknown> {
  if (!isPlainObject(spec)) throw new Error(`${what} takes an object of options, not ${describeValue(spec)}`);
  const unknown = Object.keys(spec).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Error(`Unknown option "${unknown}" for ${what}${didYouMean(unknown, known)}`);
  return spec;
}

function readCommon(what: string, spec: Record<string, unknown>) {
  const { subject, body = null, responseTimeout } = spec;
  if (typeof subject !== "function" && (typeof subject !== "string" || subject === ""))
    throw wrong(what, "subject", "a non-empty string or a function", subject);
  if (body !== null && typeof body !== "string" && typeof body !== "function")
    throw wrong(what, "body", "a string, a function or null", body);
  if (responseTimeout !== undefined && !(Number.isSafeInteger(responseTimeout) && Number(responseTimeout) > 0))
    throw wrong(what, "responseTimeout", "a whole number of seconds from 1", responseTimeout);
  return {
    subject: subject as HITLText,
    body: body as HITLText | null,
    params: readParams(what, spec.params),
    assignedUsers: readUsers(what, spec.assignedUsers),
    responseTimeout: responseTimeout === undefined ? null : Number(responseTimeout),
  };
}

function readParams(what: string, params: unknown): Record<string, JsonValue> {
  if (params === undefined) return {};
  if (!isPlainObject(params)) throw wrong(what, "params", "an object of params", params);
  return Object.fromEntries(
    Object.entries(params).map(([name, param]) => {
      if (!isPlainObject(param) || !("value" in param))
        throw wrong(what, `params.${name}`, "an object with a value", param);
      return [name, { ...jsonObject(param, `params.${name} of ${what}`), source: "task" }];
    }),
  );
}

function readUsers(what: string, users: unknown): HITLUser[] {
  if (users === undefined) return [];
  const valid =
    Array.isArray(users) &&
    users.every((user) => isPlainObject(user) && typeof user.id === "string" && typeof user.name === "string");
  if (!valid) throw wrong(what, "assignedUsers", "an array of { id, name }", users);
  return users.map(({ id, name }) => ({ id, name }));
}

function readOptions(options: unknown): string[] {
  const valid =
    Array.isArray(options) &&
    options.length > 0 &&
    options.every((option) => typeof option === "string" && option !== "") &&
    new Set(options).size === options.length;
  if (!valid) throw wrong("hitl", "options", "a non-empty array of different, non-empty strings", options);
  return [...options];
}

function readDefaults(
  defaults: unknown,
  asked: { options: readonly string[]; multiple: boolean },
): readonly string[] | null {
  if (defaults === undefined) return null;
  if (!Array.isArray(defaults)) throw wrong("hitl", "defaults", "an array of options", defaults);
  const problem = answerProblem(asked, defaults.map(String));
  if (problem !== null) throw new Error(`defaults of hitl: ${problem}`);
  return defaults.map(String);
}

function wrong(what: string, name: string, expected: string, value: unknown): Error {
  return new Error(`${name} of ${what} must be ${expected}, not ${describeValue(value)}`);
}
