/**
 * The triggers that need no process: timers, and conditions over what is stored. They go by Airflow's class paths, so
 * that a task of Airflow's own SDK may defer to them as well.
 */
import type { Instant, JsonValue } from "./model.ts";

const TEMPORAL = "airflow.providers.standard.triggers.temporal";
export const DATE_TIME_TRIGGER = `${TEMPORAL}.DateTimeTrigger`;
export const TIME_DELTA_TRIGGER = `${TEMPORAL}.TimeDeltaTrigger`;
export const DAG_STATE_TRIGGER = "airflow.providers.standard.triggers.external_task.DagStateTrigger";

type Kwargs = Readonly<Record<string, JsonValue>>;

export type TriggerPlan =
  /** Fires at this instant. */
  | { readonly kind: "timer"; readonly due_at: Instant }
  /** Looked at every `poll_interval` seconds, and when a run of `dag_id` ends. */
  | { readonly kind: "condition"; readonly dag_id: string; readonly poll_interval: number }
  /** A triggerer runs it. */
  | { readonly kind: "hosted" }
  | { readonly kind: "invalid"; readonly reason: string };

const SHORTEST_POLL_SECONDS = 0.1;
const POLL_SECONDS = 60;

/** How a trigger is waited for. */
export function planTrigger(classpath: string, kwargs: Kwargs, now: Instant): TriggerPlan {
  switch (classpath) {
    case DATE_TIME_TRIGGER:
      return timer(readInstant(kwargs.moment), "moment", classpath);
    case TIME_DELTA_TRIGGER: {
      const seconds = readSeconds(kwargs.delta);
      return timer(seconds === null ? null : now + Math.round(seconds * 1000), "delta", classpath);
    }
    case DAG_STATE_TRIGGER: {
      const { dag_id, poll_interval } = kwargs;
      if (typeof dag_id !== "string" || runIdsOf(kwargs).length === 0)
        return { kind: "invalid", reason: `${classpath} needs dag_id and run_ids` };
      const poll = Math.max(SHORTEST_POLL_SECONDS, Number(poll_interval ?? POLL_SECONDS));
      return { kind: "condition", dag_id, poll_interval: Number.isFinite(poll) ? poll : POLL_SECONDS };
    }
    default:
      return { kind: "hosted" };
  }
}

/** The event of a timer, as Airflow's: the instant it waited for. */
export function timerEvent(dueAt: Instant): JsonValue {
  return new Date(dueAt).toISOString();
}

/** The event of a condition, once every run it names is in one of its states; null before. */
export function dagStateEvent(kwargs: Kwargs, states: ReadonlyMap<string, string>): JsonValue {
  const wanted = Array.isArray(kwargs.states) ? kwargs.states : [];
  const runIds = runIdsOf(kwargs);
  const reached = runIds.flatMap((id) => {
    const state = states.get(id);
    return state !== undefined && wanted.includes(state) ? [[id, state] as const] : [];
  });
  if (runIds.length === 0 || reached.length < runIds.length) return null;
  return [DAG_STATE_TRIGGER, { ...kwargs, ...Object.fromEntries(reached) }];
}

function runIdsOf({ run_ids }: Kwargs): string[] {
  return Array.isArray(run_ids) ? run_ids.filter((id) => typeof id === "string") : [];
}

function timer(dueAt: Instant | null, name: string, classpath: string): TriggerPlan {
  if (dueAt !== null) return { kind: "timer", due_at: dueAt };
  return { kind: "invalid", reason: `${classpath} can't read its ${name}` };
}

/** ISO 8601, or what Airflow's serialization makes of a datetime. */
function readInstant(value: JsonValue | undefined): Instant | null {
  if (typeof value === "string") return finite(Date.parse(value));
  const data = dataOf(value);
  if (typeof data === "object" && data !== null && !Array.isArray(data)) return finite(Number(data.timestamp) * 1000);
  return null;
}

/** Seconds, or what Airflow's serialization makes of a timedelta. */
function readSeconds(value: JsonValue | undefined): number | null {
  if (typeof value === "number") return finite(value);
  const data = dataOf(value);
  return typeof data === "number" ? finite(data) : null;
}

function dataOf(value: JsonValue | undefined): JsonValue | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value.__data__ : undefined;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
