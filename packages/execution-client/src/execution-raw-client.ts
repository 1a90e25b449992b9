/**
 * The SDK's way to the metadata: `RawClient` over the Task Execution API, with a token that is good for one try.
 *
 * `revoke` ends it: calls on their way are cut and later ones refused, so that nothing a try left behind acts for it.
 */
import type { JsonValue } from "@updraft/dag-core";
import type {
  AssetEventLocator,
  AssetEventRange,
  AssetLocator,
  RawAssetEvent,
  RawClient,
  Retention,
  XComListLocator,
  XComLocator,
} from "@updraft/sdk/host";
import type { ExecutionAnswer, ExecutionCall, ExecutionHttp } from "./execution-http.ts";
import { isSensitiveName, secretsOfExtra } from "./secret-masker.ts";

export interface RawClientOptions {
  readonly http: ExecutionHttp;
  readonly tiId: string;
  readonly token: string;
  /** Hears of secrets before the task does. */
  readonly onSecret: (value: string) => void;
}

export interface RevocableClient {
  readonly client: RawClient;
  /** Takes the place of the token, which is about to expire. */
  renew(token: string): void;
  revoke(): void;
}

/** So many values of a mapped task are read by one call. */
const SLICE = 1000;
const CALL_TIMEOUT_MS = 30_000;
/** Pauses between repeated calls while the API can't be reached; together longer than it takes to restart it. */
const RETRY_AFTER_MS = [100, 300, 1000, 2000, 4000, 8000];

/** Loaded when it is first needed: most tasks ask for nothing, and the schemas take longer to load than all the rest. */
const contract = () => import("@updraft/contract");

/** The API answered something that the caller can't go on with. */
class ExecutionApiError extends Error {
  override readonly name = "ExecutionApiError";
}

type Call = Pick<ExecutionCall, "method" | "path"> & { readonly body?: unknown; readonly accept?: readonly number[] };

export function createRawClient({ http, tiId, token: firstToken, onSecret }: RawClientOptions): RevocableClient {
  let token = firstToken;
  const over = new AbortController();

  async function call({ accept = [], ...request }: Call): Promise<ExecutionAnswer> {
    for (let attempt = 0; ; attempt += 1) {
      const last = attempt >= RETRY_AFTER_MS.length;
      try {
        const answer = await http.call({ ...request, token, timeoutMs: CALL_TIMEOUT_MS, signal: over.signal });
        if (answer.status < 300 || accept.includes(answer.status)) return answer;
        if (answer.status < 500 || last) throw refusal(request, answer);
      } catch (error) {
        if (error instanceof ExecutionApiError || over.signal.aborted || last) throw error;
      }
      await pause(RETRY_AFTER_MS[attempt] ?? 0, over.signal);
    }
  }

  /** Null where the API answers 404. */
  async function read(path: string): Promise<unknown> {
    const answer = await call({ method: "GET", path, accept: [404] });
    return answer.status === 404 ? null : JSON.parse(answer.text);
  }

  const client: RawClient = {
    async getVariable(key) {
      const found = await read(`variables/${encodeURIComponent(key)}`);
      const value = found === null ? null : (await contract()).variableResponse.parse(found).value;
      if (value !== null && isSensitiveName(key)) onSecret(value);
      return value;
    },
    async setVariable(key, val, description) {
      if (isSensitiveName(key)) onSecret(val);
      const path = `variables/${encodeURIComponent(key)}`;
      await call({ method: "PUT", path, body: { val, description: description ?? null } });
    },
    async deleteVariable(key) {
      await call({ method: "DELETE", path: `variables/${encodeURIComponent(key)}`, accept: [404] });
    },
    async getXCom({ includePriorDates, ...locator }) {
      const found = await read(`${xcomPath(locator)}${includePriorDates ? "&include_prior_dates=true" : ""}`);
      if (found === null) return { found: false, value: null };
      const { xcomResponse } = await contract();
      return { found: true, value: xcomResponse.parse(found).value as JsonValue };
    },
    async getXComs({ dagId, runId, taskId, key, includePriorDates }) {
      const path = `${xcomListPath({ dagId, runId, taskId, key })}/slice`;
      const values: JsonValue[] = [];
      for (;;) {
        const page = `start=${values.length}&stop=${values.length + SLICE}${includePriorDates ? "&include_prior_dates=true" : ""}`;
        const { text } = await call({ method: "GET", path: `${path}?${page}` });
        const more = JSON.parse(text) as JsonValue[];
        for (const value of more) values.push(value);
        if (more.length < SLICE) return values;
      }
    },
    async sliceXComs(locator, { start, stop }) {
      const ends = Object.entries({ start, stop }).flatMap(([name, at]) => (at === undefined ? [] : `${name}=${at}`));
      const path = `${xcomListPath(locator)}/slice?${ends.join("&")}`;
      return JSON.parse((await call({ method: "GET", path })).text) as JsonValue[];
    },
    async countXComs(locator) {
      const path = xcomListPath(locator);
      const told = String((await call({ method: "HEAD", path })).headers["content-range"]);
      const count = /^map_indexes (\d+)$/.exec(told)?.[1];
      if (count === undefined) throw new ExecutionApiError(`HEAD ${path} was answered with content-range: ${told}`);
      return Number(count);
    },
    async setXCom(locator, body) {
      await call({ method: "POST", path: xcomPath(locator), body });
    },
    async getConnection(connectionId) {
      const found = await read(`connections/${encodeURIComponent(connectionId)}`);
      if (found === null) return null;
      const { connectionResponse } = await contract();
      const connection = connectionResponse.parse(found);
      for (const secret of [connection.password, ...secretsOfExtra(connection.extra)]) {
        if (secret !== null) onSecret(secret);
      }
      return connection;
    },
    async getTaskState(key) {
      const found = await read(`store/ti/${tiId}/${encodeURIComponent(key)}`);
      // What was stored is JSON; the wrapper is the API's.
      return found === null ? null : ((found as { readonly value: JsonValue }).value ?? null);
    },
    async setTaskState(key, value, retention) {
      const path = `store/ti/${tiId}/${encodeURIComponent(key)}`;
      await call({ method: "PUT", path, body: { value, ...expiry(retention) } });
    },
    async deleteTaskState(key) {
      await call({ method: "DELETE", path: `store/ti/${tiId}/${encodeURIComponent(key)}`, accept: [404] });
    },
    async clearTaskState() {
      await call({ method: "DELETE", path: `store/ti/${tiId}`, accept: [404] });
    },
    async getAssetEvents(of, range) {
      const { text } = await call({ method: "GET", path: assetEventsPath(of, range) });
      return (JSON.parse(text) as { readonly asset_events: readonly RawAssetEvent[] }).asset_events;
    },
    async getAssetState(asset, key) {
      const found = await read(`${assetStatePath(asset, "value")}&key=${encodeURIComponent(key)}`);
      return found === null ? null : ((found as { readonly value: JsonValue }).value ?? null);
    },
    async setAssetState(asset, key, value) {
      const path = `${assetStatePath(asset, "value")}&key=${encodeURIComponent(key)}`;
      await call({ method: "PUT", path, body: { value } });
    },
    async deleteAssetState(asset, key) {
      const path = `${assetStatePath(asset, "value")}&key=${encodeURIComponent(key)}`;
      await call({ method: "DELETE", path, accept: [404] });
    },
    async clearAssetState(asset) {
      await call({ method: "DELETE", path: assetStatePath(asset, "clear"), accept: [404] });
    },
    async skipDownstream(taskIds) {
      await call({ method: "PATCH", path: `task-instances/${tiId}/skip-downstream`, body: { tasks: taskIds } });
    },
    async askPeople(question) {
      await call({ method: "POST", path: `hitlDetails/${tiId}`, body: { ti_id: tiId, ...question } });
    },
    async triggerDagRun({ dagId, runId, conf, logicalDate, runAfter, note, resetDagRun }) {
      const path = `dag-runs/${encodeURIComponent(dagId)}/${encodeURIComponent(runId)}`;
      const body = { logical_date: logicalDate, run_after: runAfter, conf, note, reset_dag_run: resetDagRun };
      const answer = await call({ method: "POST", path, body, accept: [409] });
      return answer.status === 409 ? "already_exists" : "created";
    },
    async getDagRunState(dagId, runId) {
      const path = `dag-runs/${encodeURIComponent(dagId)}/${encodeURIComponent(runId)}/state`;
      const { text } = await call({ method: "GET", path });
      return (JSON.parse(text) as { readonly state: string }).state;
    },
    async getDag(dagId) {
      const { text } = await call({ method: "GET", path: `dags/${encodeURIComponent(dagId)}` });
      return { is_paused: (JSON.parse(text) as { readonly is_paused: boolean }).is_paused };
    },
    maskSecret: onSecret,
  };

  return {
    client,
    renew: (renewed) => {
      token = renewed;
    },
    revoke: () => over.abort(),
  };
}

