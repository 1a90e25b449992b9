/**
 * JSON over keep-alive HTTP to the Task Execution API, for the supervisor and for task processes.
 *
 * Built on node:http: on loopback a call takes half the time of global `fetch`.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

export interface ExecutionCall {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the Execution API's address, with encoded parts and without a leading slash. */
  readonly path: string;
  readonly token: string;
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface ExecutionAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface ExecutionHttp {
  /** Resolves with any answer; rejects when none came. */
  call(call: ExecutionCall): Promise<ExecutionAnswer>;
  close(): void;
}

/** Idle connections are closed before servers usually do, so that a call rarely meets one that is being closed. */
const IDLE_SOCKET_MS = 4000;

export function createExecutionHttp(baseUrl: string): ExecutionHttp {
  const base = new URL(baseUrl);
  const secure = base.protocol === "https:";
  const agentOptions = { keepAlive: true, timeout: IDLE_SOCKET_MS, scheduling: "lifo" } as const;
  const agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const send = secure ? httpsRequest : httpRequest;

  function attempt(call: ExecutionCall): Promise<ExecutionAnswer> {
    return new Promise((resolve, reject) => {
      const body = call.body === undefined ? undefined : JSON.stringify(call.body);
      const request = send({
        agent,
        protocol: base.protocol,
        hostname: base.hostname.replace(/^\[|\]$/g, ""),
        port: base.port,
        path: `${base.pathname}${call.path}`,
        method: call.method,
        headers: headersOf(call.token, body),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
      const timer = setTimeout(
        () => request.destroy(new Error(`no answer within ${call.timeoutMs} ms`)),
        call.timeoutMs,
      );
      const fail = (error: Error) => {
        clearTimeout(timer);
        reject(request.reusedSocket && isBrokenSocket(error) ? new StaleSocketError(error) : error);
      };
      request.on("error", fail);
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", fail);
        response.on("end", () => {
          clearTimeout(timer);
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      request.end(body);
    });
  }

  return {
    async call(call) {
      for (;;) {
        try {
          return await attempt(call);
        } catch (error) {
          // The server closed an idle connection while the call was on its way. Every call of the Execution API may
          // be repeated, and there are only so many idle connections.
          if (!(error instanceof StaleSocketError)) throw error;
        }
      }
    },
    close: () => agent.destroy(),
  };
}

class StaleSocketError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

function isBrokenSocket(error: Error): boolean {
  return "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

function headersOf(token: string, body: string | undefined): Record<string, string | number> {
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  if (body === undefined) return headers;
  return { ...headers, "content-type": "application/json", "content-length": Buffer.byteLength(body) };
}
