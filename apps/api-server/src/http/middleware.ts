/** What every request passes: its id, security headers, and JSON bodies of a bounded size. */
import { ApiError } from "@updraft/contract";
import type { Ids } from "@updraft/service-kit";
import express, { type RequestHandler } from "express";

/** Carries an id from the caller through our logs and back, under Airflow's name. */
const CORRELATION_ID = "correlation-id";
const ID_FORM = /^[\w.:-]{1,100}$/;

export function requestIds(ids: Ids): RequestHandler {
  return (request, response, next) => {
    const given = request.headers[CORRELATION_ID];
    const id = typeof given === "string" && ID_FORM.test(given) ? given : ids.uuid();
    response.setHeader(CORRELATION_ID, id);
    next();
  };
}

/** `style-src` allows inline styles: the charts and the virtual lists of the UI position by style attributes. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
  "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'self'; " +
  "form-action 'self'; frame-ancestors 'self'";

export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader("content-security-policy", CONTENT_SECURITY_POLICY);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "same-origin");
  response.setHeader("cross-origin-opener-policy", "same-origin");
  next();
};

/** Answers depend on who asks and on when: nobody keeps them. */
export const neverCached: RequestHandler = (_request, response, next) => {
  response.setHeader("cache-control", "no-store");
  next();
};

/** Parses JSON bodies; any other kind of body is refused, so that a plain form of another site can't reach a handler. */
export function jsonBody(limitBytes: number): RequestHandler[] {
  const parser = express.json({ limit: limitBytes, strict: false, type: isJson });
  const refuseOthers: RequestHandler = (request, _response, next) => {
    if (hasBody(request.headers) && request.body === undefined) throw new ApiError("unsupported_media_type");
    next();
  };
  return [parser, refuseOthers];
}

function isJson(request: { headers: { "content-type"?: string | undefined } }): boolean {
  return /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(request.headers["content-type"] ?? "");
}

function hasBody(headers: {
  "transfer-encoding"?: string | undefined;
  "content-length"?: string | undefined;
}): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
