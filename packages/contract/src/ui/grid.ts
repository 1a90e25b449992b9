/** The private UI API: grid and graph. Airflow's own UI reads the same. */
import { DAG_RUN_STATES } from "@updraft/dag-core";
import { z } from "zod";
import { dagVersionResponse } from "../rest/dag.ts";
import { dagRunType, taskInstanceState, wireInstant, wireInstantOrNull } from "../wire.ts";

/** A task, or a task group where `children` is there. Fields without a value are left out. */
export interface GridNode {
  readonly id: string;
  readonly label: string;
  readonly is_mapped?: boolean | undefined;
  readonly children?: readonly GridNode[] | undefined;
  readonly doc_md?: string | undefined;
}
export const gridNode: z.ZodType<GridNode> = z.lazy(() =>
  z.strictObject({
    id: z.string(),
    label: z.string(),
    is_mapped: z.boolean().optional(),
    children: z.array(gridNode).optional(),
    doc_md: z.string().optional(),
  }),
);
export const gridStructureResponse = z.array(gridNode);

export const gridRun = z.strictObject({
  dag_id: z.string(),
  run_id: z.string(),
  queued_at: wireInstantOrNull,
  start_date: wireInstantOrNull,
  end_date: wireInstantOrNull,
  run_after: wireInstant,
  state: z.enum(DAG_RUN_STATES).nullable(),
  run_type: dagRunType,
  dag_versions: z.array(dagVersionResponse),
  has_missed_deadline: z.boolean(),
  has_note: z.boolean(),
  /** Seconds, until now for a run that goes on. */
  duration: z.number(),
});
export type GridRun = z.infer<typeof gridRun>;
export const gridRunsResponse = z.array(gridRun);

export const gridTaskSummary = z.strictObject({
  task_id: z.string(),
  task_display_name: z.string(),
  state: taskInstanceState.nullable(),
  /** Of a group or a mapped task: how many instances are in each state; "no_status" where there is none. */
  child_states: z.record(z.string(), z.int()).nullable(),
  min_start_date: wireInstantOrNull,
  max_end_date: wireInstantOrNull,
  dag_version_number: z.int().nullable(),
  has_note: z.boolean(),
});
export type GridTaskSummary = z.infer<typeof gridTaskSummary>;

/** One line of the NDJSON answer: the tasks and groups of one run. */
export const gridRunSummary = z.strictObject({
  run_id: z.string(),
  dag_id: z.string(),
  task_instances: z.array(gridTaskSummary),
});
export type GridRunSummary = z.infer<typeof gridRunSummary>;

export const structureEdge = z.strictObject({
  source_id: z.string(),
  target_id: z.string(),
  is_setup_teardown: z.boolean().nullable(),
  label: z.string().nullable(),
  is_source_asset: z.boolean().nullable(),
});
export type StructureEdge = z.infer<typeof structureEdge>;

export interface StructureNode {
  readonly id: string;
  readonly label: string;
  readonly type: "task" | "join";
  readonly team: null;
  readonly children: readonly StructureNode[] | null;
  readonly is_mapped: boolean | null;
  readonly tooltip: string | null;
  readonly setup_teardown_type: null;
  readonly operator: string | null;
  readonly asset_condition_type: null;
}
export const structureNode: z.ZodType<StructureNode> = z.lazy(() =>
  z.strictObject({
    id: z.string(),
    label: z.string(),
    type: z.enum(["task", "join"]),
    team: z.null(),
    children: z.array(structureNode).nullable(),
    is_mapped: z.boolean().nullable(),
    tooltip: z.string().nullable(),
    setup_teardown_type: z.null(),
    operator: z.string().nullable(),
    asset_condition_type: z.null(),
  }),
);
export const structureDataResponse = z.strictObject({ edges: z.array(structureEdge), nodes: z.array(structureNode) });
