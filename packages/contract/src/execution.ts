/**
 * The Task Execution API, as the workers speak it.
 *
 * Paths, bodies and codes are Airflow's (version 2026-06-30) below `/execution`. What is ours travels in fields that
 * Airflow's clients ignore: `updraft` in the answer of `run`, `xcoms` in the final `state` call.
 */
import { z } from "zod";
import { assetProfile, consumedAssetEvent, outletEvent } from "./execution-assets.ts";

const json: z.ZodType<unknown> = z.unknown();

export const runRequest = z.object({
  state: z.literal("running"),
  hostname: z.string().max(1000),
  unixname: z.string().max(1000),
  pid: z.int(),
  start_date: z.iso.datetime({ offset: true }),
});
export type RunRequest = z.infer<typeof runRequest>;

export const argBinding = z.discriminatedUnion("kind", [
  z.object({ name: z.string(), kind: z.literal("xcom"), task_id: z.string() }),
  z.object({ name: z.string(), kind: z.literal("literal"), value: json }),
  /** Passed through functions of the author's file (ours); see `TryBinding` of dag-core. */
  z.object({ name: z.string(), kind: z.literal("mapped"), value: json, key: z.string().nullable() }),
  z.object({ name: z.string(), kind: z.literal("mapped_dict"), value: json, strict: z.boolean() }),
]);

export const executionDagRun = z.object({
  dag_id: z.string(),
  run_id: z.string(),
  logical_date: z.string().nullable(),
  data_interval_start: z.string().nullable(),
  data_interval_end: z.string().nullable(),
  run_after: z.string(),
  start_date: z.string().nullable(),
  end_date: z.string().nullable(),
  clear_number: z.int(),
  run_type: z.string(),
  state: z.string(),
  conf: z.record(z.string(), json),
  triggering_user_name: z.string().nullable(),
  consumed_asset_events: z.array(consumedAssetEvent),
  partition_key: z.string().nullable(),
  note: z.string().nullable(),
});

/** The answer of `PATCH /execution/task-instances/{id}/run`; the execution token rides in header `refreshed-api-token`. */
export const runResponse = z.object({
  dag_run: executionDagRun,
  task_reschedule_count: z.int(),
  max_tries: z.int(),
  variables: z.array(json),
  connections: z.array(json),
  xcom_keys_to_clear: z.array(z.string()),
  should_retry: z.boolean(),
  /** Set where the try waited and goes on. */
  next_method: z.string().nullish(),
  next_kwargs: z.record(z.string(), json).nullish(),
  start_date: z.string().nullish(),
  arg_bindings: z.array(argBinding),
  /** How far the loop around the task has come; absent where there is none. */
  loop: z.object({ index: z.int(), max_iterations: z.int(), previous: json }).optional(),
  updraft: z.object({
    artefact_hash: z.string(),
    operator_name: z.string(),
    /** Seconds. */
    execution_timeout: z.number().nullable(),
    do_xcom_push: z.boolean(),
    isolation: z.enum(["warm", "process"]),
    /** `return_value` of each upstream named by a binding; a task without a row is absent. */
    xcom_inputs: z.record(z.string(), json),
    /** When a try that was rescheduled looked first. */
    first_task_reschedule_start_date: z.string().nullish(),
    /** Inlets and outlets that no DAG names any more, or that conflict with others: the try fails. */
    inactive_assets: z.array(assetProfile),
    /** Mapped upstream tasks whose values are too many for this answer, with their number; read by `slice`. */
    xcom_lists: z.record(z.string(), z.int()).default({}),
  }),
});
export type RunResponse = z.infer<typeof runResponse>;

export const heartbeatRequest = z.object({ hostname: z.string(), pid: z.int() });

const pushedXcom = z.object({ key: z.string().min(1).max(512), value: json });

/** ISO 8601 without years and months, whose length nobody knows. Becomes seconds. */
const DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const UNIT_SECONDS = [604_800, 86_400, 3600, 60, 1];
const durationSeconds = z
  .string()
  .regex(DURATION, "must be an ISO 8601 duration, such as PT30S or P7D")
  .transform((text) => {
    const parts = DURATION.exec(text)?.slice(1) ?? [];
    return parts.reduce((sum, part, index) => sum + Number(part ?? 0) * (UNIT_SECONDS[index] ?? 0), 0);
  });

/** The word about a try that ends it or lets it wait. Repeating it is harmless. */
export const stateRequest = z.discriminatedUnion("state", [
  z.object({
    state: z.literal("success"),
    end_date: z.iso.datetime({ offset: true }),
    /** Not read: the outlets of the run's version of the task count. */
    task_outlets: z.array(assetProfile).default([]),
    outlet_events: z.array(outletEvent).default([]),
    rendered_map_index: z.string().nullish(),
    /** Stored in the same transaction as the state (ours). */
    xcoms: z.array(pushedXcom).max(1000).default([]),
  }),
  z.object({
    state: z.enum(["failed", "skipped", "removed"]),
    end_date: z.iso.datetime({ offset: true }),
    rendered_map_index: z.string().nullish(),
    /** Why, in a sentence (ours); stored as the transition's cause. */
    reason: z.string().max(2000).nullish(),
  }),
  z.object({
    state: z.literal("up_for_retry"),
    end_date: z.iso.datetime({ offset: true }),
    rendered_map_index: z.string().nullish(),
    retry_delay_seconds: z.number().nonnegative().nullish(),
    retry_reason: z.string().max(500).nullish(),
  }),
  z.object({
    state: z.literal("deferred"),
    classpath: z.string().min(1).max(1000),
    trigger_kwargs: z.record(z.string(), json).default({}),
    trigger_timeout: durationSeconds.nullish(),
    queue: z.string().nullish(),
    next_method: z.string().min(1).max(1000),
    next_kwargs: z.record(z.string(), json).default({}),
    rendered_map_index: z.string().nullish(),
  }),
  z.object({
    state: z.literal("awaiting_input"),
    timeout: durationSeconds.nullish(),
    next_method: z.string().min(1).max(1000),
    next_kwargs: z.record(z.string(), json).default({}),
    rendered_map_index: z.string().nullish(),
  }),
  z.object({
    state: z.literal("up_for_reschedule"),
    reschedule_date: z.iso.datetime({ offset: true }),
    end_date: z.iso.datetime({ offset: true }),
  }),
]);
/** As a worker sends it. */
export type StateRequest = z.input<typeof stateRequest>;
/** As the server reads it: durations are seconds. */
export type StateReport = z.output<typeof stateRequest>;

export const skipDownstreamRequest = z.object({
  tasks: z.array(z.union([z.string(), z.tuple([z.string(), z.int()])])),
});

export const connectionResponse = z.object({
  conn_id: z.string(),
  conn_type: z.string(),
  host: z.string().nullable(),
  schema: z.string().nullable(),
  login: z.string().nullable(),
  password: z.string().nullable(),
  port: z.int().nullable(),
  extra: z.string().nullable(),
});
export type ConnectionResponse = z.infer<typeof connectionResponse>;

export const variableResponse = z.object({ key: z.string(), value: z.string().nullable() });
export const xcomResponse = z.object({ key: z.string(), value: json });
