/**
 * What live events mean for the query cache. Pure: events in, a plan out.
 *
 * A patch shows the new state at once, without asking. What an event doesn't carry (dates, counters, whole rows that are
 * new) is called stale and fetched again, at most so often as the caller allows.
 */
import type {
  DagResponse,
  DagRunResponse,
  DagWithLatestDagRunsResponse,
  GridRun,
  GridRunSummary,
  LiveEvent,
  TaskInstanceResponse,
} from "@updraft/contract";
import { keys } from "../api/keys.ts";

type CacheKey = readonly unknown[];

export interface CachePatch {
  /** Every entry whose key begins so is patched. */
  readonly key: CacheKey;
  readonly apply: (data: unknown) => unknown;
}

export interface StalePart {
  readonly key: CacheKey;
  /** Looks at what is held under the key; without it the part is stale whatever it holds. */
  readonly holds?: (data: unknown) => boolean;
}

export interface CachePlan {
  /** Events were lost: nothing shown can be relied on. */
  readonly everythingStale: boolean;
  readonly patches: readonly CachePatch[];
  readonly stale: readonly StalePart[];
}

type EventOf<Type extends LiveEvent["type"]> = Extract<LiveEvent, { type: Type }>;

export function planFor(events: readonly LiveEvent[]): CachePlan {
  if (events.some((event) => event.type === "resync")) return { everythingStale: true, patches: [], stale: [] };
  const plans = events.map(planForOne);
  return {
    everythingStale: false,
    patches: plans.flatMap((plan) => plan.patches),
    stale: distinct(plans.flatMap((plan) => plan.stale)),
  };
}

interface PartialPlan {
  readonly patches: readonly CachePatch[];
  readonly stale: readonly StalePart[];
}

function planForOne(event: LiveEvent): PartialPlan {
  switch (event.type) {
    case "dag":
      return planForDag(event);
    case "import_error":
      return { patches: [], stale: parts(keys.importErrors, keys.dagLists) };
    case "dag_run":
      return planForRun(event);
    case "task_instance":
      return planForTaskInstance(event);
    default:
      return { patches: [], stale: [] };
  }
}

function planForDag(event: EventOf<"dag">): PartialPlan {
  const stale = parts(keys.dagLists, keys.dag(event.dag_id), keys.stats, keys.tags);
  const isPaused = event.is_paused;
  if (isPaused === undefined) return { patches: [], stale };
  return {
    patches: [
      patch<DagList>(keys.dagLists, (list) => ({
        ...list,
        dags: replaceWhere(
          list.dags,
          (dag) => dag.dag_id === event.dag_id,
          (dag) => ({ ...dag, is_paused: isPaused }),
        ),
      })),
      patch<DagResponse>(keys.dagDetails(event.dag_id), (dag) => ({ ...dag, is_paused: isPaused })),
    ],
    stale,
  };
}

interface DagList {
  readonly dags: DagWithLatestDagRunsResponse[];
}

function planForRun(event: EventOf<"dag_run">): PartialPlan {
  const { dag_id: dagId, run_id: runId } = event;
  const changed = { state: event.state, start_date: event.start_date, end_date: event.end_date };
  const withChange = <Row extends object>(row: Row): Row => ({ ...row, ...changed });
  const isRun = (row: { readonly run_id: string }): boolean => row.run_id === runId;
  return {
    patches: [
      patch<DagList>(keys.dagLists, (list) => ({
        ...list,
        dags: replaceWhere(
          list.dags,
          (dag) => dag.dag_id === dagId && dag.latest_dag_runs.some(isRun),
          (dag) => ({ ...dag, latest_dag_runs: replaceWhere(dag.latest_dag_runs, isRun, withChange) }),
        ),
      })),
      patch<GridRun[]>(keys.gridRuns(dagId), (runs) => replaceWhere(runs, isRun, withChange)),
      patch<{ readonly dag_runs: DagRunResponse[] }>(keys.dagRuns(dagId), (page) => ({
        ...page,
        dag_runs: replaceWhere(page.dag_runs, (run) => run.dag_run_id === runId, withChange),
      })),
      patch<DagRunResponse>(keys.runDetail(dagId, runId), withChange),
    ],
    stale: parts(
      keys.dagLists,
      keys.stats,
      keys.dagDetails(dagId),
      keys.gridRuns(dagId),
      keys.dagRuns(dagId),
      keys.skippedTicks(dagId),
      keys.runDetail(dagId, runId),
    ),
  };
}

function planForTaskInstance(event: EventOf<"task_instance">): PartialPlan {
  const { dag_id: dagId, run_id: runId, task_id: taskId, map_index: mapIndex } = event;
  const changed = { state: event.state as TaskInstanceResponse["state"], try_number: event.try_number };
  const withChange = (row: TaskInstanceResponse): TaskInstanceResponse => ({ ...row, ...changed });
  const instance = { dagId, runId, taskId, mapIndex };
  return {
    patches: [
      patch<GridRunSummary>(keys.runSummary(dagId, runId), (summary) => ({
        ...summary,
        // The state of a mapped task or a group depends on all it holds: only the server knows it.
        task_instances: replaceWhere(
          summary.task_instances,
          (row) => row.task_id === taskId && row.child_states === null,
          (row) => ({ ...row, state: changed.state }),
        ),
      })),
      patch<{ readonly task_instances: TaskInstanceResponse[] }>(keys.runInstances(dagId, runId), (page) => ({
        ...page,
        task_instances: replaceWhere(
          page.task_instances,
          (row) => row.task_id === taskId && row.map_index === mapIndex,
          withChange,
        ),
      })),
      patch<TaskInstanceResponse>(keys.taskPart(instance, "instance"), withChange),
    ],
    stale: [
      // Thousands of events of one run must not fetch its thousands of rows again and again.
      { key: keys.runSummary(dagId, runId), holds: (data) => isPatchIncomplete(data, taskId) },
      ...parts(keys.runInstances(dagId, runId), keys.task(dagId, runId, taskId)),
    ],
  };
}

/** Where a run has groups or mapped tasks, or lacks the task, a patch of one row is not all there is to change. */
function isPatchIncomplete(data: unknown, taskId: string): boolean {
  if (data === undefined) return true;
  const { task_instances: rows } = data as GridRunSummary;
  return rows.some((row) => row.child_states !== null) || !rows.some((row) => row.task_id === taskId);
}

function parts(...staleKeys: readonly CacheKey[]): readonly StalePart[] {
  return staleKeys.map((key) => ({ key }));
}

/** The cast is safe where each key holds one type, as `keys` has it. */
function patch<Data>(key: CacheKey, apply: (data: Data) => Data): CachePatch {
  return { key, apply: (data) => (data === undefined ? undefined : apply(data as Data)) };
}

/** The same array where nothing fits, so that nothing renders. */
function replaceWhere<Row>(rows: Row[], fits: (row: Row) => boolean, change: (row: Row) => Row): Row[] {
  return rows.some(fits) ? rows.map((row) => (fits(row) ? change(row) : row)) : rows;
}

/** Parts that look at what they hold stay: each looks for something else. */
function distinct(stale: readonly StalePart[]): readonly StalePart[] {
  const always = stale.filter((part) => part.holds === undefined);
  const known = new Map(always.map((part) => [JSON.stringify(part.key), part]));
  return [
    ...stale.filter((part) => part.holds !== undefined && !known.has(JSON.stringify(part.key))),
    ...known.values(),
  ];
}
