/** Who calls the Task Execution API: a try, by the token that its message or its claim gave it; or a worker, by its own. */
import { createHash, timingSafeEqual } from "node:crypto";
import { ApiError } from "@updraft/contract";
import type { TaskToken, TaskTokenScope, TaskTokens } from "@updraft/service-kit";
import type { Request, Response } from "express";
import { bearerOf } from "../auth/authenticate.ts";
import { pathPart } from "../http/routes.ts";

/** How a caller gets its next execution token. */
export const REFRESHED_TOKEN_HEADER = "refreshed-api-token";

/** The try that calls; throws `ApiError` unless its token has one of `scopes`. */
export function callingTry(
  tokens: TaskTokens,
  request: Request,
  scopes: readonly TaskTokenScope[] = ["execution"],
): TaskToken {
  const bearer = bearerOf(request);
  if (bearer === undefined) throw new ApiError("not_authenticated");
  const verdict = tokens.verify(bearer);
  if (verdict.kind === "expired") throw new ApiError("expired_token");
  if (verdict.kind === "invalid") throw new ApiError("invalid_token");
  if (!scopes.includes(verdict.token.scope)) throw new ApiError("forbidden");
  return verdict.token;
}

/** The same where the path names a task instance: a token is good for its own only. */
export function callingTryOfPath(tokens: TaskTokens, request: Request, scope: TaskTokenScope = "execution"): TaskToken {
  const token = callingTry(tokens, request, [scope]);
  if (token.ti_id !== pathPart(request, "ti_id")) throw new ApiError("forbidden");
  return token;
}

export function renewToken(tokens: TaskTokens, token: TaskToken, response: Response): void {
  const renewed = tokens.renewed(token);
  if (renewed !== undefined) response.setHeader(REFRESHED_TOKEN_HEADER, renewed);
}

/** Throws `ApiError` unless the caller has the token that all workers, or all triggerers, share. */
export function assertShared(sharedToken: string, request: Request): void {
  const bearer = bearerOf(request);
  if (bearer === undefined) throw new ApiError("not_authenticated");
  if (sharedToken === "" || !timingSafeEqual(digest(bearer), digest(sharedToken))) throw new ApiError("forbidden");
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
