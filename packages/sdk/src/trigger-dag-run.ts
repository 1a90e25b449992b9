/**
 * `triggerDagRun(...)`: starts a run of another Dag, and may wait for its end: in its process, or `deferrable` without
 * a slot.
 */
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DAG_RUN_STATES, type DagRunState, type JsonValue } from "@updraft/dag-core";
import { defaultDeferrable } from "./default-deferrable.ts";
import { copyJson, describeValue, isPlainObject } from "./json.ts";
import { defineOperator } from "./operator.ts";
import type { TriggerRequest } from "./raw-client.ts";
import { didYouMean } from "./suggestion.ts";
import { FailTask, SkipTask } from "./task-errors.ts";
import { getLogger } from "./task-logger.ts";
import type { Operator } from "./task-types.ts";
import { dagStateTrigger } from "./triggers.ts";
import { currentScope, type TryScope } from "./try-scope.ts";
import { defer } from "./waiting.ts";

export type { DagRunState };

export interface TriggerDagRunSpec {
  readonly dagId: string;
  readonly runId?: string | undefined;
  /** Null for a run without a logical date. Default: now, or null where `runAfter` is given. */
  readonly logicalDate?: Date | null | undefined;
  readonly runAfter?: Date | undefined;
  readonly conf?: { readonly [key: string]: JsonValue } | undefined;
  readonly resetDagRun?: boolean | undefined;
  readonly waitForCompletion?: boolean | undefined;
  readonly skipWhenAlreadyExists?: boolean | undefined;
  readonly failWhenDagIsPaused?: boolean | undefined;
  /** Seconds between two looks. Default 60. */
  readonly pokeInterval?: number | undefined;
  readonly allowedStates?: readonly DagRunState[] | undefined;
  readonly failedStates?: readonly DagRunState[] | undefined;
  readonly note?: string | undefined;
  /** Waits without a slot. Default: the installation's `operators.default_deferrable`. */
  readonly deferrable?: boolean | undefined;
}

export type TriggerDagRunTask = Operator<void, void>;

interface Plan {
  readonly dagId: string;
  readonly runId: string | null;
  readonly logicalDate: Date | null | undefined;
  readonly runAfter: Date | null;
  readonly conf: Readonly<Record<string, JsonValue>>;
  readonly resetDagRun: boolean;
  readonly waitForCompletion: boolean;
  readonly deferrable: boolean;
  readonly skipWhenAlreadyExists: boolean;
  readonly failWhenDagIsPaused: boolean;
  readonly pokeIntervalMs: number;
  readonly allowedStates: readonly string[];
  readonly failedStates: readonly string[];
  readonly note: string | null;
}

/** Airflow's name for how a deferred one goes on. */
const COMPLETE = "execute_complete";
const OPTIONS = [
  "dagId",
  "runId",
  "logicalDate",
  "runAfter",
  "conf",
  "resetDagRun",
  "waitForCompletion",
  "skipWhenAlreadyExists",
  "failWhenDagIsPaused",
  "pokeInterval",
  "allowedStates",
  "failedStates",
  "note",
  "deferrable",
];
const FLAGS = ["resetDagRun", "waitForCompletion", "skipWhenAlreadyExists", "failWhenDagIsPaused", "deferrable"];
const RUN_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** A task that starts a run of `spec.dagId`. Its id is mandatory and it takes no inputs. */
export function triggerDagRun(spec: TriggerDagRunSpec): TriggerDagRunTask {
  const plan = createPlan(spec);
  return defineOperator<void, void>({
    operatorName: "TriggerDagRunOperator",
    detail: plan.dagId,
    execute: () => execute(plan, currentScope("triggerDagRun")),
    methods: { [COMPLETE]: ({ event, kwargs }) => conclude(plan, String(kwargs.run_id), stateIn(event, kwargs)) },
  });
}

