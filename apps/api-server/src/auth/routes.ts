/** `/auth`: tokens for programs, the cookie for the pages. */
import type { Request, Response } from "express";
import type { ApiContext } from "../context.ts";
import { type RouteTable, routerOf } from "../http/routes.ts";
import { assertSameOrigin, TOKEN_COOKIE } from "./authenticate.ts";
import { createLogin } from "./login.ts";

export function authRouter({ store, clock, config, userTokens }: ApiContext) {
  const login = createLogin(store, clock);
  const cookieOptions = {
    httpOnly: true,
    sameSite: "lax",
    path: "/",
    secure: config.baseUrl.startsWith("https:"),
  } as const;

  async function createToken(request: Request, response: Response) {
    const access_token = userTokens.sign(await login(request));
    response.status(201);
    return { access_token };
  }

  const table: RouteTable = {
    "/token": { post: createToken },
    "/token/cli": { post: createToken },
    "/login": {
      async post(request, response) {
        assertSameOrigin(request);
        const username = await login(request);
        response.cookie(TOKEN_COOKIE, userTokens.sign(username), {
          ...cookieOptions,
          maxAge: userTokens.lifeSeconds * 1000,
        });
        return { id: username, username };
      },
    },
    "/logout": {
      get(_request, response) {
        response.clearCookie(TOKEN_COOKIE, cookieOptions);
        response.redirect("/login");
        return undefined;
      },
    },
  };
  return routerOf(table);
}
