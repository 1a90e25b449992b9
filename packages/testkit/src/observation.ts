/** What invariants look at after every step: less than a dump, and cheap to take from the in-memory store. */
import type { DagRunState, SerializedDag, TaskInstanceState } from "@updraft/dag-core";
import type { Tables } from "./memory-store/tables.ts";

export interface SeenInstance {
  readonly id: string;
  readonly run: number;
  readonly dag_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly state: TaskInstanceState;
  readonly try_number: number;
  readonly pool: string;
  readonly pool_slots: number;
}

export interface SeenRun {
  readonly id: number;
  readonly dag_id: string;
  readonly run_id: string;
  readonly state: DagRunState;
  /** Of the version that the run follows. */
  readonly form: SerializedDag;
}

export interface Observation {
  readonly instances: readonly SeenInstance[];
  readonly runs: readonly SeenRun[];
  readonly paused: ReadonlySet<string>;
}

export function observeMemory(tables: Tables): Observation {
  return {
    instances: Array.from(tables.instances.values(), ({ id, run, task, map_index, state, try_number }) => {
      const { task_id, pool, pool_slots } = task;
      return { id, run: run.id, dag_id: run.dag.dag_id, task_id, map_index, state, try_number, pool, pool_slots };
    }),
    runs: tables.runs.map(({ id, dag, run_id, state, version }) => ({
      ...{ id, dag_id: dag.dag_id, run_id, state, form: version.form },
    })),
    paused: new Set([...tables.dags.values()].filter((dag) => dag.is_paused).map(({ dag_id }) => dag_id)),
  };
}

type Query = <R extends Record<string, unknown>>(text: string) => Promise<R[]>;

export async function observePostgres(query: Query): Promise<Observation> {
  const instances = await query<SeenInstance & Record<string, unknown>>(
    `SELECT id, dag_run::integer AS run, dag_id, task_id, map_index, state, try_number, pool, pool_slots
     FROM task_instance ORDER BY id`,
  );
  const runs = await query<SeenRun & Record<string, unknown>>(
    `SELECT r.id::integer AS id, r.dag_id, r.run_id, r.state, v.form
     FROM dag_run r JOIN dag_version v ON v.id = r.dag_version_id ORDER BY r.id`,
  );
  const paused = await query<{ dag_id: string }>("SELECT dag_id FROM dag WHERE is_paused");
  return { instances, runs, paused: new Set(paused.map(({ dag_id }) => dag_id)) };
}
