/** `sensor(...)`: looks again and again until something is there. */
import { setTimeout as sleep } from "node:timers/promises";
import { isSensorTimedOut, type SensorPlan, sensorWaitSeconds } from "@updraft/dag-core";
import { describeValue, isPlainObject } from "./json.ts";
import { defineOperator } from "./operator.ts";
import { didYouMean } from "./suggestion.ts";
import { FailTask, SkipTask } from "./task-errors.ts";
import { getLogger } from "./task-logger.ts";
import type { Inputs, NoInputs, Operator } from "./task-types.ts";
import { currentScope, type TryScope } from "./try-scope.ts";
import { TaskRescheduled, WaitSignal } from "./wait-signals.ts";
import { type TaskDeferralError, TaskDeferralTimeout } from "./waiting.ts";

/** Durations are seconds. */
export interface SensorOptions {
  /** Between two looks. Default 60. */
  readonly pokeInterval?: number | undefined;
  /** How long it looks in one try. Default seven days. */
  readonly timeout?: number | undefined;
  /** "reschedule" gives the slot back between two looks. Default "poke". */
  readonly mode?: "poke" | "reschedule" | undefined;
  /** Skips the task where it would give up or fail for good. */
  readonly softFail?: boolean | undefined;
  /** Skips the task whatever goes wrong. */
  readonly neverFail?: boolean | undefined;
  /** A look that fails counts as one that found nothing. */
  readonly silentFail?: boolean | undefined;
  readonly exponentialBackoff?: boolean | undefined;
  /** The longest wait that backoff makes. */
  readonly maxWait?: number | undefined;
}

/** What a look found, with a value for the tasks downstream. */
export class PokeReturnValue {
  readonly isDone: boolean;
  readonly xcomValue: unknown;

  constructor(isDone: boolean, xcomValue?: unknown) {
    this.isDone = isDone;
    this.xcomValue = xcomValue;
  }
}

/** The sensor found nothing in time: the task fails, whatever retries are left. */
export class SensorTimeout extends FailTask {
  override readonly name: string = "SensorTimeout";
}

export type Poke<A extends Inputs> = (inputs: A) => unknown;

const OPTIONS = [
  "pokeInterval",
  "timeout",
  "mode",
  "softFail",
  "neverFail",
  "silentFail",
  "exponentialBackoff",
  "maxWait",
];

/** Calls `poke` until it returns something truthy, or a `PokeReturnValue` that is done. */
export function sensor<A extends Inputs = NoInputs>(poke: Poke<A>, options: SensorOptions = {}): Operator<A, unknown> {
  if (typeof poke !== "function") throw new Error(`sensor needs a function that looks, not ${describeValue(poke)}`);
  return defineSensor({ operatorName: "Sensor", poke, options });
}

export interface SensorDefinition<A extends Inputs> {
  /** Airflow's class name for it. */
  readonly operatorName: string;
  readonly detail?: string | null;
  readonly poke: Poke<A>;
  readonly options: SensorOptions;
  readonly takesInputs?: boolean;
}

/** For providers: a sensor with a name of its own. */
export function defineSensor<A extends Inputs = NoInputs>(definition: SensorDefinition<A>): Operator<A, unknown> {
  const plan = planOf(definition.options);
  const failures = failuresOf(definition.options);
  return defineOperator<A, unknown>({
    operatorName: definition.operatorName,
    detail: definition.detail ?? null,
    takesInputs: definition.takesInputs ?? true,
    execute: (inputs) => look(plan, failures, { poke: () => definition.poke(inputs), scope: currentScope("sensor") }),
    onDeferralError: (error) => giveUp(failures, asSensorError(error)),
  });
}

interface Failures {
  readonly soft: boolean;
  readonly never: boolean;
  readonly silent: boolean;
}

async function look(
  plan: SensorPlan,
  failures: Failures,
  { poke, scope }: { readonly poke: () => unknown; readonly scope: TryScope },
): Promise<unknown> {
  const start = startOf(plan, scope);
  const { dag_id, task_id } = scope.context;
  for (let pokes = 1; ; pokes += 1) {
    const found = await pokeOnce(failures, poke);
    if (found instanceof PokeReturnValue ? found.isDone : Boolean(found))
      return found instanceof PokeReturnValue ? found.xcomValue : undefined;
    const elapsed = (Date.now() - start) / 1000;
    if (isSensorTimedOut(plan, elapsed))
      return giveUp(
        failures,
        new SensorTimeout(`The sensor found nothing in ${Math.floor(elapsed)} s; its timeout is ${plan.timeout} s`),
      );
    const seconds = sensorWaitSeconds(plan, { elapsed, pokes, seed: `${dag_id}#${task_id}#${start}` });
    if (plan.mode === "reschedule") throw new TaskRescheduled(new Date(Date.now() + seconds * 1000));
    await rest(failures, seconds, scope.signal);
  }
}

/** A try that was rescheduled counts from its first look. */
function startOf({ mode }: SensorPlan, { context }: TryScope): number {
  const first = context.reschedules?.first_start;
  return mode === "reschedule" && first !== undefined ? Date.parse(first) : Date.now();
}

async function pokeOnce(failures: Failures, poke: () => unknown): Promise<unknown> {
  try {
    return await poke();
  } catch (error) {
    if (error instanceof SkipTask || error instanceof WaitSignal) throw error;
    if (error instanceof FailTask) return giveUp(failures, error);
    if (failures.silent) {
      getLogger().error(`The look failed and counts as one that found nothing: ${messageOf(error)}`);
      return false;
    }
    if (failures.never) throw new SkipTask(`The look failed: ${messageOf(error)}`);
    throw error;
  }
}

/** A try that runs out of its execution_timeout is aborted; `softFail` skips it. */
async function rest(failures: Failures, seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(Math.min(seconds * 1000, 2 ** 31 - 1), undefined, { signal });
  } catch (error) {
    if (failures.soft || failures.never) throw new SkipTask(`The sensor was stopped: ${messageOf(signal.reason)}`);
    throw error;
  }
}

function giveUp({ soft, never }: Failures, error: Error): never {
  throw soft || never ? new SkipTask(error.message) : error;
}

function asSensorError(error: TaskDeferralError): Error {
  return error instanceof TaskDeferralTimeout ? new SensorTimeout(error.message) : error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function planOf(options: unknown): SensorPlan {
  if (!isPlainObject(options))
    throw new Error(`The options of a sensor must be an object, not ${describeValue(options)}`);
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) throw new Error(`Unknown option "${unknown}" for a sensor${didYouMean(unknown, OPTIONS)}`);
  const { mode = "poke" } = options;
  if (mode !== "poke" && mode !== "reschedule")
    throw new Error(`mode of a sensor must be "poke" or "reschedule", not ${describeValue(mode)}`);
  if (options.softFail === true && options.neverFail === true)
    throw new Error("softFail and neverFail of a sensor exclude each other");
  return {
    poke_interval: readSeconds(options, "pokeInterval") ?? 60,
    timeout: readSeconds(options, "timeout") ?? 604_800,
    exponential_backoff: options.exponentialBackoff === true,
    max_wait: readSeconds(options, "maxWait"),
    mode,
  };
}

function failuresOf({ softFail, neverFail, silentFail }: SensorOptions): Failures {
  return { soft: softFail === true, never: neverFail === true, silent: silentFail === true };
}

function readSeconds(options: Record<string, unknown>, name: string): number | null {
  const value = options[name];
  if (value === undefined) return null;
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new Error(`${name} of a sensor must be a number of seconds from 0, not ${describeValue(value)}`);
}
