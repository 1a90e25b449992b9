/**
 * Everything that is wrong with a DAG, in the author's words, before it is stored. An empty list means that every
 * other function of this package may trust it.
 */
import { timePart } from "./asset/time-part.ts";
import { assetScheduleMessages, assetTaskMessages } from "./asset/validate-assets.ts";
import { findCycle } from "./graph.ts";
import { type SerializedDag, type SerializedTask, TRIGGER_RULES, WEIGHT_RULES } from "./model.ts";
import { retryingGroups } from "./retry-progress.ts";
import { suggest } from "./suggest.ts";
import { loopMessages } from "./task-loop.ts";
import { assertTimetable } from "./timetable/parse-schedule.ts";
import { ScheduleError } from "./timetable/schedule-error.ts";
import { groupMappingMessages, taskMappingMessages } from "./validate-mapping.ts";

export interface DagIssue {
  readonly dag_id: string;
  /** Null when the DAG as a whole is concerned. */
  readonly task_id: string | null;
  readonly message: string;
}

type Successors = ReadonlyMap<string, ReadonlySet<string>>;

const ID = /^[\p{L}\p{N}_.-]+$/u;
const MAX_ID_LENGTH = 250;
const FAIL_FAST_RULES: readonly string[] = ["all_success", "all_done_setup_success"];

/** All issues of a DAG, the DAG's own first, then task by task. */
export function validateDag(dag: SerializedDag): DagIssue[] {
  const issues = [...dagMessages(dag)].map((message) => ({ dag_id: dag.dag_id, task_id: null, message }));
  const successors = new Map(dag.tasks.map((task) => [task.task_id, new Set(task.downstream_task_ids)]));
  const ofTasks = dag.tasks.flatMap((task) =>
    [
      ...taskMessages(task, dag),
      ...edgeMessages(task, successors),
      ...setupMessages(task, dag),
      ...taskMappingMessages(task, successors),
    ].map((message) => ({ dag_id: dag.dag_id, task_id: task.task_id, message })),
  );
  const ofGroups = [...groupMappingMessages(dag, successors)].map((issue) => ({ dag_id: dag.dag_id, ...issue }));
  return [...issues, ...ofTasks, ...ofGroups];
}

function* dagMessages(dag: SerializedDag): Iterable<string> {
  yield* idMessages("DAG id", dag.dag_id);
  for (const id of duplicates(dag.tasks.map((task) => task.task_id))) yield `Task id '${id}' is used more than once`;
  const cycle = findCycle(dag);
  if (cycle !== null) yield `The tasks form a cycle: ${cycle.join(" >> ")}`;
  yield* timetableMessages(dag);
  yield* loopMessages(dag);
  yield* countMessage("max_active_runs", dag.max_active_runs, 0);
  yield* countMessage("max_active_tasks", dag.max_active_tasks, 1);
  yield* countMessage("max_consecutive_failed_dag_runs", dag.max_consecutive_failed_dag_runs, 0);
  yield* countMessage("retries", dag.retries, 0);
  if (!(dag.retry_delay >= 0)) yield `retry_delay must be at least 0 seconds, not ${dag.retry_delay}`;
  for (const { group_id, retry_delay } of retryingGroups(dag)) {
    if (!(retry_delay >= 0)) yield `retry_delay of group '${group_id}' must be at least 0 seconds, not ${retry_delay}`;
    if (dag.fail_fast)
      yield `Group '${group_id}' can't run again in a DAG with fail_fast, which ends with its first failure`;
  }
  if (dag.dagrun_timeout !== null && !(dag.dagrun_timeout > 0))
    yield `dagrun_timeout must be more than 0 seconds, not ${dag.dagrun_timeout}`;
  if (dag.start_date !== null && dag.end_date !== null && dag.start_date > dag.end_date)
    yield "start_date is later than end_date";
}

function* timetableMessages(dag: SerializedDag): Iterable<string> {
  yield* assetScheduleMessages(dag);
  const timetable = timePart(dag.timetable);
  try {
    assertTimetable(timetable);
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    yield error.message;
  }
  if (timetable.type === "continuous" && dag.max_active_runs > 1) {
    yield `The schedule '@continuous' needs max_active_runs of at most 1, not ${dag.max_active_runs}`;
  }
}

