/** Which tasks have an instance in a run. */
import type { DagRunType, Instant, SerializedTask } from "./model.ts";

/** None before the task's start, which a backfill ignores, and none after its end. */
export function hasInstance(
  { start_date, end_date }: Pick<SerializedTask, "start_date" | "end_date">,
  run: { readonly run_type: DagRunType; readonly logical_date: Instant | null },
): boolean {
  const { logical_date } = run;
  if (logical_date === null) return true;
  if (start_date !== null && logical_date < start_date && run.run_type !== "backfill") return false;
  return end_date === null || logical_date <= end_date;
}
