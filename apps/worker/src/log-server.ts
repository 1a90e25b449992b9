/**
 * Serves the logs of this worker's tries to api-server: `GET /log/<path>`, opened by a token that is good for one file.
 *
 * The token rides in `?token=` or in the Authorization header. `Range: bytes=<from>-<to>` or `?offset=&limit=` reads a
 * part, so that a log is followed without being read anew.
 */
import { once } from "node:events";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Clock, type Logger, resolveLogPath, type Service, verifyLogToken } from "@updraft/service-kit";

export interface LogServerOptions {
  readonly logsFolder: string;
  readonly secret: string;
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const PREFIX = "/log/";

export async function startLogServer(options: LogServerOptions): Promise<Service & { readonly port: number }> {
  const { host, port, logger } = options;
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      logger.warn({ err: error }, "a log could not be served");
      if (response.headersSent) response.destroy();
      else refuse(response, 500, "the log could not be read");
    });
  });
  server.listen(port, host);
  await once(server, "listening").catch((error: Error) => {
    throw new Error(
      `The worker's log server can't listen on ${host}:${port}: ${error.message}. Free the port, or set AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT (0 turns it off).`,
      { cause: error },
    );
  });
  return {
    // The server listens on an address of IP, not on a pipe.
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(options: LogServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(response, 405, "only GET and HEAD");
  const url = URL.parse(request.url ?? "", "http://worker");
  const path = url?.pathname.startsWith(PREFIX) ? decoded(url.pathname.slice(PREFIX.length)) : undefined;
  if (url === null || path === undefined) return refuse(response, 404, "no such log");
  const token = url.searchParams.get("token") ?? request.headers.authorization?.replace(/^Bearer /i, "") ?? "";
  if (!verifyLogToken(options.secret, path, token, options.clock.now())) {
    return refuse(response, 403, "the token does not open this log");
  }
  const file = await openBelow(options.logsFolder, path);
  if (file === undefined) return refuse(response, 404, "no such log");
  try {
    await send(file, partOf(request, url.searchParams), response, request.method === "HEAD");
  } finally {
    await file.close().catch(() => undefined);
  }
}

interface Part {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly asRange: boolean;
}

async function send(file: FileHandle, part: Part, response: ServerResponse, headOnly: boolean): Promise<void> {
  const { size } = await file.stat();
  const to = Math.min(part.to, size);
  const headers = { "content-type": "application/x-ndjson", "x-log-size": size, "accept-ranges": "bytes" };
  if (part.asRange && part.from >= size) {
    response.writeHead(416, { ...headers, "content-range": `bytes */${size}` }).end();
    return;
  }
  const length = Math.max(0, to - part.from);
  const range = part.asRange ? { "content-range": `bytes ${part.from}-${to - 1}/${size}` } : {};
  response.writeHead(part.asRange ? 206 : 200, { ...headers, ...range, "content-length": length });
  if (headOnly || length === 0) {
    response.end();
    return;
  }
  await pipeline(file.createReadStream({ start: part.from, end: to - 1, autoClose: false }), response);
}

function partOf({ headers }: IncomingMessage, query: URLSearchParams): Part {
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "");
  if (range !== null) {
    const to = range[2] === "" ? Number.POSITIVE_INFINITY : Number(range[2]) + 1;
    return { from: Number(range[1]), to, asRange: true };
  }
  const from = countOf(query.get("offset"), 0);
  return { from, to: from + countOf(query.get("limit"), Number.POSITIVE_INFINITY), asRange: false };
}

function countOf(text: string | null, fallback: number): number {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : fallback;
}

/** A task can make links below the logs folder, so the file is taken where it really lies. */
async function openBelow(logsFolder: string, path: string): Promise<FileHandle | undefined> {
  const wanted = resolveLogPath(logsFolder, path);
  if (wanted === undefined) return undefined;
  try {
    const [folder, real] = await Promise.all([realpath(logsFolder), realpath(wanted)]);
    return real.startsWith(folder + sep) ? await open(real, "r") : undefined;
  } catch {
    return undefined;
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ detail: reason }));
}
