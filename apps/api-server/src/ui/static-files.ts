/** The built UI: its files, and its page for every other address, since the pages route by themselves. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type RequestHandler, Router } from "express";

const DIST = fileURLToPath(new URL("../../../web-ui/dist/", import.meta.url));
/** Vite names these files by their content. */
const ASSETS = join(DIST, "assets");
const ONE_YEAR = "public, max-age=31536000, immutable";

const NOT_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Updraft</title></head>
<body><h1>Updraft runs, but its UI is not built</h1>
<p>Build it with <code>npm run build --workspace apps/web-ui</code> and load this page again.</p>
<p>The API answers already: <a href="/api/v2/version">/api/v2/version</a>.</p></body></html>
`;

export function staticFiles(): Router {
  const router = Router();
  router.use(
    express.static(DIST, {
      index: false,
      cacheControl: false,
      setHeaders: (response, path) => {
        response.setHeader("cache-control", path.startsWith(ASSETS) ? ONE_YEAR : "no-cache");
      },
    }),
  );
  router.use(page);
  return router;
}

const page: RequestHandler = (request, response, next) => {
  const isPage = (request.method === "GET" || request.method === "HEAD") && request.accepts("html") !== false;
  if (!isPage || request.path.startsWith("/assets/")) return next();
  response.setHeader("cache-control", "no-cache");
  response.sendFile("index.html", { root: DIST, cacheControl: false }, (error) => {
    if (error === undefined) return;
    if (response.headersSent) response.destroy();
    else response.status(200).type("html").send(NOT_BUILT);
  });
};
