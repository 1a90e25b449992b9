/** What triggerers say to the Task Execution API and hear from it. Ours: Airflow's triggerer reads the database. */
import { z } from "zod";
import { executionDagRun } from "./execution.ts";

const json: z.ZodType<unknown> = z.unknown();

export const claimTriggersRequest = z.strictObject({
  capacity: z.int().positive().max(10_000),
  /** How long to wait for one where there is none. */
  wait_seconds: z.number().nonnegative().max(30).default(0),
});

const trigger = z.object({
  id: z.int(),
  /** Names this hold of the trigger. */
  fence: z.int(),
  classpath: z.string(),
  kwargs: z.record(z.string(), json),
  artefact_hash: z.string(),
  ti_id: z.string(),
  task_id: z.string(),
  map_index: z.int(),
  try_number: z.int(),
  max_tries: z.int(),
  dag_run: executionDagRun,
  /** Execution token of the try that waits. */
  token: z.string(),
});
export type ClaimedTrigger = z.infer<typeof trigger>;

/** A watcher of an asset: no try waits for it, and it goes on after an event. */
const watcher = z.object({
  id: z.int(),
  fence: z.int(),
  classpath: z.string(),
  kwargs: z.record(z.string(), json),
  artefact_hash: z.string(),
  /** Whose file has the code. */
  dag_id: z.string(),
  name: z.string(),
  asset_name: z.string(),
  asset_uri: z.string(),
  /** The number of its last event; the next one bears the number after it. */
  event_count: z.int(),
  token: z.string(),
});
export type ClaimedWatcher = z.infer<typeof watcher>;
export const claimTriggersResponse = z.object({ triggers: z.array(trigger), watchers: z.array(watcher).default([]) });

const hold = z.strictObject({ id: z.int(), fence: z.int() });

export const triggererReport = z.strictObject({
  hostname: z.string().max(1000),
  unixname: z.string().max(1000).default(""),
  state: z.enum(["running", "stopped"]).default("running"),
  held: z.array(hold).max(10_000).default([]),
  /** Tokens to renew, of triggers that are held. */
  renew: z.array(z.string()).max(10_000).default([]),
});
export type TriggererReport = z.input<typeof triggererReport>;
export const triggererReportResponse = z.object({
  /** Those that are still held; the others are to be stopped. */
  held: z.array(z.int()),
  /** New tokens in the order asked for; null where the old one is too old. */
  tokens: z.array(z.string().nullable()),
});

const told = {
  id: z.int(),
  fence: z.int(),
  /** Of a watcher: the number of this event. */
  sequence: z.int().positive().optional(),
};

export const triggerEventsRequest = z.strictObject({
  events: z
    .array(
      z.union([
        z.strictObject({ ...told, payload: json }),
        z.strictObject({ ...told, traceback: z.array(z.string().max(10_000)).max(200) }),
      ]),
    )
    .min(1)
    .max(1000),
});
export type TriggerEvent = z.infer<typeof triggerEventsRequest>["events"][number];
/** Triggers that ended, watchers whose event is stored or whose failure is noted. */
export const triggerEventsResponse = z.object({ accepted: z.array(z.int()) });