async function execute(plan: Plan, scope: TryScope): Promise<void> {
  if (plan.failWhenDagIsPaused && (await scope.client.getDag(plan.dagId)).is_paused) {
    throw new Error(`Dag "${plan.dagId}" is paused`);
  }
  const request = createRequest(plan);
  await trigger(plan, scope, request);
  if (!plan.waitForCompletion) {
    if (plan.deferrable) getLogger().info("deferrable is ignored, because the task doesn't wait for the run");
    return;
  }
  if (plan.deferrable) deferUntilEnd(plan, request.runId);
  await waitForEnd(plan, scope, request.runId);
}

function deferUntilEnd(plan: Plan, runId: string): never {
  const { dagId, allowedStates, failedStates, pokeIntervalMs } = plan;
  const states = [...allowedStates, ...failedStates];
  const trigger = dagStateTrigger({ dagId, runIds: [runId], states, pokeInterval: pokeIntervalMs / 1000 });
  return defer({ trigger, method: COMPLETE, kwargs: { run_id: runId } });
}

/** The state of the run in the trigger's event: its class path and its data, which holds states by run id. */
function stateIn(event: JsonValue, { run_id }: Readonly<Record<string, JsonValue>>): string {
  const data = Array.isArray(event) ? event[1] : null;
  const state = isPlainObject(data) ? data[String(run_id)] : undefined;
  if (typeof state !== "string") throw new Error(`The trigger told nothing of run "${String(run_id)}"`);
  return state;
}

/** Throws where the run ended as one of the failed states. */
function conclude({ dagId, failedStates }: Plan, runId: string, state: string): void {
  if (failedStates.includes(state)) throw new Error(`Run "${runId}" of Dag "${dagId}" ended as ${state}`);
}

async function trigger(plan: Plan, scope: TryScope, request: TriggerRequest): Promise<void> {
  const link = `/dags/${encodeURIComponent(plan.dagId)}/runs/${encodeURIComponent(request.runId)}`;
  const [, result] = await Promise.all([
    pushXCom(scope, "_link_TriggerDagRunLink", link),
    scope.client.triggerDagRun(request),
  ]);
  if (result === "already_exists") {
    const message = `Run "${request.runId}" of Dag "${plan.dagId}" exists already`;
    throw plan.skipWhenAlreadyExists ? new SkipTask(message) : new FailTask(message);
  }
  getLogger().info(`Triggered run "${request.runId}" of Dag "${plan.dagId}"`);
  await pushXCom(scope, "trigger_run_id", request.runId);
}

async function waitForEnd(plan: Plan, scope: TryScope, runId: string): Promise<void> {
  for (;;) {
    await sleep(plan.pokeIntervalMs, undefined, { signal: scope.signal });
    const state = await scope.client.getDagRunState(plan.dagId, runId);
    conclude(plan, runId, state);
    if (plan.allowedStates.includes(state)) return;
    getLogger().info(
      `Run "${runId}" of Dag "${plan.dagId}" is ${state}; looking again in ${plan.pokeIntervalMs / 1000} s`,
    );
  }
}

async function pushXCom(scope: TryScope, key: string, value: string): Promise<void> {
  const { dag_id: dagId, run_id: runId, task_id: taskId, map_index: mapIndex } = scope.context;
  await scope.client.setXCom({ dagId, runId, taskId, mapIndex, key }, value);
}

function createRequest(plan: Plan): TriggerRequest {
  const now = new Date();
  const unset = plan.runAfter === null ? now : null;
  const logicalDate = plan.logicalDate === undefined ? unset : plan.logicalDate;
  return {
    dagId: plan.dagId,
    runId: plan.runId ?? createRunId(logicalDate, plan.runAfter ?? now),
    conf: plan.conf,
    logicalDate: logicalDate?.toISOString() ?? null,
    runAfter: plan.runAfter?.toISOString() ?? null,
    note: plan.note,
    resetDagRun: plan.resetDagRun,
  };
}

