/** Everything that a store knows, in a form in which two stores can be compared: names instead of ids, sorted. */
import type { DagRunState, TaskInstanceState } from "@updraft/dag-core";
import type { Tables } from "./tables.ts";

export interface DumpedInstance {
  /** `dag/run/task/index`. */
  readonly name: string;
  readonly state: TaskInstanceState;
  readonly try_number: number;
  readonly max_tries: number;
  readonly offer_number: number;
  readonly start_date: number | null;
  readonly end_date: number | null;
  readonly queued_when: number | null;
  readonly next_retry_at: number | null;
  readonly hostname: string | null;
  readonly pid: number | null;
  /** Earlier tries as `number state`. */
  readonly tries: readonly string[];
  /** Keys of what the try pushed. */
  readonly xcoms: readonly string[];
}

export interface DumpedRun {
  /** `dag/run`. */
  readonly name: string;
  readonly state: DagRunState;
  readonly version: number;
  readonly clear_number: number;
  readonly logical_date: number | null;
  readonly run_after: number;
  readonly queued_at: number | null;
  readonly start_date: number | null;
  readonly end_date: number | null;
  readonly timeout_at: number | null;
}

export interface DumpedDag {
  readonly name: string;
  readonly is_paused: boolean;
  readonly evaluate_at: number | null;
  readonly is_gated: boolean;
  readonly last_tick_start: number | null;
  readonly last_tick_end: number | null;
  readonly skipped: readonly string[];
}

export interface StoreDump {
  readonly dags: readonly DumpedDag[];
  readonly runs: readonly DumpedRun[];
  readonly instances: readonly DumpedInstance[];
  /** What is in use of each limit, without zeros. Runs are named. */
  readonly occupancy: Readonly<Record<string, number>>;
}

export function dumpOf(tables: Tables): StoreDump {
  const instances = [...tables.instances.values()].map(({ run, task, map_index, history, xcoms, ...rest }) => ({
    name: `${run.dag.dag_id}/${run.run_id}/${task.task_id}/${map_index}`,
    ...pick(rest, INSTANCE_KEYS),
    tries: history.map(({ try_number, state }) => `${try_number} ${state}`),
    xcoms: [...xcoms.keys()].sort(),
  }));
  const runs = tables.runs.map(({ dag, version, run_id, ...rest }) => ({
    name: `${dag.dag_id}/${run_id}`,
    version: version.number,
    ...pick(rest, RUN_KEYS),
  }));
  const dags = [...tables.dags.values()].map((dag) => ({
    name: dag.dag_id,
    ...pick(dag, DAG_KEYS),
    skipped: tables.skippedTicks
      .filter(({ dag_id }) => dag_id === dag.dag_id)
      .map(({ first_tick, last_tick, count, cause }) => `${first_tick} ${last_tick} ${count} ${cause}`),
  }));
  const names = new Map(tables.runs.map((run) => [`run:${run.id}`, `run:${run.dag.dag_id}/${run.run_id}`]));
  const used = [...tables.occupancy()].map(([key, count]) => [names.get(key) ?? key, count] as const);
  return sorted({ dags, runs, instances, occupancy: Object.fromEntries(used) });
}

export const INSTANCE_KEYS = [
  "state",
  "try_number",
  "max_tries",
  "offer_number",
  "start_date",
  "end_date",
  "queued_when",
  "next_retry_at",
  "hostname",
  "pid",
] as const;
export const RUN_KEYS = [
  "state",
  "clear_number",
  "logical_date",
  "run_after",
  "queued_at",
  "start_date",
  "end_date",
  "timeout_at",
] as const;
export const DAG_KEYS = ["is_paused", "evaluate_at", "is_gated", "last_tick_start", "last_tick_end"] as const;

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}

/** Rows by name, counters by key. */
export function sorted({ dags, runs, instances, occupancy }: StoreDump): StoreDump {
  const byName = <T extends { readonly name: string }>(rows: readonly T[]) =>
    rows.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const used = Object.entries(occupancy).filter(([, count]) => count !== 0);
  return {
    dags: byName(dags),
    runs: byName(runs),
    instances: byName(instances),
    occupancy: Object.fromEntries(used.sort(([left], [right]) => (left < right ? -1 : 1))),
  };
}
