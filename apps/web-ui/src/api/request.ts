/** One place that calls the server: JSON in, JSON out, failures as `ApiFailure`. The session travels in a cookie. */
import { failureOf, unreachable } from "./failure.ts";

type QueryValue = string | number | boolean | readonly (string | number)[] | null | undefined;
export type QueryValues = Readonly<Record<string, QueryValue>>;

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly query?: QueryValues;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export async function request<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await send(path, options);
  // The contract's schemas are the server's own: its tests hold what it sends against them.
  return response.status === 204 ? (null as Answer) : ((await response.json()) as Answer);
}

export async function requestText(path: string, options: RequestOptions = {}): Promise<string> {
  const response = await send(path, options);
  return response.text();
}

/** Calls `onLine` with each line of an NDJSON answer as it comes in. */
export async function requestLines<Line>(
  path: string,
  options: RequestOptions,
  onLine: (line: Line) => void,
): Promise<void> {
  const response = await send(path, options);
  if (response.body === null) return;
  let rest = "";
  const takeLines = (text: string): void => {
    const pieces = (rest + text).split("\n");
    rest = pieces.pop() ?? "";
    for (const piece of pieces) if (piece.trim() !== "") onLine(JSON.parse(piece) as Line);
  };
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) takeLines(chunk.value);
  takeLines("\n");
}

/** Joins segments to a path; each is encoded, so that run ids with `+` and `:` arrive as they are. */
export function pathOf(...segments: readonly (string | number)[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join("");
}

export function withQuery(path: string, query: QueryValues = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}

async function send(path: string, options: RequestOptions): Promise<Response> {
  const method = options.method ?? "GET";
  const attempted = `${method} ${path}`;
  const response = await fetch(withQuery(path, options.query), {
    method,
    headers: { accept: "application/json", ...(options.body === undefined ? {} : JSON_BODY) },
    credentials: "same-origin",
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable(attempted);
  });
  if (response.ok) return response;
  throw failureOf(response.status, attempted, await response.json().catch(() => null));
}

const JSON_BODY = { "content-type": "application/json" } as const;
