/** Logs of tries: Airflow's form, and the paged form that the UI's viewer reads. */
import { z } from "zod";

/** One line. What a task adds beside these travels along. */
export const structuredLogMessage = z.looseObject({
  timestamp: z.string().optional(),
  event: z.string(),
  level: z.string().optional(),
  logger: z.string().optional(),
});
export type StructuredLogMessage = z.infer<typeof structuredLogMessage>;

export const taskInstancesLogResponse = z.strictObject({
  content: z.array(structuredLogMessage),
  /** Asks for what was written since; null where the try is over and everything was sent. */
  continuation_token: z.string().nullable(),
});

export const logLine = z.strictObject({
  /** From 0. */
  n: z.int().nonnegative(),
  timestamp: z.string().nullable(),
  level: z.string().nullable(),
  logger: z.string().nullable(),
  event: z.string(),
});
export type LogLine = z.infer<typeof logLine>;

export const logLinesResponse = z.strictObject({
  /** Of the file; with `levels` or `q` the lines that pass are `matches.total`. */
  total_lines: z.int().nonnegative(),
  lines: z.array(logLine),
  /** The try is over and the file is read to its end. */
  complete: z.boolean(),
  /** Where `q` or `levels` is given: how many lines pass, and the numbers of the first of them. */
  matches: z
    .strictObject({ total: z.int().nonnegative(), lines: z.array(z.int().nonnegative()), truncated: z.boolean() })
    .optional(),
});
export type LogLinesResponse = z.infer<typeof logLinesResponse>;
