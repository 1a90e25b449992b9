/** Deadlines of runs and the alerts of DAGs, and whether a DAG is draining. */
import { z } from "zod";
import { collectionOf, wireInstant } from "../wire.ts";

export const deadlineResponse = z.strictObject({
  id: z.uuid(),
  deadline_time: wireInstant,
  missed: z.boolean(),
  created_at: wireInstant,
  dag_id: z.string(),
  dag_run_id: z.string(),
  alert_id: z.uuid().nullable(),
  alert_name: z.string().nullable(),
});
export type DeadlineResponse = z.infer<typeof deadlineResponse>;
export const deadlineCollectionResponse = collectionOf("deadlines", deadlineResponse);

export const deadlineAlertResponse = z.strictObject({
  id: z.uuid(),
  name: z.string().nullable(),
  reference_type: z.string(),
  /** Seconds; null where a variable holds them. */
  interval: z.number().nullable(),
  created_at: wireInstant,
});
export type DeadlineAlertResponse = z.infer<typeof deadlineAlertResponse>;
export const deadlineAlertCollectionResponse = collectionOf("deadline_alerts", deadlineAlertResponse);
