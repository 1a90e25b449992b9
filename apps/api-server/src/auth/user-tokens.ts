/** Tokens of people and programs: a JWT that names the user, as a bearer token or in the cookie. */
import { ApiError } from "@updraft/contract";
import { type Clock, signJwt, verifyJwt } from "@updraft/service-kit";

const AUDIENCE = "apache-airflow";

export interface UserTokens {
  readonly lifeSeconds: number;
  sign(username: string): string;
  /** The user that `token` names; throws `ApiError` where it is not good. */
  userOf(token: string): string;
}

export function createUserTokens(secret: string, lifeSeconds: number, clock: Clock): UserTokens {
  return {
    lifeSeconds,
    sign(username) {
      const now = Math.floor(clock.now() / 1000);
      return signJwt(secret, { aud: AUDIENCE, sub: username, iat: now, exp: now + lifeSeconds });
    },
    userOf(token) {
      const verdict = verifyJwt(secret, token, AUDIENCE, clock.now());
      if (verdict.kind === "expired") throw new ApiError("expired_token");
      if (verdict.kind === "invalid") throw new ApiError("invalid_token");
      return String(verdict.claims.sub);
    },
  };
}
