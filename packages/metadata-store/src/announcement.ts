/** Collects what a transaction leaves to be told. */
import type { Announcement, DagRunChange, QueuedTry, TaskInstanceChange } from "./store.ts";

export const NOTHING: Announcement = Object.freeze({
  queued: [],
  task_instances: [],
  dag_runs: [],
  dags: [],
  import_errors: [],
  wake_scheduler: false,
});

export class Tidings {
  readonly queued: QueuedTry[] = [];
  readonly task_instances: TaskInstanceChange[] = [];
  readonly dag_runs: DagRunChange[] = [];
  readonly dags: { dag_id: string; is_paused?: boolean; removed?: boolean }[] = [];
  readonly import_errors: { filename: string }[] = [];
  wake_scheduler = false;
}