/** Airflow's form; a run without a logical date gets a random ending, since several may share an instant. */
function createRunId(logicalDate: Date | null, runAfter: Date): string {
  const instant = (logicalDate ?? runAfter).toISOString();
  const pythonIso = instant.endsWith(".000Z") ? `${instant.slice(0, -5)}+00:00` : `${instant.slice(0, -1)}000+00:00`;
  if (logicalDate !== null) return `manual__${pythonIso}`;
  const ending = Array.from({ length: 8 }, () => RUN_ID_ALPHABET[randomInt(RUN_ID_ALPHABET.length)]).join("");
  return `manual__${pythonIso}_${ending}`;
}

function createPlan(spec: unknown): Plan {
  if (!isPlainObject(spec)) throw new Error(`triggerDagRun takes an object of options, not ${describeValue(spec)}`);
  const unknown = Object.keys(spec).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined)
    throw new Error(`Unknown option "${unknown}" for triggerDagRun${didYouMean(unknown, OPTIONS)}`);
  const wrongFlag = FLAGS.find((key) => spec[key] !== undefined && typeof spec[key] !== "boolean");
  if (wrongFlag !== undefined) throw wrongOption(wrongFlag, "a boolean", spec[wrongFlag]);
  const {
    resetDagRun = false,
    waitForCompletion = false,
    skipWhenAlreadyExists = false,
    failWhenDagIsPaused = false,
    deferrable = defaultDeferrable(),
  } = spec;
  return {
    dagId: readText(spec, "dagId") ?? missingDagId(),
    runId: readText(spec, "runId"),
    logicalDate: spec.logicalDate === null ? null : (readDate(spec, "logicalDate") ?? undefined),
    runAfter: readDate(spec, "runAfter"),
    conf: readConf(spec.conf),
    resetDagRun: resetDagRun === true,
    waitForCompletion: waitForCompletion === true,
    deferrable: deferrable === true,
    skipWhenAlreadyExists: skipWhenAlreadyExists === true,
    failWhenDagIsPaused: failWhenDagIsPaused === true,
    pokeIntervalMs: readPokeInterval(spec.pokeInterval) * 1000,
    allowedStates: readAllowedStates(spec),
    failedStates: readStates(spec, "failedStates") ?? ["failed"],
    note: readText(spec, "note"),
  };
}

function wrongOption(name: string, expected: string, value: unknown): Error {
  return new Error(`${name} of triggerDagRun must be ${expected}, not ${describeValue(value)}`);
}

function missingDagId(): never {
  throw wrongOption("dagId", "a non-empty string", undefined);
}

function readText(spec: Record<string, unknown>, name: string): string | null {
  const value = spec[name];
  if (value === undefined) return null;
  if (typeof value !== "string" || value === "") throw wrongOption(name, "a non-empty string", value);
  return value;
}

function readDate(spec: Record<string, unknown>, name: string): Date | null {
  const value = spec[name];
  if (value === undefined) return null;
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw wrongOption(name, "a valid Date", value);
  return new Date(value.getTime());
}

function readConf(conf: unknown): Readonly<Record<string, JsonValue>> {
  if (conf === undefined) return {};
  if (!isPlainObject(conf)) throw wrongOption("conf", "a JSON object", conf);
  return Object.fromEntries(
    Object.entries(conf).map(([key, value]) => [key, copyJson(value, `conf.${key} of triggerDagRun`)]),
  );
}

function readPokeInterval(value: unknown): number {
  if (value === undefined) return 60;
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
    throw wrongOption("pokeInterval", "a number of seconds from 0", value);
  return value;
}

/** An empty list means the default, as in Airflow; an empty list of failed states stays empty. */
function readAllowedStates(spec: Record<string, unknown>): readonly string[] {
  const states = readStates(spec, "allowedStates");
  return states === null || states.length === 0 ? ["success"] : states;
}

function readStates(spec: Record<string, unknown>, name: string): readonly string[] | null {
  const value = spec[name];
  if (value === undefined) return null;
  const valid = Array.isArray(value) && value.every((state) => DAG_RUN_STATES.includes(state));
  if (!valid) throw wrongOption(name, `an array of ${DAG_RUN_STATES.join(", ")}`, value);
  return [...value];
}
