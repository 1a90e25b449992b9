/** Name and password against the store. */
import { ApiError, loginBody } from "@updraft/contract";
import type { MetadataStore } from "@updraft/metadata-store";
import type { Clock } from "@updraft/service-kit";
import type { Request } from "express";
import { isFromLoopback } from "../http/loopback.ts";
import { parseBody } from "../http/validate.ts";
import { createLoginThrottle } from "./login-throttle.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";

/** Resolves with the user's name; throws `ApiError`. */
export type Login = (request: Request) => Promise<string>;

export function createLogin(store: Pick<MetadataStore, "getUser">, clock: Clock): Login {
  const throttle = createLoginThrottle(clock);
  /** Compared with where there is no such user, so that both refusals take equally long. */
  const nobodysHash = hashPassword("nobody has this password");

  return async (request) => {
    const { username, password } = parseBody(loginBody, request);
    const user = await store.getUser(username);
    const keys = [`address ${request.socket.remoteAddress ?? ""}`, `user ${username}`];
    const isRight = await throttle.guard(keys, async () => {
      const matches = await verifyPassword(password, user?.password_hash ?? (await nobodysHash));
      return matches && user !== null;
    });
    if (!isRight || user === null) throw new ApiError("wrong_credentials");
    if (!user.password_is_own && !isFromLoopback(request)) throw new ApiError("login_not_loopback");
    return user.username;
  };
}
