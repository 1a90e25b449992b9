/**
 * Structured logs of the roles: one JSON object a line on stdout. Logs of tasks are another thing; the worker writes them.
 */
import { type DestinationStream, pino } from "pino";
import type { LogLevel } from "./setting-schemas.ts";

export type LogFields = Readonly<Record<string, unknown>>;

/** Either `(fields, message)` or `(message)`; an error goes into the field `err`. */
export interface LogMethod {
  (fields: LogFields, message?: string): void;
  (message: string): void;
}

export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** A logger whose lines all carry `fields`. */
  child(fields: LogFields): Logger;
}

/** The logger of a role. `destination` is stdout unless given. */
export function createLogger(
  role: string,
  level: LogLevel | "silent" = "info",
  destination?: DestinationStream,
): Logger {
  const options = {
    level,
    base: { role },
    messageKey: "event",
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ["token", "password", "*.token", "*.password", "authorization", "*.authorization"],
      censor: "***",
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
