/**
 * Zod's issues in the words of FastAPI, whose 422 bodies Airflow's clients know:
 * `{ detail: [{ type, loc, msg, input, ctx? }] }`.
 */
import { z } from "zod";

export const validationError = z.object({
  type: z.string(),
  loc: z.array(z.union([z.string(), z.int()])),
  msg: z.string(),
  input: z.unknown().optional(),
  ctx: z.record(z.string(), z.unknown()).optional(),
});
export type ValidationErrorItem = z.infer<typeof validationError>;

/** The body of a 422. */
export const httpValidationError = z.object({ detail: z.array(validationError) });

/** Where a value came from; the first part of `loc`. */
export type InputPlace = "body" | "query" | "path" | "header";

type Wording = { readonly type: string; readonly msg: string; readonly ctx?: Readonly<Record<string, unknown>> };

const WORDING_BY_TYPE: Readonly<Record<string, Wording>> = {
  string: { type: "string_type", msg: "Input should be a valid string" },
  number: { type: "float_type", msg: "Input should be a valid number" },
  int: { type: "int_type", msg: "Input should be a valid integer" },
  boolean: { type: "bool_type", msg: "Input should be a valid boolean" },
  array: { type: "list_type", msg: "Input should be a valid list" },
  record: { type: "dict_type", msg: "Input should be a valid dictionary" },
  object: {
    type: "model_attributes_type",
    msg: "Input should be a valid dictionary or object to extract fields from",
  },
};

const MISSING: Wording = { type: "missing", msg: "Field required" };

/** The `detail` of a 422 for everything that is wrong with `input`. */
export function validationDetail(error: z.ZodError, place: InputPlace, input: unknown): ValidationErrorItem[] {
  return error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => item(place, [...issue.path, key], input, extraForbidden))
      : [item(place, issue.path, input, wordingOf(issue, isMissing(input, issue)))],
  );
}

/** The `detail` of a 422 for a body that is no JSON. */
export function invalidJsonDetail(message: string): ValidationErrorItem[] {
  return [{ type: "json_invalid", loc: ["body", 0], msg: "JSON decode error", input: {}, ctx: { error: message } }];
}

const extraForbidden: Wording = { type: "extra_forbidden", msg: "Extra inputs are not permitted" };

function item(place: InputPlace, path: readonly PropertyKey[], input: unknown, wording: Wording): ValidationErrorItem {
  const steps = path.map((step) => (typeof step === "number" ? step : String(step)));
  const shown = wording === MISSING ? valueAt(input, steps.slice(0, -1)) : valueAt(input, steps);
  return {
    type: wording.type,
    loc: [place, ...steps],
    msg: wording.msg,
    input: wording === MISSING && place !== "body" ? null : (shown ?? null),
    ...(wording.ctx === undefined ? {} : { ctx: wording.ctx }),
  };
}

function wordingOf(issue: z.core.$ZodIssue, missing: boolean): Wording {
  if (missing) return MISSING;
  switch (issue.code) {
    case "invalid_type":
      return WORDING_BY_TYPE[issue.expected] ?? { type: "value_error", msg: `Value error, ${issue.message}` };
    case "invalid_value":
      return expectedOneOf(issue.values.map(String));
    case "too_small":
      return tooSmall(issue);
    case "too_big":
      return tooBig(issue);
    case "invalid_format":
      return formatWording(issue);
    case "custom":
      return customWording(issue);
    default:
      return { type: "value_error", msg: `Value error, ${issue.message}` };
  }
}

function expectedOneOf(values: readonly string[]): Wording {
  const quoted = values.map((value) => `'${value}'`);
  const last = quoted.at(-1) ?? "";
  const expected = quoted.length > 1 ? `${quoted.slice(0, -1).join(", ")} or ${last}` : last;
  return { type: quoted.length > 1 ? "enum" : "literal_error", msg: `Input should be ${expected}`, ctx: { expected } };
}

function tooSmall(issue: z.core.$ZodIssueTooSmall): Wording {
  const least = Number(issue.minimum);
  if (issue.origin === "string") {
    const msg = `String should have at least ${least} character${least === 1 ? "" : "s"}`;
    return { type: "string_too_short", msg, ctx: { min_length: least } };
  }
  return issue.inclusive === false
    ? { type: "greater_than", msg: `Input should be greater than ${least}`, ctx: { gt: least } }
    : { type: "greater_than_equal", msg: `Input should be greater than or equal to ${least}`, ctx: { ge: least } };
}

function tooBig(issue: z.core.$ZodIssueTooBig): Wording {
  const most = Number(issue.maximum);
  if (issue.origin === "string") {
    const msg = `String should have at most ${most} character${most === 1 ? "" : "s"}`;
    return { type: "string_too_long", msg, ctx: { max_length: most } };
  }
  if (issue.origin === "array") {
    return {
      type: "too_long",
      msg: `List should have at most ${most} items after validation`,
      ctx: { max_length: most },
    };
  }
  return { type: "less_than_equal", msg: `Input should be less than or equal to ${most}`, ctx: { le: most } };
}

function formatWording(issue: z.core.$ZodIssueInvalidStringFormat): Wording {
  if (issue.format === "datetime") {
    const error = "input is not a date and time with an offset";
    return {
      type: "datetime_from_date_parsing",
      msg: `Input should be a valid datetime or date, ${error}`,
      ctx: { error },
    };
  }
  if (issue.format === "uuid") return { type: "uuid_parsing", msg: "Input should be a valid UUID" };
  return { type: "value_error", msg: `Value error, ${issue.message}` };
}

/** Our own query schemas say their FastAPI type in `params.type`. */
function customWording(issue: z.core.$ZodIssueCustom): Wording {
  const type = issue.params?.type;
  return typeof type === "string"
    ? { type, msg: issue.message }
    : { type: "value_error", msg: `Value error, ${issue.message}` };
}

function isMissing(input: unknown, issue: z.core.$ZodIssue): boolean {
  return issue.path.length > 0 && valueAt(input, issue.path.map(String)) === undefined && issue.code !== "custom";
}

function valueAt(input: unknown, path: readonly (string | number)[]): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[String(step)];
  }
  return value;
}
