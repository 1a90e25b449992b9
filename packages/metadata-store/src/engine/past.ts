/** Reads how the run before ended the tasks that depend on it. Asked only for instances that could run otherwise. */
import { evaluatePast, type PastVerdict, type PreviousRun } from "@updraft/dag-core";
import { type DagPlan, taskOf } from "../dag-plan.ts";
import type { Queryable } from "../database.ts";
import type { EngineInstance } from "./instance.ts";

interface Asking {
  readonly instance: EngineInstance;
  readonly plan: DagPlan;
}

interface Previous {
  readonly id: number;
  readonly run_id: string;
  readonly logical_date: number;
}

interface Before {
  /** The run opens its backfill. */
  readonly isFirst: boolean;
  readonly previous: Previous | null;
}

interface Ended {
  readonly instances: number;
  readonly unsuccessful: number;
}

/** The verdict for each instance, in the order given. */
export async function readPast(tx: Queryable, asking: readonly Asking[]): Promise<PastVerdict[]> {
  const previous = await previousRuns(tx, asking);
  const ended = await endedIn(tx, asking, previous);
  const known = await earlierInstances(
    tx,
    asking.filter(({ instance, plan }) => {
      const before = previous.get(instance.dag_run)?.previous ?? null;
      const task = taskOf(plan, instance.task_id);
      return before !== null && task.ignore_first_depends_on_past && !ended.has(keyOf(before.id, task.task_id));
    }),
  );
  return asking.map(({ instance, plan }) => {
    const task = taskOf(plan, instance.task_id);
    const { isFirst, previous: before } = previous.get(instance.dag_run) ?? NOTHING_BEFORE;
    return evaluatePast(task, {
      catchup: plan.dag.catchup,
      is_first_of_backfill: isFirst,
      previous: before === null ? null : describe(before, plan, task.task_id, ended),
      has_earlier_instance: known.has(keyOf(instance.dag_run, task.task_id)),
    });
  });
}

const NOTHING_BEFORE: Before = { isFirst: false, previous: null };

function describe(
  { id, run_id, logical_date }: Previous,
  plan: DagPlan,
  taskId: string,
  ended: ReadonlyMap<string, Ended>,
): PreviousRun {
  const own = ended.get(keyOf(id, taskId));
  const below = (plan.downstream.get(taskId) ?? []).map((child) => ended.get(keyOf(id, child))?.unsuccessful ?? 0);
  return {
    run_id,
    logical_date,
    instances: own?.instances ?? 0,
    unsuccessful: own?.unsuccessful ?? 0,
    unsuccessful_downstream: below.reduce((sum, one) => sum + one, 0),
  };
}

/** The run before each run; none for runs without a logical date. */
async function previousRuns(tx: Queryable, asking: readonly Asking[]): Promise<Map<number, Before>> {
  const catchups = new Map(asking.map(({ instance, plan }) => [instance.dag_run, plan.dag.catchup]));
  const rows = await tx.rows<{ dag_run: number; is_first: boolean } & Previous>({
    name: "previous_runs",
    text: `SELECT r.id AS dag_run, coalesce(r.sort_ordinal = 1, false) AS is_first, p.id, p.run_id, p.logical_date
      FROM unnest($1::bigint[], $2::boolean[]) AS a (id, catchup) JOIN dag_run r ON r.id = a.id
      LEFT JOIN LATERAL (SELECT p.id, p.run_id, p.logical_date FROM dag_run p
        WHERE p.dag_id = r.dag_id AND p.logical_date < r.logical_date AND (NOT a.catchup OR p.run_type <> 'manual')
        ORDER BY p.logical_date DESC LIMIT 1) p ON true`,
    values: [[...catchups.keys()], [...catchups.values()]],
  });
  return new Map(
    rows.map(({ dag_run, is_first, ...previous }) => [
      dag_run,
      // A run without one before it comes back with nulls.
      { isFirst: is_first, previous: (previous.id as number | null) === null ? null : previous },
    ]),
  );
}

async function endedIn(
  tx: Queryable,
  asking: readonly Asking[],
  previous: ReadonlyMap<number, Before>,
): Promise<Map<string, Ended>> {
  const pairs = asking.flatMap(({ instance, plan }) => {
    const run = previous.get(instance.dag_run)?.previous?.id;
    if (run === undefined) return [];
    const { task_id, wait_for_downstream } = taskOf(plan, instance.task_id);
    const tasks = wait_for_downstream ? [task_id, ...(plan.downstream.get(task_id) ?? [])] : [task_id];
    return tasks.map((task) => ({ run, task }));
  });
  if (pairs.length === 0) return new Map();
  const rows = await tx.rows<Ended & { readonly dag_run: number; readonly task_id: string }>({
    name: "ended_before",
    text: `SELECT t.dag_run, t.task_id, count(*)::integer AS instances,
        count(*) FILTER (WHERE t.state IS NULL OR t.state NOT IN ('success', 'skipped'))::integer AS unsuccessful
      FROM task_instance t
      WHERE (t.dag_run, t.task_id) IN (SELECT * FROM unnest($1::bigint[], $2::text[])) GROUP BY t.dag_run, t.task_id`,
    values: [pairs.map(({ run }) => run), pairs.map(({ task }) => task)],
  });
  return new Map(rows.map((row) => [keyOf(row.dag_run, row.task_id), row]));
}

/** Which of these tasks has an instance in some run with an earlier logical date. */
async function earlierInstances(tx: Queryable, asking: readonly Asking[]): Promise<Set<string>> {
  if (asking.length === 0) return new Set();
  const rows = await tx.rows<{ dag_run: number; task_id: string }>({
    name: "earlier_instances",
    text: `SELECT a.dag_run, a.task_id FROM unnest($1::bigint[], $2::text[]) AS a (dag_run, task_id)
      JOIN dag_run r ON r.id = a.dag_run
      WHERE EXISTS (SELECT FROM task_instance t JOIN dag_run p ON p.id = t.dag_run
        WHERE t.dag_id = r.dag_id AND t.task_id = a.task_id AND p.logical_date < r.logical_date)`,
    values: [asking.map(({ instance }) => instance.dag_run), asking.map(({ instance }) => instance.task_id)],
  });
  return new Set(rows.map(({ dag_run, task_id }) => keyOf(dag_run, task_id)));
}

function keyOf(run: number, task: string): string {
  return `${run}/${task}`;
}
