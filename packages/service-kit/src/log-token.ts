/**
 * Tokens by which api-server reads a log from a worker: good for one file and a short time.
 *
 * Their secret is the log server's own: a worker never learns the secret that signs the API's tokens.
 */
import { signJwt, verifyJwt } from "./jwt.ts";

const AUDIENCE = "task-instance-logs";

/** A token that opens the log at `path` (as `taskLogPath` gives it) until `expiresAt` (milliseconds). */
export function signLogToken(secret: string, path: string, expiresAt: number): string {
  return signJwt(secret, { aud: AUDIENCE, filename: path, exp: Math.ceil(expiresAt / 1000) });
}

/** Whether `token` opens the log at `path` at the instant `now` (milliseconds). An empty secret opens nothing. */
export function verifyLogToken(secret: string, path: string, token: string, now: number): boolean {
  const verdict = verifyJwt(secret, token, AUDIENCE, now);
  return verdict.kind === "valid" && verdict.claims.filename === path;
}
