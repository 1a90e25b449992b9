/**
 * What a setting's text may be. Each schema turns the text of an environment variable into its value; messages finish
 * the sentence "NAME=value: ...".
 */
import { resolve } from "node:path";
import { z } from "zod";

/** Severity names of the roles' logs. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Airflow's (Python's) names beside ours. */
const LOG_LEVEL_BY_NAME: Readonly<Record<string, LogLevel>> = {
  debug: "debug",
  info: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  critical: "error",
  fatal: "error",
};

const BOOLEAN_BY_NAME: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  "1": true,
  false: false,
  f: false,
  no: false,
  "0": false,
};

export const text = z.string();

/** A name of the tz database; Airflow's "utc" is UTC. */
export const timezone = z
  .string()
  .refine(isTimezone, { error: "must be the name of a time zone, such as Europe/Zurich" })
  .transform((name) => (name.toLowerCase() === "utc" ? "UTC" : name));

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export const folder = z.string().transform((path) => resolve(path));

/** A number in `[minimum, maximum]`, whole unless `fraction`. */
export function numeric(minimum: number, maximum: number, fraction = false): z.ZodType<number, string> {
  const kind = fraction ? "a number" : "a whole number";
  return z.string().transform((value, context) => {
    const number = Number(value);
    const fits = Number.isFinite(number) && number >= minimum && number <= maximum;
    if (fits && (fraction || Number.isInteger(number))) return number;
    return refuse(context, `must be ${kind} from ${minimum} to ${maximum}`);
  });
}

export const port = numeric(0, 65_535);

export const boolean = z.string().transform((value, context) => {
  const parsed = BOOLEAN_BY_NAME[value.toLowerCase()];
  return parsed ?? refuse(context, "must be True or False");
});

export const logLevel = z.string().transform((value, context): LogLevel => {
  const parsed = LOG_LEVEL_BY_NAME[value.toLowerCase()];
  return parsed ?? refuse(context, `must be one of ${LOG_LEVELS.join(", ").toUpperCase()}`);
});

/** A comma separated list without empty members. */
export const names = z.string().transform((value, context) => {
  const list = value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return list.length > 0 ? list : refuse(context, "must name at least one");
});

/** `postgresql://…`, also with an SQLAlchemy driver as in Airflow's `postgresql+psycopg2://…`. */
export const databaseUrl = z.string().transform((value, context) => {
  const match = /^postgres(?:ql)?(?:\+\w+)?:\/\/(.+)$/s.exec(value);
  if (match === null)
    return refuse(context, "must be a PostgreSQL address, as postgresql://user:password@host:5432/name");
  return `postgresql://${match[1]}`;
});

export const redisUrl = z.string().refine((value) => /^rediss?:\/\/./.test(value), {
  message: "must be a Redis address, as redis://host:6379/0",
});

export const httpUrl = z.string().refine((value) => /^https?:\/\/./.test(value) && URL.canParse(value), {
  message: "must be an http:// or https:// address",
});

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message });
  return z.NEVER;
}
