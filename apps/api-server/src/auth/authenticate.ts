/**
 * Who asks: a bearer token, or the cookie that the login page gets. A cookie travels with requests that other sites
 * cause, so a write by cookie must come from this server's own pages.
 */
import { ApiError } from "@updraft/contract";
import type { Request, RequestHandler, Response } from "express";
import type { UserTokens } from "./user-tokens.ts";

export const TOKEN_COOKIE = "_token";
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export function authenticate(tokens: UserTokens): RequestHandler {
  return (request, response, next) => {
    const bearer = bearerOf(request);
    if (bearer === undefined && !SAFE_METHODS.has(request.method)) assertSameOrigin(request);
    const token = bearer ?? cookieOf(request);
    if (token === undefined) throw new ApiError("not_authenticated");
    response.locals.username = tokens.userOf(token);
    next();
  };
}

/** The name of the user, behind `authenticate`. */
export function usernameOf(response: Response): string {
  return String(response.locals.username);
}

export function bearerOf(request: Request): string | undefined {
  const header = request.headers.authorization;
  return header === undefined ? undefined : /^Bearer +(\S.*)$/i.exec(header)?.[1];
}

/** Browsers say where a request comes from by `Sec-Fetch-Site` or `Origin`; a request with neither is no browser's. */
export function assertSameOrigin(request: Request): void {
  const site = request.headers["sec-fetch-site"];
  if (site !== undefined) {
    if (site === "same-origin" || site === "none") return;
    throw new ApiError("foreign_origin");
  }
  const origin = request.headers.origin;
  if (origin !== undefined && hostOf(origin) !== request.headers.host) throw new ApiError("foreign_origin");
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function cookieOf(request: Request): string | undefined {
  for (const part of (request.headers.cookie ?? "").split(";")) {
    const [name, value] = part.trim().split("=", 2);
    if (name === TOKEN_COOKIE && value !== undefined && value !== "") return value;
  }
  return undefined;
}