function xcomPath({ mapIndex, ...locator }: XComLocator): string {
  return `${xcomListPath(locator)}?map_index=${mapIndex}`;
}

function xcomListPath({ dagId, runId, taskId, key }: XComListLocator): string {
  return `xcoms/${[dagId, runId, taskId, key].map(encodeURIComponent).join("/")}`;
}

function assetEventsPath(of: AssetEventLocator, { after, before, ascending, limit }: AssetEventRange): string {
  const query = new URLSearchParams({ ascending: String(ascending) });
  if ("alias" in of) query.set("name", of.alias);
  else for (const [key, value] of Object.entries(of)) query.set(key, value);
  if (after !== null) query.set("after", after);
  if (before !== null) query.set("before", before);
  if (limit !== null) query.set("limit", String(limit));
  return `asset-events/${"alias" in of ? "by-asset-alias" : "by-asset"}?${query}`;
}

function assetStatePath(asset: AssetLocator, what: "value" | "clear"): string {
  return "uri" in asset
    ? `store/asset/by-uri/${what}?uri=${encodeURIComponent(asset.uri)}`
    : `store/asset/by-name/${what}?name=${encodeURIComponent(asset.name)}`;
}

/** Airflow's rule: null keeps a state for ever, nothing at all takes the installation's default. */
function expiry(retention: Retention): { readonly expires_at?: string | null } {
  if (retention === null) return {};
  return { expires_at: retention === "never_expire" ? null : new Date(Date.now() + retention * 1000).toISOString() };
}

function refusal({ method, path }: Call, { status, text }: ExecutionAnswer): ExecutionApiError {
  return new ExecutionApiError(`${method} ${path.split("?")[0]} was answered ${status}: ${messageOf(text)}`);
}

/** The words in an error of the API, or the start of whatever came. */
function messageOf(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { readonly detail?: unknown };
    if (typeof detail === "string") return detail;
    const { message } = detail as { readonly message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // Not the API's own words, as from a proxy in between.
  }
  return text.slice(0, 500);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
