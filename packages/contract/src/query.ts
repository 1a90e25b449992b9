/**
 * Query parameters: texts that become values, refused in FastAPI's words. A list is given by repeating the name.
 */
import { z } from "zod";

export const queryText = z.string().optional();
export const queryTexts = z.array(z.string()).default([]);

export const queryBoolean = z.string().transform((text, context): boolean => {
  const value = BOOLEANS[text.trim().toLowerCase()];
  return value ?? refuse(context, "bool_parsing", "Input should be a valid boolean, unable to interpret input");
});

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  y: true,
  on: true,
  "1": true,
  false: false,
  f: false,
  no: false,
  n: false,
  off: false,
  "0": false,
};

const wholeNumber = z.string().transform((text, context): number => {
  const number = Number(text);
  if (/^\s*[+-]?\d+\s*$/.test(text) && Number.isSafeInteger(number)) return number;
  return refuse(context, "int_parsing", "Input should be a valid integer, unable to parse string as an integer");
});

/** A whole number of at least `minimum`. */
export function queryInteger(minimum: number = Number.MIN_SAFE_INTEGER) {
  return wholeNumber.pipe(z.int().min(minimum));
}
export const queryIntegers = z.array(wholeNumber).default([]);

export const queryNumber = z.string().transform((text, context): number => {
  const number = Number(text);
  if (text.trim() !== "" && Number.isFinite(number)) return number;
  return refuse(context, "float_parsing", "Input should be a valid number, unable to parse string as a number");
});

/** An instant; one without an offset is UTC, as in Airflow. The value is epoch milliseconds. */
export const queryInstant = z.string().transform((text, context): number => {
  const parsed = instantSchema.safeParse(text.replace(" ", "+"));
  if (parsed.success) {
    const hasOffset = /(Z|[+-]\d\d:?\d\d)$/.test(parsed.data);
    return Date.parse(hasOffset ? parsed.data : `${parsed.data}Z`);
  }
  return refuse(context, "datetime_from_date_parsing", "Input should be a valid datetime or date");
});

const instantSchema = z.union([
  z.iso.datetime({ offset: true, local: true }),
  z.iso.date().transform((day) => `${day}T00:00:00`),
]);

/** Most rows a page has, whatever was asked for; Airflow's `[api] maximum_page_limit`. */
export const MAXIMUM_PAGE_LIMIT = 100;
/** Airflow's `[api] fallback_page_limit`. */
export const FALLBACK_PAGE_LIMIT = 50;

/** `limit` and `offset`, as every list has them. */
export const pageQuery = {
  limit: queryInteger(0)
    .transform((limit) => Math.min(limit, MAXIMUM_PAGE_LIMIT))
    .default(FALLBACK_PAGE_LIMIT),
  offset: queryInteger(0).default(0),
};

const BOUNDS = ["gte", "gt", "lte", "lt"] as const;
export type RangeBound = (typeof BOUNDS)[number];
type RangeKey<Name extends string> = `${Name}_${RangeBound}`;

/** `name_gte`, `name_gt`, `name_lte` and `name_lt` for instants. */
export function instantRange<Name extends string>(name: Name) {
  return rangeOf(name, queryInstant.optional());
}
/** The same for numbers. */
export function numberRange<Name extends string>(name: Name) {
  return rangeOf(name, queryNumber.optional());
}

function rangeOf<Name extends string, Schema extends z.ZodType>(name: Name, schema: Schema) {
  return Object.fromEntries(BOUNDS.map((bound) => [`${name}_${bound}`, schema])) as Record<RangeKey<Name>, Schema>;
}

/** `name_pattern` (anywhere, `%` and `_` are wildcards) and `name_prefix_pattern` (index-friendly). */
export function searchPattern<Name extends string>(name: Name) {
  return { [`${name}_pattern`]: queryText, [`${name}_prefix_pattern`]: queryText } as Record<
    `${Name}_pattern` | `${Name}_prefix_pattern`,
    typeof queryText
  >;
}

function refuse(context: z.RefinementCtx, type: string, message: string): never {
  context.addIssue({ code: "custom", message, params: { type } });
  return z.NEVER;
}
