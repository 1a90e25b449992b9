/** From what an author declared to the canonical form of a Dag. */
import {
  type ArgBinding,
  type AssetReference,
  type DagIssue,
  type SerializedDag,
  type SerializedTask,
  type SerializedTaskGroup,
  type StartFromTrigger,
  type TriggerRule,
  validateDag,
  type WeightRule,
} from "@updraft/dag-core";
import { referenceOf } from "./asset.ts";
import { authorTrace } from "./author-trace.ts";
import type { Bundle } from "./bundle.ts";
import { errorAt } from "./call-site.ts";
import { modelOf } from "./dag.ts";
import type { DagModel, GroupRecord, InputRecord, TaskRecord } from "./dag-model.ts";
import { readDeadlines } from "./deadline.ts";
import { downstreamTaskIds } from "./graph.ts";
import { copyJson } from "./json.ts";
import { serializeExpand } from "./map-sources.ts";
import type { UpdraftTaskSpec } from "./spec-types.ts";
import { readTimetable, type ScheduleDefaults } from "./timetable.ts";
import { jsonObject } from "./triggers.ts";
import { type DeferOptions, EXECUTE } from "./waiting.ts";

export interface SerializeOptions {
  /** Path of the authored file, relative to the DAGs folder. */
  readonly relativeFileloc: string;
  /** The installation's defaults for what a Dag leaves unset. */
  readonly defaults: {
    readonly maxActiveRuns: number;
    readonly maxActiveTasks: number;
    readonly catchup: boolean;
  } & ScheduleDefaults;
}

export interface SerializedBundle {
  readonly dags: SerializedDag[];
  readonly errors: { readonly dag_id: string | null; readonly stack_trace: string }[];
}

/** Every Dag of the bundle that can be read, and for each other one what is wrong with it. */
export function serializeBundle(bundle: Bundle, options: SerializeOptions): SerializedBundle {
  const result: SerializedBundle = { dags: [], errors: [] };
  for (const dag of bundle.dags) {
    try {
      const serialized = serializeDag(modelOf(dag), options);
      const issues = validateDag(serialized);
      if (issues.length === 0) result.dags.push(serialized);
      else result.errors.push({ dag_id: dag.dagId, stack_trace: issues.map(describeIssue).join("\n") });
    } catch (error) {
      result.errors.push({ dag_id: dag.dagId, stack_trace: authorTrace(error) });
    }
  }
  return result;
}

function describeIssue({ dag_id, task_id, message }: DagIssue): string {
  return `${task_id === null ? `Dag "${dag_id}"` : `Task "${task_id}" of Dag "${dag_id}"`}: ${message}`;
}

function serializeDag(model: DagModel, { relativeFileloc, defaults }: SerializeOptions): SerializedDag {
  model.finalize();
  const { spec } = model;
  const downstream = downstreamTaskIds(model);
  const deadlines = readDeadlines(model);
  return {
    dag_id: model.dagId,
    dag_display_name: spec.dagDisplayName ?? null,
    description: spec.description ?? null,
    doc_md: spec.docMd ?? null,
    relative_fileloc: relativeFileloc,
    timetable: readTimetable(model, defaults),
    start_date: spec.startDate?.getTime() ?? null,
    end_date: spec.endDate?.getTime() ?? null,
    catchup: spec.catchup ?? defaults.catchup,
    max_active_runs: spec.maxActiveRuns ?? defaults.maxActiveRuns,
    max_active_tasks: spec.maxActiveTasks ?? defaults.maxActiveTasks,
    max_consecutive_failed_dag_runs: spec.maxConsecutiveFailedDagRuns ?? 0,
    dagrun_timeout: spec.dagrunTimeout ?? null,
    fail_fast: spec.failFast ?? false,
    retries: spec.retries ?? 0,
    retry_delay: spec.retryDelay ?? 300,
    allowed_run_types: spec.allowedRunTypes ?? null,
    ...(deadlines.length === 0 ? {} : { deadlines }),
    rerun_with_latest_version: spec.rerunWithLatestVersion ?? null,
    ...(spec.disableBundleVersioning === undefined ? {} : { disable_bundle_versioning: spec.disableBundleVersioning }),
    is_paused_upon_creation: spec.isPausedUponCreation ?? null,
    tags: [...new Set(spec.tags ?? [])].toSorted(),
    tasks: [...model.tasks.values()].map((task) => serializeTask(model, task, downstream.get(task.taskId) ?? [])),
    task_group: serializeGroup(model.root),
    edge_labels: Object.fromEntries([...model.labels].map(([up, row]) => [up, Object.fromEntries(row)])),
  };
}

