/** Questions that tasks ask people, as tasks ask them (Execution API) and as people see and answer them (REST v2). */
import { z } from "zod";
import { taskInstanceResponse } from "./rest/task-instance.ts";
import { collectionOf, jsonObject, wireInstant, wireInstantOrNull } from "./wire.ts";

const hitlUser = z.object({ id: z.string(), name: z.string() });
const options = z.array(z.string().min(1)).min(1);

export const hitlDetailRequest = z.object({
  ti_id: z.uuid(),
  options,
  subject: z.string().min(1),
  body: z.string().nullish(),
  defaults: z.array(z.string()).nullish(),
  multiple: z.boolean().default(false),
  params: jsonObject.default({}),
  assigned_users: z.array(hitlUser).default([]),
});

export const updateHitlDetailBody = z.object({ chosen_options: options, params_input: jsonObject.default({}) });

/** A question with its answer, as REST v2 shows it. */
export const hitlDetail = z.strictObject({
  options,
  subject: z.string(),
  body: z.string().nullable(),
  defaults: z.array(z.string()).nullable(),
  multiple: z.boolean(),
  params: jsonObject,
  assigned_users: z.array(hitlUser),
  created_at: wireInstant,
  responded_by_user: hitlUser.nullable(),
  responded_at: wireInstantOrNull,
  chosen_options: z.array(z.string()).nullable(),
  params_input: jsonObject,
  response_received: z.boolean(),
  task_instance: taskInstanceResponse,
});
export type HitlDetail = z.infer<typeof hitlDetail>;
export const hitlDetailCollection = collectionOf("hitl_details", hitlDetail);

export const hitlDetailResponse = z.strictObject({
  responded_by: hitlUser,
  responded_at: wireInstant,
  chosen_options: options,
  params_input: jsonObject,
});
