/** Bodies and query parameters through the contract's schemas; what doesn't fit becomes a 422 in FastAPI's words. */
import { type InputPlace, type ValidationErrorItem, validationDetail } from "@updraft/contract";
import type { Request } from "express";
import { z } from "zod";

/** A request that can't be understood; `detail` is the body of its 422. */
export class RequestInvalidError extends Error {
  readonly detail: readonly ValidationErrorItem[];

  constructor(detail: readonly ValidationErrorItem[]) {
    super("The request doesn't fit its schema");
    this.name = "RequestInvalidError";
    this.detail = detail;
  }
}

export function parseBody<Schema extends z.ZodType>(schema: Schema, request: Request): z.output<Schema> {
  const body: unknown = request.body;
  if (body === undefined) {
    throw new RequestInvalidError([{ type: "missing", loc: ["body"], msg: "Field required", input: null }]);
  }
  return parse(schema, body, "body");
}

/** Turns the query of a request into values. Parameters that `shape` doesn't name are ignored, as by FastAPI. */
export function queryReader<Shape extends z.ZodRawShape>(
  shape: Shape,
): (request: Request) => z.output<z.ZodObject<Shape>> {
  const schema = z.object(shape);
  const names = Object.entries(shape).map(([name, field]) => ({ name, isList: isList(field) }));
  return (request) => {
    const start = request.url.indexOf("?");
    const query = new URLSearchParams(start < 0 ? "" : request.url.slice(start + 1));
    const given: Record<string, string | string[]> = {};
    for (const { name, isList: list } of names) {
      const values = query.getAll(name);
      const last = values.at(-1);
      if (last !== undefined) given[name] = list ? values : last;
    }
    return parse(schema, given, "query");
  };
}

/** One path parameter. */
export function parsePath<Schema extends z.ZodType>(schema: Schema, name: string, text: string): z.output<Schema> {
  const parsed = z.object({ [name]: schema }).safeParse({ [name]: text });
  if (!parsed.success) throw new RequestInvalidError(validationDetail(parsed.error, "path", { [name]: text }));
  return parsed.data[name] as z.output<Schema>;
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown, place: InputPlace): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new RequestInvalidError(validationDetail(parsed.error, place, input));
  return parsed.data;
}

function isList(field: unknown): boolean {
  if (field instanceof z.ZodArray) return true;
  if (field instanceof z.ZodDefault || field instanceof z.ZodOptional) return isList(field.unwrap());
  return field instanceof z.ZodPipe && isList(field.in);
}
