/** Task instances, their tries, what blocks them, and clearing. */
import { z } from "zod";
import { collectionOf, jsonObject, sentInstant, taskInstanceState, wireInstant, wireInstantOrNull } from "../wire.ts";
import { bulkBodyOf } from "./bulk.ts";
import { dagVersionResponse } from "./dag.ts";
import { cursorFields } from "./dag-run.ts";
import { jobResponse } from "./job.ts";

/** One try, as the history keeps it. */
export const taskInstanceHistoryResponse = z.strictObject({
  task_id: z.string(),
  dag_id: z.string(),
  dag_run_id: z.string(),
  map_index: z.int(),
  start_date: wireInstantOrNull,
  end_date: wireInstantOrNull,
  /** Seconds. */
  duration: z.number().nullable(),
  state: taskInstanceState.nullable(),
  try_number: z.int(),
  max_tries: z.int(),
  task_display_name: z.string(),
  dag_display_name: z.string(),
  hostname: z.string().nullable(),
  unixname: z.string().nullable(),
  pool: z.string(),
  pool_slots: z.int(),
  queue: z.string().nullable(),
  priority_weight: z.int().nullable(),
  operator: z.string().nullable(),
  operator_name: z.string().nullable(),
  queued_when: wireInstantOrNull,
  scheduled_when: wireInstantOrNull,
  pid: z.int().nullable(),
  executor: z.string().nullable(),
  executor_config: z.string(),
  dag_version: dagVersionResponse.nullable(),
});
export type TaskInstanceHistoryResponse = z.infer<typeof taskInstanceHistoryResponse>;
export const taskInstanceHistoryCollectionResponse = collectionOf("task_instances", taskInstanceHistoryResponse);

const triggerResponse = z.strictObject({
  id: z.int(),
  classpath: z.string(),
  /** JSON. */
  kwargs: z.string(),
  created_date: wireInstant,
  queue: z.string().nullable(),
  /** The id of the triggerer's job. */
  triggerer_id: z.int().nullable(),
});

export const taskInstanceResponse = taskInstanceHistoryResponse.extend({
  id: z.uuid(),
  logical_date: wireInstantOrNull,
  run_after: wireInstant,
  note: z.string().nullable(),
  rendered_map_index: z.string().nullable(),
  rendered_fields: jsonObject,
  /** Of deferred tasks. */
  trigger: triggerResponse.nullable(),
  triggerer_job: jobResponse.nullable(),
});
export type TaskInstanceResponse = z.infer<typeof taskInstanceResponse>;
export const taskInstanceCollectionResponse = collectionOf("task_instances", taskInstanceResponse).extend(cursorFields);

/** With `only_new`: a task that a run has no instance of yet. */
const newTaskResponse = z.strictObject({ task_id: z.string(), task_display_name: z.string() });
export const clearPreviewResponse = collectionOf("task_instances", z.union([taskInstanceResponse, newTaskResponse]));

export const taskDependencyCollectionResponse = z.strictObject({
  dependencies: z.array(z.strictObject({ name: z.string(), reason: z.string() })),
});

const clearFields = z.strictObject({
  dry_run: z.boolean().default(true),
  start_date: sentInstant.nullish(),
  end_date: sentInstant.nullish(),
  only_failed: z.boolean().optional(),
  only_running: z.boolean().default(false),
  reset_dag_runs: z.boolean().default(true),
  task_ids: z
    .array(z.union([z.string(), z.tuple([z.string(), z.int()])]))
    .min(1)
    .nullish(),
  dag_run_id: z.string().nullish(),
  include_upstream: z.boolean().default(false),
  include_downstream: z.boolean().default(false),
  include_future: z.boolean().default(false),
  include_past: z.boolean().default(false),
  run_on_latest_version: z.boolean().nullish(),
  prevent_running_task: z.boolean().default(false),
  keep_task_state: z.boolean().default(false),
  note: z.string().max(1000).nullish(),
});
/** `only_failed` is the default, unless `only_running` is asked for. */
export const clearTaskInstancesBody = clearFields
  .refine(
    ({ only_failed, only_running }) => !(only_failed === true && only_running),
    "only_failed and only_running are mutually exclusive",
  )
  .transform((body) => ({ ...body, only_failed: body.only_failed ?? !body.only_running }));
export type ClearTaskInstancesBody = z.infer<typeof clearTaskInstancesBody>;

export const patchTaskInstanceBody = z.strictObject({
  new_state: z.enum(["success", "failed", "skipped"]).nullish(),
  note: z.string().max(1000).nullish(),
  include_upstream: z.boolean().default(false),
  include_downstream: z.boolean().default(false),
  include_future: z.boolean().default(false),
  include_past: z.boolean().default(false),
});
export type PatchTaskInstanceBody = z.infer<typeof patchTaskInstanceBody>;

const bulkTaskInstance = patchTaskInstanceBody.extend({
  task_id: z.string(),
  map_index: z.int().nullish(),
  dag_id: z.string().nullish(),
  dag_run_id: z.string().nullish(),
});
export type BulkTaskInstance = z.output<typeof bulkTaskInstance>;
export const bulkTaskInstanceBody = bulkBodyOf(bulkTaskInstance);
