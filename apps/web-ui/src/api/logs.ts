/** Logs of tries: windows, search, live lines, the whole as text. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { LogLine, LogLinesResponse } from "@updraft/contract";
import type { LogPorts } from "../log-viewer/log-source.ts";
import { type InstanceKey, keys } from "./keys.ts";
import { pathOf, request, requestText, withQuery } from "./request.ts";

export interface TryKey extends InstanceKey {
  readonly tryNumber: number;
}

export interface LogQuestion {
  readonly text: string;
  readonly levels: readonly string[];
}

export function logPorts(key: TryKey): LogPorts {
  return {
    readWindow: (from, limit, levels) =>
      request<LogLinesResponse>(`${logPath(key)}/lines`, { query: { ...mapQuery(key), from, limit, levels } }),
    follow: (from, onLines, onEnd) => {
      const source = new EventSource(withQuery(`${logPath(key)}/follow`, { ...mapQuery(key), from }));
      source.onmessage = (message) => onLines(JSON.parse(String(message.data)) as readonly LogLine[]);
      source.addEventListener("end", () => {
        source.close();
        onEnd();
      });
      return () => source.close();
    },
  };
}

/** Numbers of the lines that fit; asked again as the log grows. */
export function useLogMatches(key: TryKey, question: LogQuestion, totalLines: number) {
  const isAsked = question.text !== "" || question.levels.length > 0;
  return useQuery({
    queryKey: [...keys.taskPart(key, "log-matches"), key.tryNumber, question, totalLines],
    queryFn: async ({ signal }) => {
      const query = { ...mapQuery(key), limit: 0, q: question.text, levels: question.levels };
      const answer = await request<LogLinesResponse>(`${logPath(key)}/lines`, { signal, query });
      return answer.matches ?? null;
    },
    enabled: isAsked,
    placeholderData: (before, beforeQuery) =>
      isSameQuestion(beforeQuery?.queryKey, question) ? keepPreviousData(before) : undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });
}

export function downloadPath(key: TryKey): string {
  return withQuery(`${logPath(key)}/download`, mapQuery(key));
}

export function fetchWholeLog(key: TryKey): Promise<string> {
  return requestText(downloadPath(key));
}

/** Matches of the log as it was are better than none; those of another question are not. */
function isSameQuestion(queryKey: readonly unknown[] | undefined, question: LogQuestion): boolean {
  return JSON.stringify(queryKey?.at(-2)) === JSON.stringify(question);
}

function logPath(key: TryKey): string {
  return `/ui/logs${pathOf(key.dagId, key.runId, key.taskId, key.tryNumber)}`;
}

function mapQuery(key: TryKey) {
  return { map_index: key.mapIndex };
}
