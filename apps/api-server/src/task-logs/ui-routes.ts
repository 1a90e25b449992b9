/** Logs for the UI's viewer: windows of lines, live lines, the whole as a file. */
import { type LogLinesResponse, queryInteger, queryText, queryTexts } from "@updraft/contract";
import type { TaskLogKey } from "@updraft/service-kit";
import type { Request } from "express";
import type { ApiContext } from "../context.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { openSse } from "../http/sse.ts";
import { parsePath, queryReader } from "../http/validate.ts";
import { followLog } from "./follow.ts";
import type { LogView, LogViews } from "./log-view.ts";
import { plainLineOf } from "./read-lines.ts";
import { sendLines } from "./send-lines.ts";
import { tryStateOf } from "./try-state.ts";

const DEFAULT_LINES = 500;
const MOST_LINES = 5000;

const readKeyQuery = queryReader({ map_index: queryInteger(-1).default(-1) });
const readLinesQuery = queryReader({
  /** Below zero it counts from the end. */
  from: queryInteger().default(0),
  limit: queryInteger(0).default(DEFAULT_LINES),
  q: queryText,
  levels: queryTexts,
});
const readFollowQuery = queryReader({ from: queryInteger(0).default(0) });

export function uiLogRoutes({ store, events, logs, stopping }: ApiContext, views: LogViews): RouteTable {
  const path = "/logs/:dag_id/:dag_run_id/:task_id/:try_number";
  return {
    [`${path}/lines`]: {
      async get(request): Promise<LogLinesResponse> {
        const query = readLinesQuery(request);
        const key = logKeyOf(request);
        const { hostname, isOver } = await tryStateOf(store, key);
        const view = await views.open(key, hostname, isOver);
        if (view === null) return { total_lines: 0, lines: [], complete: isOver };
        try {
          return await answerOf(view, query, isOver);
        } finally {
          await view.close();
        }
      },
    },
    [`${path}/follow`]: {
      async get(request, response) {
        const key = logKeyOf(request);
        const from = Number(request.headers["last-event-id"] ?? readFollowQuery(request).from) || 0;
        const stateOf = () => tryStateOf(store, key);
        await stateOf();
        const stream = openSse(request, response, stopping);
        await followLog({ key, from, views, localPath: logs.localPath(key), stateOf, events, stream });
      },
    },
    [`${path}/download`]: {
      async get(request, response) {
        const key = logKeyOf(request);
        const { hostname, isOver } = await tryStateOf(store, key);
        const view = await views.open(key, hostname, isOver);
        response.attachment(
          `${[key.dag_id, key.run_id, key.task_id, key.try_number].join("_").replace(/[^\w.+-]/g, "_")}.log`,
        );
        response.type("text/plain; charset=utf-8");
        await sendLines(response, view, 0, (text) => `${plainLineOf(text)}\n`);
        response.end();
      },
    },
  };
}

function logKeyOf(request: Request): TaskLogKey {
  return {
    dag_id: pathPart(request, "dag_id"),
    run_id: pathPart(request, "dag_run_id"),
    task_id: pathPart(request, "task_id"),
    map_index: readKeyQuery(request).map_index,
    try_number: parsePath(queryInteger(0), "try_number", pathPart(request, "try_number")),
  };
}

async function answerOf(
  view: LogView,
  { from, limit, q, levels }: ReturnType<typeof readLinesQuery>,
  isOver: boolean,
): Promise<LogLinesResponse> {
  const total_lines = view.totalLines;
  const first = from < 0 ? Math.max(0, total_lines + from) : from;
  const lines = await view.window(first, Math.min(limit, MOST_LINES), levels);
  const complete = isOver && first + lines.length >= total_lines;
  const isSearch = (q ?? "") !== "" || levels.length > 0;
  const matches = isSearch ? await view.search({ text: q ?? "", levels }) : undefined;
  return { total_lines, lines, complete, ...(matches === undefined ? {} : { matches }) };
}
