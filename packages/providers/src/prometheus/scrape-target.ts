/**
 * One scrape of one target over HTTP, as Prometheus does it: the same headers, the same rules for time and size.
 *
 * A target that is away is a fact and no error: the result says what happened, and `up` becomes 0. Connections are not
 * kept: a target is asked every few seconds, and a task's process has to be free of handles when its try ends.
 */
import { readFile } from "node:fs/promises";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Authorization, ScrapeProtocol, ScrapeTarget, Secret } from "./scrape-config.ts";

export interface Scrape {
  readonly target: ScrapeTarget;
  readonly startMs: number;
  readonly durationSeconds: number;
  /** null: no answer. */
  readonly status: number | null;
  readonly contentType: string;
  /** The answer as it came; empty for a failed scrape. */
  readonly body: Uint8Array;
  /** null: the target answered. Never holds a URL with credentials. */
  readonly error: string | null;
}

/** The most that is taken of one answer, whatever the configuration says. */
export const maxBodyBytes = 10 * 1024 * 1024;

const maxRedirects = 5;
const agents = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) };
const mediaTypes: Readonly<Record<ScrapeProtocol, string>> = {
  "OpenMetricsText1.0.0": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
  "OpenMetricsText0.0.1": "application/openmetrics-text;version=0.0.1",
  "PrometheusText1.0.0": "text/plain;version=1.0.0;escaping=allow-utf-8",
  "PrometheusText0.0.4": "text/plain;version=0.0.4",
};

/** Never rejects for what a target does; only `signal`, the end of the whole task, rejects. */
export async function scrapeTarget(target: ScrapeTarget, signal: AbortSignal): Promise<Scrape> {
  const startMs = Date.now();
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const timeout = AbortSignal.timeout(target.timeoutMs);
  try {
    const headers = await headersOf(target);
    const answer = await follow(target, headers, AbortSignal.any([signal, timeout]));
    return { target, startMs, durationSeconds: seconds(), ...answer };
  } catch (error) {
    signal.throwIfAborted();
    const reason = timeout.aborted ? `no complete answer within ${target.timeoutMs} ms` : describe(error);
    return {
      target,
      startMs,
      durationSeconds: seconds(),
      status: null,
      contentType: "",
      body: new Uint8Array(),
      error: reason,
    };
  }
}

type Answer = Pick<Scrape, "status" | "contentType" | "body" | "error">;

async function follow(target: ScrapeTarget, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
  let url = new URL(target.url);
  let sent = headers;
  for (let hop = 0; ; hop++) {
    const response = await get(url, sent, signal);
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    const redirects = target.followRedirects && status >= 300 && status < 400 && location !== undefined;
    if (!redirects) return await readAnswer(target, response, status);
    response.destroy();
    if (hop === maxRedirects) throw new Error(`more than ${maxRedirects} redirects`);
    const next = new URL(location, url);
    if (next.protocol !== "http:" && next.protocol !== "https:") throw new Error(`redirected to ${next.protocol}`);
    // Credentials are for the host they were given for.
    if (next.host !== url.host) sent = withoutCredentials(sent);
    url = next;
  }
}

async function get(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<IncomingMessage> {
  const secure = url.protocol === "https:";
  return new Promise((resolve, reject) => {
    const options = { headers, signal, agent: secure ? agents.https : agents.http };
    const request = (secure ? httpsRequest : httpRequest)(url, options, resolve);
    request.once("error", reject);
    request.end();
  });
}

async function readAnswer(target: ScrapeTarget, response: IncomingMessage, status: number): Promise<Answer> {
  const contentType = response.headers["content-type"] ?? "";
  if (status !== 200) {
    response.destroy();
    return { status, contentType, body: new Uint8Array(), error: `server returned HTTP status ${status}` };
  }
  const limit = target.bodySizeLimit === 0 ? maxBodyBytes : Math.min(target.bodySizeLimit, maxBodyBytes);
  return { status, contentType, body: await readBody(response, limit), error: null };
}

/** The bytes as the target meant them, at most `limit` of them: a small compressed answer may be a large one. */
async function readBody(response: IncomingMessage, limit: number): Promise<Uint8Array> {
  const compressed = response.headers["content-encoding"] === "gzip";
  const stream: Readable = compressed ? response.pipe(createGunzip()) : response;
  // A pipe doesn't hand errors on, and the reader would wait for ever.
  if (compressed) response.once("error", (error) => stream.destroy(error));
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > limit) throw new Error(`the answer is larger than ${limit} bytes`);
      chunks.push(chunk);
    }
  } finally {
    response.destroy();
  }
  return Buffer.concat(chunks, size);
}

async function headersOf(target: ScrapeTarget): Promise<Record<string, string>> {
  const authorization = target.authorization === null ? null : await authorizationOf(target.authorization);
  return {
    accept: acceptOf(target.protocols),
    "accept-encoding": target.compression ? "gzip" : "identity",
    "user-agent": "Updraft",
    "x-prometheus-scrape-timeout-seconds": String(target.timeoutMs / 1000),
    ...(authorization === null ? {} : { authorization }),
  };
}

function acceptOf(protocols: readonly ScrapeProtocol[]): string {
  const wanted = protocols.map((protocol, at) => `${mediaTypes[protocol]};q=0.${protocols.length + 1 - at}`);
  return [...wanted, "*/*;q=0.1"].join(",");
}

async function authorizationOf(authorization: Authorization): Promise<string> {
  if (authorization.kind === "token") return `${authorization.type} ${await reveal(authorization.credentials)}`;
  const login = `${authorization.username}:${await reveal(authorization.password)}`;
  return `Basic ${Buffer.from(login).toString("base64")}`;
}

async function reveal(secret: Secret): Promise<string> {
  return secret.kind === "text" ? secret.text : (await readFile(secret.path, "utf8")).trim();
}

function withoutCredentials({ authorization: _, ...headers }: Record<string, string>): Record<string, string> {
  return headers;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? error.errors.map(describe).join("; ") : "";
  return inner === "" ? error.message : inner;
}
