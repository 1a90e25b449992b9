/** The triggerer's calls to the Task Execution API. Null where no usable answer came; worth repeating. */
import {
  type ClaimedTrigger,
  type ClaimedWatcher,
  claimTriggersResponse,
  type TriggerEvent,
  type TriggererReport,
  triggerEventsResponse,
  triggererReportResponse,
} from "@updraft/contract";
import { createExecutionHttp } from "@updraft/execution-client";

export interface TriggererClient {
  /** Waits on the server where there is none; throws where it can't be reached. */
  claim(
    capacity: number,
    waitSeconds: number,
    signal: AbortSignal,
  ): Promise<readonly (ClaimedTrigger | ClaimedWatcher)[]>;
  report(
    report: TriggererReport,
  ): Promise<{ readonly held: readonly number[]; readonly tokens: readonly (string | null)[] }>;
  /** The ids of triggers that ended by it, of watchers whose event is stored or whose failure is noted. */
  sendEvents(events: readonly TriggerEvent[]): Promise<readonly number[]>;
  artefact(hash: string, token: string): Promise<string>;
  close(): void;
}

const CALL_TIMEOUT_MS = 10_000;

export function createTriggererClient(baseUrl: string, name: string, token: string): TriggererClient {
  const http = createExecutionHttp(baseUrl);
  const own = `triggerers/${encodeURIComponent(name)}`;

  async function call(method: "POST" | "PUT", path: string, body: unknown, timeoutMs: number, signal?: AbortSignal) {
    const answer = await http.call({
      method,
      path,
      token,
      body,
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    if (answer.status >= 300)
      throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.text.slice(0, 500)}`);
    return JSON.parse(answer.text) as unknown;
  }

  return {
    async claim(capacity, wait_seconds, signal) {
      const timeoutMs = CALL_TIMEOUT_MS + wait_seconds * 1000;
      const answer = await call("POST", `${own}/claim`, { capacity, wait_seconds }, timeoutMs, signal);
      const { triggers, watchers } = claimTriggersResponse.parse(answer);
      return [...triggers, ...watchers];
    },
    report: async (report) => triggererReportResponse.parse(await call("PUT", own, report, CALL_TIMEOUT_MS)),
    sendEvents: async (events) =>
      triggerEventsResponse.parse(await call("POST", `${own}/events`, { events }, CALL_TIMEOUT_MS)).accepted,
    async artefact(hash, tryToken) {
      const path = `artefacts/${encodeURIComponent(hash)}`;
      const answer = await http.call({ method: "GET", path, token: tryToken, timeoutMs: CALL_TIMEOUT_MS });
      if (answer.status === 200) return answer.text;
      throw new Error(`The DAG's artefact ${hash} could not be fetched: ${answer.status} ${answer.text.slice(0, 500)}`);
    },
    close: () => http.close(),
  };
}
