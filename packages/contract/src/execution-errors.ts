/** Errors below `/execution`: `{ detail: { reason, message, ... } }`, as Airflow's Task SDK reads them. */
import { z } from "zod";

export const executionError = z.object({
  detail: z.union([
    z.string(),
    z.looseObject({ reason: z.string(), message: z.string(), previous_state: z.string().nullable().optional() }),
  ]),
});

export const triggerRunRequest = z.strictObject({
  logical_date: z.iso.datetime({ offset: true }).nullish(),
  run_after: z.iso.datetime({ offset: true }).nullish(),
  conf: z.record(z.string(), z.unknown()).default({}),
  reset_dag_run: z.boolean().default(false),
  partition_key: z.string().nullish(),
  note: z.string().max(1000).nullish(),
});

export const variableRequest = z.strictObject({ val: z.string().nullable(), description: z.string().nullish() });

export const taskStateRequest = z.strictObject({
  value: z.unknown(),
  expires_at: z.iso.datetime({ offset: true }).nullish(),
});

/** What a worker says about itself (ours). */
export const workerReport = z.strictObject({
  queues: z.array(z.string().min(1).max(250)).max(1000),
  concurrency: z.int().positive(),
  running: z.int().nonnegative(),
  /** Of the whole host as others reach it; the log server listens there. */
  hostname: z.string().max(1000),
  unixname: z.string().max(1000).default(""),
  log_server_url: z.url().nullish(),
  state: z.enum(["running", "stopping", "stopped"]).default("running"),
});
export type WorkerReport = z.infer<typeof workerReport>;
