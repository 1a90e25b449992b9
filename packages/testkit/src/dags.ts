/** Small DAGs for tests: edges in a line of text, everything else at its default. */
import type { SerializedDag, SerializedTask, SerializedTaskGroup } from "@updraft/dag-core";

/** A task with defaults. */
export function task(overrides: Partial<SerializedTask> & { task_id: string }): SerializedTask {
  return {
    operator_name: "TypeScriptOperator",
    arg_bindings: [],
    downstream_task_ids: [],
    trigger_rule: "all_success",
    owner: "airflow",
    retries: 0,
    retry_delay: 300,
    max_retry_delay: null,
    retry_exponential_backoff: 0,
    execution_timeout: null,
    queue: "default",
    pool: "default_pool",
    pool_slots: 1,
    priority_weight: 1,
    weight_rule: "downstream",
    do_xcom_push: true,
    depends_on_past: false,
    wait_for_downstream: false,
    ignore_first_depends_on_past: false,
    wait_for_past_depends_before_skipping: false,
    max_active_tis_per_dag: null,
    max_active_tis_per_dagrun: null,
    is_setup: false,
    is_teardown: false,
    on_failure_fail_dagrun: false,
    is_empty: false,
    expand: null,
    map_index_template: null,
    inlets: [],
    outlets: [],
    start_date: null,
    end_date: null,
    can_skip_downstream: false,
    isolation: "warm",
    doc_md: null,
    ui_detail: null,
    ...overrides,
  };
}

/** A task group with defaults; null is the root. Its label is the last part of its id. */
export function group(
  id: string | null,
  children: SerializedTaskGroup["children"],
  overrides: Partial<SerializedTaskGroup> = {},
): SerializedTaskGroup {
  const label = id?.split(".").at(-1) ?? "";
  return { group_id: id, label, expand: null, retries: 0, retry_delay: 300, children, ...overrides };
}

/** A DAG of chains: `"a > b > c, a > c, lonely"`. `overrides` change single tasks by id. */
export function dag(
  edges: string,
  overrides: Partial<SerializedDag> = {},
  tasks: Record<string, Partial<SerializedTask>> = {},
): SerializedDag {
  const downstream = new Map<string, Set<string>>();
  for (const chain of edges.split(",").filter((text) => text.trim() !== "")) {
    const ids = chain.split(">").map((id) => id.trim());
    for (const id of ids) if (!downstream.has(id)) downstream.set(id, new Set());
    for (const [index, id] of ids.slice(1).entries()) downstream.get(ids[index] ?? "")?.add(id);
  }
  return {
    dag_id: "d",
    dag_display_name: null,
    description: null,
    doc_md: null,
    relative_fileloc: "d.ts",
    timetable: { type: "null" },
    start_date: null,
    end_date: null,
    catchup: false,
    max_active_runs: 16,
    max_active_tasks: 16,
    max_consecutive_failed_dag_runs: 0,
    dagrun_timeout: null,
    fail_fast: false,
    retries: 0,
    retry_delay: 300,
    allowed_run_types: null,
    rerun_with_latest_version: null,
    is_paused_upon_creation: null,
    tags: [],
    tasks: [...downstream].map(([task_id, targets]) =>
      task({ task_id, downstream_task_ids: [...targets].sort(), ...tasks[task_id] }),
    ),
    task_group: group(null, []),
    edge_labels: {},
    ...overrides,
  };
}

/** Epoch milliseconds of an ISO text. */
export function at(text: string): number {
  const value = Date.parse(text);
  if (Number.isNaN(value)) throw new Error(`no instant: ${text}`);
  return value;
}

/** ISO text of epoch milliseconds, without empty milliseconds. */
export function iso(instant: number | null | undefined): string {
  return instant === null || instant === undefined ? "never" : new Date(instant).toISOString().replace(".000Z", "Z");
}
