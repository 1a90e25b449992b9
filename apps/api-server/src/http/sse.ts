/** Server-sent events: one open answer to one client. */
import { once } from "node:events";
import type { Request, Response } from "express";

interface SseMessage {
  readonly data: string;
  /** What a client that reconnects sends as `Last-Event-ID`. */
  readonly id?: string;
  readonly event?: string;
}

export interface SseStream {
  /** Aborts when the client is gone or the server stops. */
  readonly closed: AbortSignal;
  /** Bytes that the client has not taken yet. */
  waitingBytes(): number;
  send(message: SseMessage): void;
  /** Resolves when the client has taken enough to be sent more. */
  drained(): Promise<void>;
  end(): void;
}

/** Proxies and clients end connections on which nothing comes. */
const HEARTBEAT_MS = 15_000;

export function openSse(request: Request, response: Response, stopping: AbortSignal): SseStream {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const closed = AbortSignal.any([gone.signal, stopping]);
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  response.write(": connected\n\n");
  request.socket.setNoDelay(true);
  const heartbeat = setInterval(() => response.write(": still here\n\n"), HEARTBEAT_MS);
  const end = () => {
    clearInterval(heartbeat);
    response.end();
  };
  closed.addEventListener("abort", end, { once: true });
  if (closed.aborted) end();
  return {
    closed,
    end,
    waitingBytes: () => response.writableLength,
    send({ data, id, event }) {
      if (closed.aborted) return;
      const head = `${event === undefined ? "" : `event: ${event}\n`}${id === undefined ? "" : `id: ${id}\n`}`;
      response.write(`${head}data: ${data}\n\n`);
    },
    async drained() {
      // Rejects when the client goes meanwhile, which `closed` tells as well.
      if (response.writableNeedDrain) await once(response, "drain", { signal: closed }).catch(() => undefined);
    },
  };
}
