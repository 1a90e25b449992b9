/** Names of what the query cache holds. Live events patch by the same names, so they are written once, here. */

export const keys = {
  me: ["me"],
  config: ["config"],
  services: ["services"],
  stats: ["stats"],
  tags: ["tags"],
  importErrors: ["import-errors"],

  /** Every page and filter of the DAG list. */
  dagLists: ["dags"],
  dagList: (filters: object) => ["dags", filters],

  /** All of one DAG. */
  dag: (dagId: string) => ["dag", dagId],
  dagDetails: (dagId: string) => ["dag", dagId, "details"],
  dagTasks: (dagId: string) => ["dag", dagId, "tasks"],
  dagSource: (dagId: string) => ["dag", dagId, "source"],
  gridStructure: (dagId: string) => ["dag", dagId, "structure"],
  graphStructure: (dagId: string) => ["dag", dagId, "graph"],
  skippedTicks: (dagId: string) => ["dag", dagId, "skipped-ticks"],
  gridRuns: (dagId: string) => ["dag", dagId, "grid-runs"],
  gridRunsPage: (dagId: string, filters: object) => ["dag", dagId, "grid-runs", filters],
  dagRuns: (dagId: string) => ["dag", dagId, "runs"],
  dagRunsPage: (dagId: string, filters: object) => ["dag", dagId, "runs", filters],

  /** All of one run. */
  run: (dagId: string, runId: string) => ["run", dagId, runId],
  runDetail: (dagId: string, runId: string) => ["run", dagId, runId, "detail"],
  runSummary: (dagId: string, runId: string) => ["run", dagId, runId, "summary"],
  runInstances: (dagId: string, runId: string) => ["run", dagId, runId, "instances"],
  runInstancesPage: (dagId: string, runId: string, filters: object) => ["run", dagId, runId, "instances", filters],

  /** All of one task in one run, whatever its map index. */
  task: (dagId: string, runId: string, taskId: string) => ["run", dagId, runId, "task", taskId],
  taskPart: (instance: InstanceKey, part: string) => [
    "run",
    instance.dagId,
    instance.runId,
    "task",
    instance.taskId,
    instance.mapIndex,
    part,
  ],
} as const;

/** What names one task instance. `mapIndex` is -1 for a task that is not mapped. */
export interface InstanceKey {
  readonly dagId: string;
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
}
