/** Tasks of a DAG, as its latest version has them. */
import { z } from "zod";
import { collectionOf, jsonObject, wireInstantOrNull } from "../wire.ts";

const timeDelta = z.strictObject({
  __type: z.literal("TimeDelta"),
  days: z.int(),
  seconds: z.int(),
  microseconds: z.int(),
});
export type TimeDelta = z.infer<typeof timeDelta>;

export const taskResponse = z.strictObject({
  task_id: z.string().nullable(),
  task_display_name: z.string().nullable(),
  owner: z.string().nullable(),
  start_date: wireInstantOrNull,
  end_date: wireInstantOrNull,
  trigger_rule: z.string().nullable(),
  depends_on_past: z.boolean(),
  wait_for_downstream: z.boolean(),
  retries: z.number().nullable(),
  queue: z.string().nullable(),
  pool: z.string().nullable(),
  pool_slots: z.number().nullable(),
  execution_timeout: timeDelta.nullable(),
  retry_delay: timeDelta.nullable(),
  retry_exponential_backoff: z.number(),
  priority_weight: z.number().nullable(),
  weight_rule: z.string().nullable(),
  ui_color: z.string().nullable(),
  ui_fgcolor: z.string().nullable(),
  template_fields: z.array(z.string()).nullable(),
  downstream_task_ids: z.array(z.string()).nullable(),
  doc_md: z.string().nullable(),
  operator_name: z.string().nullable(),
  params: jsonObject.nullable(),
  class_ref: jsonObject.nullable(),
  is_mapped: z.boolean().nullable(),
  extra_links: z.array(z.string()),
});
export type TaskResponse = z.infer<typeof taskResponse>;
export const taskCollectionResponse = collectionOf("tasks", taskResponse);
