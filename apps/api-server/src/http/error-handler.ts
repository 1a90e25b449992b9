/** Every failure of a request becomes `{ detail }` with the status that Airflow gives it. */
import { ApiError, invalidJsonDetail } from "@updraft/contract";
import type { Logger } from "@updraft/service-kit";
import type { ErrorRequestHandler, Request } from "express";
import { ExecutionError } from "../execution/execution-error.ts";
import { RequestInvalidError } from "./validate.ts";

interface Answer {
  readonly status: number;
  readonly detail: unknown;
}

export function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const { status, detail } = answerOf(error);
    if (status >= 500) {
      logger.error(
        { err: error, method: request.method, path: request.path, request_id: requestIdOf(request) },
        "a request failed",
      );
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error instanceof ApiError && error.code === "not_authenticated")
      response.setHeader("www-authenticate", "Bearer");
    response.status(status).json({ detail });
  };
}

function answerOf(error: unknown): Answer {
  if (error instanceof ApiError || error instanceof ExecutionError) return error;
  if (error instanceof RequestInvalidError) return { status: 422, detail: error.detail };
  if (error instanceof URIError) return new ApiError("bad_path");
  if (isStoreUnavailable(error)) {
    return new ApiError("unavailable", { message: "The metadata database doesn't answer; try again in a moment." });
  }
  return answerOfBodyParser(error) ?? new ApiError("internal");
}

/** Matched by name: its class belongs to an adapter. */
function isStoreUnavailable(error: unknown): boolean {
  return error instanceof Error && error.name === "StoreUnavailableError";
}

/** Errors of body-parser carry a `type`. */
function answerOfBodyParser(error: unknown): Answer | undefined {
  if (!(error instanceof Error) || !("type" in error)) return undefined;
  switch (error.type) {
    case "entity.too.large":
      return new ApiError("body_too_large", {
        limit: "limit" in error ? Number(error.limit) : "the allowed number of",
      });
    case "entity.parse.failed":
      return { status: 422, detail: invalidJsonDetail(error.message) };
    case "charset.unsupported":
    case "encoding.unsupported":
      return new ApiError("unsupported_media_type");
    case "request.aborted":
    case "request.size.invalid":
      return new ApiError("bad_request", { message: "The body ended before its announced length." });
    default:
      return undefined;
  }
}

function requestIdOf(request: Request): string | undefined {
  const id = request.res?.getHeader("correlation-id");
  return typeof id === "string" ? id : undefined;
}
