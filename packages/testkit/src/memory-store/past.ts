/** How the run before ended a task, read from all rows. */
import { evaluatePast, type PastVerdict } from "@updraft/dag-core";
import type { MemoryInstance, MemoryRun, Tables } from "./tables.ts";

export function pastOf(tables: Tables, { run, task }: MemoryInstance): PastVerdict {
  const { catchup } = run.version.form;
  const earlier = runsBefore(tables, run);
  const previous = earlier.filter(({ run_type }) => !catchup || run_type !== "manual").at(-1);
  const below = run.version.form.tasks.find(({ task_id }) => task_id === task.task_id)?.downstream_task_ids ?? [];
  return evaluatePast(task, {
    catchup,
    is_first_of_backfill: false,
    previous:
      previous === undefined
        ? null
        : {
            run_id: previous.run_id,
            logical_date: previous.logical_date ?? 0,
            instances: of(previous, [task.task_id]).length,
            unsuccessful: of(previous, [task.task_id]).filter(isUnsuccessful).length,
            unsuccessful_downstream: of(previous, below).filter(isUnsuccessful).length,
          },
    has_earlier_instance: earlier.some((one) => of(one, [task.task_id]).length > 0),
  });
}

/** Nothing in a run is decided before its logical date. */
export function mayDecide({ state, logical_date }: MemoryRun, now: number): boolean {
  return state === "running" && (logical_date === null || logical_date <= now);
}

function runsBefore(tables: Tables, { dag, logical_date }: MemoryRun): MemoryRun[] {
  if (logical_date === null) return [];
  return tables.runs
    .filter((one) => one.dag === dag && one.logical_date !== null && one.logical_date < logical_date)
    .sort((left, right) => (left.logical_date ?? 0) - (right.logical_date ?? 0));
}

function of(run: MemoryRun, ids: readonly string[]): MemoryInstance[] {
  return run.instances.filter(({ task }) => ids.includes(task.task_id));
}

function isUnsuccessful({ state }: MemoryInstance): boolean {
  return state !== "success" && state !== "skipped";
}
