/**
 * Tokens by which api-server reads a log from a worker: a JWT (HS256) good for one file and a short time.
 *
 * Its secret is the log server's own: a worker never learns the secret that signs the API's tokens.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

const HEADER = encode({ alg: "HS256", typ: "JWT" });
const AUDIENCE = "task-instance-logs";

/** A token that opens the log at `path` (as `taskLogPath` gives it) until `expiresAt` (milliseconds). */
export function signLogToken(secret: string, path: string, expiresAt: number): string {
  const payload = encode({ aud: AUDIENCE, filename: path, exp: Math.ceil(expiresAt / 1000) });
  return `${HEADER}.${payload}.${signature(secret, `${HEADER}.${payload}`)}`;
}

/** Whether `token` opens the log at `path` at the instant `now` (milliseconds). An empty secret opens nothing. */
export function verifyLogToken(secret: string, path: string, token: string, now: number): boolean {
  const [header, payload, given, ...rest] = token.split(".");
  if (secret === "" || header !== HEADER || payload === undefined || given === undefined || rest.length > 0)
    return false;
  if (!equal(given, signature(secret, `${header}.${payload}`))) return false;
  const claims = decode(payload);
  return (
    claims.aud === AUDIENCE && claims.filename === path && typeof claims.exp === "number" && claims.exp * 1000 > now
  );
}

function signature(secret: string, text: string): string {
  return createHmac("sha256", secret).update(text).digest("base64url");
}

function equal(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** Only called with a payload whose signature is ours. */
function decode(payload: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
}
