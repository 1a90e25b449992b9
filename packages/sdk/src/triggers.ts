/**
 * Triggers: what deferred tasks wait for. Timers and conditions over runs are kept by the engine; what an author defines
 * runs in a trigger host, beside thousands of others.
 */
import { DAG_STATE_TRIGGER, DATE_TIME_TRIGGER, type JsonValue, TIME_DELTA_TRIGGER } from "@updraft/dag-core";
import { copyJson, describeValue, isPlainObject } from "./json.ts";
import type { Kwargs } from "./wait-signals.ts";

/** A trigger to wait for, as it is stored. */
export interface Trigger {
  readonly classpath: string;
  readonly kwargs: Kwargs;
}

/**
 * Resolves with the event; rejects to fail the task that waits. `signal` aborts when nobody waits any more.
 *
 * A generator yields events: the first one is what a task waits for, and every one is an event of an asset that it
 * watches. It goes on after a `yield` when that event is stored.
 */
export type TriggerFunction<K = Kwargs> = (
  kwargs: K,
  scope: { readonly signal: AbortSignal },
) => Promise<unknown> | AsyncIterable<unknown>;

const PREFIX = "updraft.trigger.";
const NAME = /^[\p{L}\p{N}_.-]+$/u;

const defined = new Map<string, TriggerFunction<never>>();
let namesOfThisFile = new Set<string>();

/**
 * Defines a trigger at the top of a file; what it returns makes one to wait for. In it `getClient()`, `getContext()` and
 * `getLogger()` work as in the task that waits.
 */
export function defineTrigger<K extends object>(name: string, run: TriggerFunction<K>): (kwargs: K) => Trigger {
  if (typeof name !== "string" || !NAME.test(name))
    throw new Error(`A trigger needs a name of letters, digits, "_", "-" and ".", not ${describeValue(name)}`);
  if (typeof run !== "function") throw new Error(`Trigger "${name}" must be a function, not ${describeValue(run)}`);
  if (namesOfThisFile.has(name)) throw new Error(`Trigger "${name}" is defined twice`);
  namesOfThisFile.add(name);
  const classpath = `${PREFIX}${name}`;
  defined.set(classpath, run);
  return (kwargs) => Object.freeze({ classpath, kwargs: jsonObject(kwargs, `The arguments of trigger "${name}"`) });
}

/** Waits until an instant. */
export function dateTimeTrigger(moment: Date): Trigger {
  if (!(moment instanceof Date) || Number.isNaN(moment.getTime()))
    throw new Error(`dateTimeTrigger needs a valid Date, not ${describeValue(moment)}`);
  return { classpath: DATE_TIME_TRIGGER, kwargs: { moment: moment.toISOString() } };
}

/** Waits for some seconds from when the task is deferred. */
export function timeDeltaTrigger(seconds: number): Trigger {
  if (typeof seconds !== "number" || !(seconds >= 0) || !Number.isFinite(seconds))
    throw new Error(`timeDeltaTrigger needs a number of seconds from 0, not ${describeValue(seconds)}`);
  return { classpath: TIME_DELTA_TRIGGER, kwargs: { delta: seconds } };
}

/** Waits until every one of some runs is in one of some states. */
export function dagStateTrigger(runs: {
  readonly dagId: string;
  readonly runIds: readonly string[];
  readonly states: readonly string[];
  /** Seconds between two looks beside those when a run of the Dag ends. */
  readonly pokeInterval?: number;
}): Trigger {
  const { dagId: dag_id, runIds, states, pokeInterval: poll_interval = 60 } = runs;
  const kwargs = { dag_id, run_ids: [...runIds], states: [...states], execution_dates: null, poll_interval };
  return { classpath: DAG_STATE_TRIGGER, kwargs };
}

/** True for what a trigger of `defineTrigger` makes. */
export function isDefinedTrigger(value: unknown): value is Trigger {
  if (!isPlainObject(value)) return false;
  const { classpath, kwargs } = value as Partial<Trigger>;
  return typeof classpath === "string" && classpath.startsWith(PREFIX) && isPlainObject(kwargs);
}

/** @internal What runs a defined trigger; throws where the loaded files define none of that name. */
export function requireTrigger(classpath: string): TriggerFunction<never> {
  const run = defined.get(classpath);
  if (run === undefined) throw new Error(`There is no trigger ${classpath} in the file that asks for it`);
  return run;
}

/** @internal The events of one call of a trigger. */
export async function* eventsOf(called: ReturnType<TriggerFunction>): AsyncIterable<unknown> {
  if (isAsyncIterable(called)) yield* called;
  else yield await called;
}

/** What an author's function gives back is theirs to choose. */
function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** @internal A file is about to be loaded: the names it gives are its own. */
export function forgetTriggerNames(): void {
  namesOfThisFile = new Set();
}

/** A strict JSON copy of an object of arguments. */
export function jsonObject(value: unknown, what: string): Record<string, JsonValue> {
  if (!isPlainObject(value)) throw new Error(`${what} must be a plain object, not ${describeValue(value)}`);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyJson(part, `${what}: ${key}`)]));
}
