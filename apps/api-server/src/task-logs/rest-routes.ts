/** Logs by REST v2: structured messages as JSON or NDJSON, or plain text. A token continues where an answer ended. */
import { ApiError, queryBoolean, queryInteger, queryText } from "@updraft/contract";
import { signJwt, verifyJwt } from "@updraft/service-kit";
import type { Request, Response } from "express";
import type { ApiContext } from "../context.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parsePath, queryReader } from "../http/validate.ts";
import type { LogView, LogViews } from "./log-view.ts";
import { messageOf, plainLineOf } from "./read-lines.ts";
import { sendLines } from "./send-lines.ts";
import { type TryState, tryStateOf } from "./try-state.ts";

const FORMS = ["application/json", "application/x-ndjson", "text/plain"] as const;
const TOKEN_AUDIENCE = "task-log-continuation";
const TOKEN_LIFE_SECONDS = 86_400;
/** Lines of one answer; the token gets the rest. */
const MOST_LINES = 100_000;

const readQuery = queryReader({
  map_index: queryInteger(-1).default(-1),
  full_content: queryBoolean.default(false),
  token: queryText,
});

export function restLogRoutes({ store, config, clock }: ApiContext, views: LogViews): RouteTable {
  const now = () => Math.floor(clock.now() / 1000);
  const tokenFor = (line: number) =>
    signJwt(config.jwtSecret, { aud: TOKEN_AUDIENCE, exp: now() + TOKEN_LIFE_SECONDS, line });

  function lineOf(token: string | undefined): number {
    if (token === undefined) return 0;
    const verdict = verifyJwt(config.jwtSecret, token, TOKEN_AUDIENCE, clock.now());
    if (verdict.kind !== "valid") throw new ApiError("bad_log_token");
    return Number(verdict.claims.line);
  }

  async function get(request: Request, response: Response) {
    const { map_index, full_content, token } = readQuery(request);
    const from = lineOf(token);
    const form = request.accepts(...FORMS);
    if (form === false) throw new ApiError("not_acceptable");
    const key = {
      dag_id: pathPart(request, "dag_id"),
      run_id: pathPart(request, "dag_run_id"),
      task_id: pathPart(request, "task_id"),
      map_index,
      try_number: parsePath(queryInteger(0), "try_number", pathPart(request, "try_number")),
    };
    const state = await tryStateOf(store, key);
    const view = await views.open(key, state.hostname, state.isOver);
    response.type(form);
    if (form === "application/json") await sendJson(response, view, from, state, full_content);
    else await sendLines(response, view, from, form === "text/plain" ? (text) => `${plainLineOf(text)}\n` : ndjsonOf);
    response.end();
  }

  async function sendJson(response: Response, view: LogView | null, from: number, state: TryState, whole: boolean) {
    const total = view?.totalLines ?? 0;
    response.write('{"content":[');
    if (view === null && state.isOver) response.write(JSON.stringify(missingLog(state)));
    const most = whole ? Number.POSITIVE_INFINITY : MOST_LINES;
    const write = (text: string, index: number) => `${index === 0 ? "" : ","}${JSON.stringify(messageOf(text))}`;
    const next = Math.min(from, total) + (await sendLines(response, view, from, write, most));
    const isDone = state.isOver && next >= total;
    response.write(`],"continuation_token":${isDone ? "null" : JSON.stringify(tokenFor(next))}}`);
  }

  return { "/dags/:dag_id/dagRuns/:dag_run_id/taskInstances/:task_id/logs/:try_number": { get } };
}

function ndjsonOf(text: string): string {
  return `${JSON.stringify(messageOf(text))}\n`;
}

/** Says why there is nothing, as otherwise an empty log looks like a silent task. */
function missingLog({ hostname }: TryState) {
  const event =
    hostname === null
      ? "This try has no log: it ended before a worker started it."
      : `The log of this try was not found in the logs folder or on its worker ${hostname}. It may have been cleaned up, or the worker is gone.`;
  return { event, level: "warning", logger: "updraft.api-server" };
}