function* taskMessages(task: SerializedTask, dag: SerializedDag): Iterable<string> {
  yield* idMessages("Task id", task.task_id);
  yield* choiceMessage("trigger rule", task.trigger_rule, TRIGGER_RULES);
  yield* choiceMessage("weight rule", task.weight_rule, WEIGHT_RULES);
  if (dag.fail_fast && !FAIL_FAST_RULES.includes(task.trigger_rule)) {
    yield `A DAG with fail_fast allows only the trigger rules ${FAIL_FAST_RULES.join(" and ")}, not '${task.trigger_rule}'`;
  }
  yield* countMessage("retries", task.retries, 0);
  yield* countMessage("pool_slots", task.pool_slots, 1);
  yield* countMessage("max_active_tis_per_dag", task.max_active_tis_per_dag ?? 1, 1);
  yield* countMessage("max_active_tis_per_dagrun", task.max_active_tis_per_dagrun ?? 1, 1);
  if (!Number.isInteger(task.priority_weight))
    yield `priority_weight must be a whole number, not ${task.priority_weight}`;
  yield* durationMessages(task);
  yield* assetTaskMessages(task);
  if (task.queue === "" || task.pool === "") yield `${task.queue === "" ? "queue" : "pool"} must not be empty`;
  if (task.start_date !== null && task.end_date !== null && task.start_date > task.end_date)
    yield "start_date is later than end_date";
}

function* durationMessages(task: SerializedTask): Iterable<string> {
  if (!(task.retry_delay >= 0)) yield `retry_delay must be at least 0 seconds, not ${task.retry_delay}`;
  if (task.max_retry_delay !== null && !(task.max_retry_delay >= 0))
    yield `max_retry_delay must be at least 0 seconds, not ${task.max_retry_delay}`;
  if (!(task.retry_exponential_backoff >= 0))
    yield `retry_exponential_backoff must be at least 0, not ${task.retry_exponential_backoff}`;
  if (task.execution_timeout !== null && !(task.execution_timeout > 0))
    yield `execution_timeout must be more than 0 seconds, not ${task.execution_timeout}`;
}

function* edgeMessages(task: SerializedTask, successors: Successors): Iterable<string> {
  for (const target of task.downstream_task_ids) {
    if (!successors.has(target)) {
      yield `Task '${task.task_id}' is before '${target}', which does not exist${didYouMean(target, [...successors.keys()])}`;
    }
  }
  for (const target of duplicates(task.downstream_task_ids)) {
    yield `Task '${task.task_id}' names its successor '${target}' more than once`;
  }
  for (const binding of task.arg_bindings) {
    if (binding.kind === "xcom") yield* inputMessage(binding, task.task_id, successors);
  }
}

function* setupMessages(task: SerializedTask, dag: SerializedDag): Iterable<string> {
  if (task.is_setup && task.is_teardown) yield "A task is a setup or a teardown, not both";
  if (task.on_failure_fail_dagrun && !task.is_teardown) yield "Only a teardown may have on_failure_fail_dagrun";
  const setups = dag.tasks.filter((one) => one.is_setup && one.downstream_task_ids.includes(task.task_id));
  if (task.is_teardown || task.trigger_rule === "all_success") return;
  for (const setup of setups) {
    yield `Comes right after setup '${setup.task_id}', so its trigger rule must be all_success, not '${task.trigger_rule}'`;
  }
}

function* inputMessage(
  input: { readonly name: string; readonly task_id: string },
  taskId: string,
  successors: Successors,
): Iterable<string> {
  const source = successors.get(input.task_id);
  const takes = `Input '${input.name}' takes the result of '${input.task_id}'`;
  if (source === undefined) yield `${takes}, which does not exist${didYouMean(input.task_id, [...successors.keys()])}`;
  else if (!source.has(taskId)) yield `${takes}, which is not upstream`;
}

function* idMessages(what: string, id: string): Iterable<string> {
  if (id === "") yield `${what} is empty`;
  else if (id.length > MAX_ID_LENGTH) yield `${what} has ${id.length} characters; at most ${MAX_ID_LENGTH} are allowed`;
  else if (!ID.test(id)) yield `${what} '${id}' may only have letters, digits, '_', '-' and '.'`;
}

function* choiceMessage(what: string, value: string, allowed: readonly string[]): Iterable<string> {
  if (allowed.includes(value)) return;
  const meant = suggest(value, allowed);
  yield `Unknown ${what} '${value}'${meant === null ? `; use one of ${allowed.join(", ")}` : didYouMean(value, allowed)}`;
}

function* countMessage(what: string, value: number, min: number): Iterable<string> {
  if (!Number.isInteger(value) || value < min) yield `${what} must be a whole number of at least ${min}, not ${value}`;
}

function didYouMean(word: string, known: readonly string[]): string {
  const meant = suggest(word, known);
  return meant === null ? "" : `; did you mean '${meant}'?`;
}

function duplicates(values: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const value of values) (seen.has(value) ? twice : seen).add(value);
  return twice;
}
