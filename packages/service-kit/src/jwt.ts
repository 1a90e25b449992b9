/**
 * JSON Web Tokens signed with HS256, the one kind that is used between the roles and by clients of the API.
 *
 * A token is good for one audience. The header is compared as a whole, so that no other algorithm is ever looked at.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface JwtClaims {
  readonly aud: string;
  /** Seconds since the epoch. */
  readonly exp: number;
  readonly [claim: string]: unknown;
}

export type JwtVerdict =
  | { readonly kind: "valid"; readonly claims: JwtClaims }
  | { readonly kind: "expired" }
  | { readonly kind: "invalid" };

const HEADER = encode({ alg: "HS256", typ: "JWT" });
const INVALID: JwtVerdict = { kind: "invalid" };
/** No token of ours comes near; longer ones are not worth a signature. */
const LONGEST_TOKEN = 16_384;

export function signJwt(secret: string, claims: JwtClaims): string {
  const signed = `${HEADER}.${encode(claims)}`;
  return `${signed}.${signature(secret, signed)}`;
}

/** What `token` says at the instant `now` (milliseconds). An empty secret makes every token invalid. */
export function verifyJwt(secret: string, token: string, audience: string, now: number): JwtVerdict {
  if (secret === "" || token.length > LONGEST_TOKEN) return INVALID;
  const [header, payload, given, ...rest] = token.split(".");
  if (header !== HEADER || payload === undefined || given === undefined || rest.length > 0) return INVALID;
  if (!equal(given, signature(secret, `${header}.${payload}`))) return INVALID;
  const claims = decode(payload);
  if (claims.aud !== audience || typeof claims.exp !== "number") return INVALID;
  return claims.exp * 1000 > now ? { kind: "valid", claims } : { kind: "expired" };
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
function decode(payload: string): JwtClaims {
  return JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
}
