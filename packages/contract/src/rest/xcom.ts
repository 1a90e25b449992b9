/** XCom entries. */
import { z } from "zod";
import { collectionOf, json, wireInstant, wireInstantOrNull } from "../wire.ts";

export const xcomEntryResponse = z.strictObject({
  key: z.string(),
  timestamp: wireInstant,
  logical_date: wireInstantOrNull,
  map_index: z.int(),
  task_id: z.string(),
  dag_id: z.string(),
  run_id: z.string(),
  dag_display_name: z.string(),
  task_display_name: z.string(),
  run_after: wireInstant,
});
export type XcomEntryResponse = z.infer<typeof xcomEntryResponse>;
export const xcomCollectionResponse = collectionOf("xcom_entries", xcomEntryResponse);

export const xcomNativeResponse = xcomEntryResponse.extend({ value: json });
