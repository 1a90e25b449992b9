/** Logs that only their worker has, read from its log server in parts with a token that is good for one file. */
import { ApiError } from "@updraft/contract";
import { type Clock, signLogToken, type TaskLogKey, taskLogPath } from "@updraft/service-kit";
import type { LogFile } from "./log-reader.ts";

export interface WorkerLogOptions {
  readonly serverUrl: string;
  readonly secret: string;
  readonly clock: Clock;
}

const TOKEN_LIFE_MS = 60_000;
const CALL_TIMEOUT_MS = 10_000;

/** Null where the worker has no such file. */
export async function openWorkerLog(options: WorkerLogOptions, key: TaskLogKey): Promise<LogFile | null> {
  const path = taskLogPath(key);
  const head = await call(options, path, "HEAD");
  if (head.status === 404) return null;
  if (!head.ok) throw unreadable(options.serverUrl, `it answered ${head.status}`);
  return {
    identity: options.serverUrl,
    size: Number(head.headers.get("x-log-size") ?? head.headers.get("content-length") ?? 0),
    async read(position, length) {
      const answer = await call(options, path, "GET", `bytes=${position}-${position + length - 1}`);
      if (answer.status === 416) return Buffer.alloc(0);
      if (answer.status !== 206) throw unreadable(options.serverUrl, `it answered ${answer.status} to a range`);
      return Buffer.from(await answer.arrayBuffer());
    },
    close: async () => undefined,
  };
}

async function call(
  options: WorkerLogOptions,
  path: string,
  method: "GET" | "HEAD",
  range?: string,
): Promise<Response> {
  const { serverUrl, secret, clock } = options;
  const token = signLogToken(secret, path, clock.now() + TOKEN_LIFE_MS);
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const headers = { authorization: `Bearer ${token}`, ...(range === undefined ? {} : { range }) };
  const url = `${serverUrl.replace(/\/$/, "")}/log/${encoded}`;
  try {
    return await fetch(url, { method, headers, signal: AbortSignal.timeout(CALL_TIMEOUT_MS), redirect: "error" });
  } catch (error) {
    throw unreadable(serverUrl, error instanceof Error ? error.message : String(error));
  }
}

function unreadable(serverUrl: string, problem: string): ApiError {
  const message = `The log could not be read from the worker's log server ${serverUrl}: ${problem}. Check that the worker runs and that UPDRAFT__LOGGING__LOG_SERVER_SECRET is the same there and here.`;
  return new ApiError("unavailable", { message });
}