function serializeTask(model: DagModel, task: TaskRecord, downstreamIds: readonly string[]): SerializedTask {
  const { spec } = task;
  return {
    task_id: task.taskId,
    operator_name: task.operatorName,
    arg_bindings: task.inputs.map((input) => serializeInput(model, task, input)),
    downstream_task_ids: downstreamIds,
    // The two rules were checked against the known ones when the Dag was finalized.
    trigger_rule: (spec.triggerRule ?? defaultRule(task)) as TriggerRule,
    weight_rule: (spec.weightRule ?? "downstream") as WeightRule,
    owner: spec.owner ?? "airflow",
    retries: spec.retries ?? 0,
    retry_delay: spec.retryDelay ?? 300,
    max_retry_delay: spec.maxRetryDelay ?? null,
    retry_exponential_backoff: spec.retryExponentialBackoff ?? 0,
    execution_timeout: spec.executionTimeout ?? null,
    queue: spec.queue ?? model.spec.queue ?? "default",
    pool: spec.pool ?? "default_pool",
    pool_slots: spec.poolSlots ?? 1,
    priority_weight: spec.priorityWeight ?? 1,
    do_xcom_push: spec.doXcomPush ?? true,
    depends_on_past: spec.dependsOnPast ?? false,
    wait_for_downstream: spec.waitForDownstream ?? false,
    ignore_first_depends_on_past: spec.ignoreFirstDependsOnPast ?? false,
    wait_for_past_depends_before_skipping: spec.waitForPastDependsBeforeSkipping ?? false,
    max_active_tis_per_dag: spec.maxActiveTisPerDag ?? null,
    max_active_tis_per_dagrun: spec.maxActiveTisPerDagrun ?? null,
    is_setup: task.role.isSetup,
    is_teardown: task.role.isTeardown,
    on_failure_fail_dagrun: task.role.onFailureFailDagrun,
    is_empty: task.isEmpty,
    ...(spec.startFromTrigger === undefined ? {} : { start_from_trigger: serializeStart(spec.startFromTrigger) }),
    expand: serializeExpand(task.expand),
    map_index_template: spec.mapIndexTemplate ?? null,
    inlets: referencesOf(spec.inlets),
    outlets: referencesOf(spec.outlets),
    start_date: spec.startDate?.getTime() ?? null,
    end_date: spec.endDate?.getTime() ?? null,
    can_skip_downstream: task.decision !== null || task.canSkipDownstream,
    isolation: spec.isolation ?? "warm",
    doc_md: spec.docMd ?? null,
    ui_detail: task.detail,
  };
}

/** They were checked against what an inlet may be when the Dag was finalized. */
function referencesOf(assets: UpdraftTaskSpec["inlets"]): AssetReference[] {
  return (assets ?? []).flatMap((asset) => referenceOf(asset) ?? []);
}

function defaultRule({ role }: TaskRecord): TriggerRule {
  return role.isTeardown ? "all_done_setup_success" : "all_success";
}

function serializeStart({ trigger, method = EXECUTE, kwargs = {}, timeout }: DeferOptions): StartFromTrigger {
  const next_kwargs = jsonObject(kwargs, "kwargs of startFromTrigger");
  return { ...trigger, timeout: timeout ?? null, next_method: method, next_kwargs };
}

function serializeInput(model: DagModel, task: TaskRecord, input: InputRecord): ArgBinding {
  if ("task" in input) return { name: input.name, kind: "xcom", task_id: input.task.taskId };
  if ("mapped" in input) return { name: input.name, kind: "group", key: input.mapped.key };
  const what = `Input "${input.name}" of task "${task.taskId}" of Dag "${model.dagId}"`;
  try {
    return { name: input.name, kind: "literal", value: copyJson(input.literal, what) };
  } catch (error) {
    throw errorAt(task.site, error instanceof Error ? error.message : what);
  }
}

function serializeGroup(group: GroupRecord): SerializedTaskGroup {
  return {
    group_id: group.groupId,
    label: group.label,
    expand: serializeExpand(group.expand),
    retries: group.retries,
    retry_delay: group.retryDelay,
    ...(group.loop === undefined ? {} : { loop: group.loop }),
    children: group.children.map((child) =>
      child.kind === "task" ? { task_id: child.taskId } : { group: serializeGroup(child) },
    ),
  };
}
