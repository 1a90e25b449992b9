/** Routes as a table: path to methods. A path that is known answers 405 to the methods it doesn't have. */
import { ApiError } from "@updraft/contract";
import { type IRouter, type Request, type Response, Router } from "express";

/** What a handler resolves with becomes the JSON body; undefined means that it answered by itself. */
export type Handler = (request: Request, response: Response) => unknown;

const METHODS = ["get", "head", "post", "put", "patch", "delete"] as const;
type Methods = { readonly [Method in (typeof METHODS)[number]]?: Handler };
export type RouteTable = Readonly<Record<string, Methods>>;

export function routerOf(table: RouteTable): Router {
  const router = Router();
  addRoutes(router, table);
  return router;
}

/** Paths are matched in the order of the table. */
export function addRoutes(router: IRouter, table: RouteTable): void {
  for (const [path, methods] of Object.entries(table)) {
    const route = router.route(path);
    for (const method of METHODS) {
      const handler = methods[method];
      if (handler !== undefined) route[method]((request, response) => answer(handler, request, response));
    }
    route.all(() => {
      throw new ApiError("method_not_allowed");
    });
  }
}

async function answer(handler: Handler, request: Request, response: Response): Promise<void> {
  const body = await handler(request, response);
  if (body !== undefined) response.json(body);
}

/** A named part of the matched path; Express has decoded it. */
export function pathPart(request: Request, name: string): string {
  const value = request.params[name];
  if (typeof value !== "string") throw new ApiError("route_not_found");
  return value;
}

/** An answer without a body. */
export function noContent(response: Response): undefined {
  response.status(204).end();
  return undefined;
}
