/**
 * The supervisor's calls to the Task Execution API. Transport errors and 5xx answers become `unreachable`; what an
 * answer means for the try is decided by the caller.
 */
import {
  type RunRequest,
  type RunResponse,
  runResponse,
  type StateRequest,
  type WorkerReport,
} from "@updraft/contract";
import { createExecutionHttp, type ExecutionAnswer, type ExecutionCall } from "@updraft/execution-client";

/** A call that got no usable answer; worth repeating. */
export interface Unreachable {
  readonly kind: "unreachable";
  readonly reason: string;
}

export type ClaimAnswer =
  | { readonly kind: "claimed"; readonly token: string; readonly run: RunResponse }
  /** Another worker has it, a user cleared it, or the token is too old. */
  | { readonly kind: "refused"; readonly reason: string }
  | Unreachable;

export type HeartbeatAnswer =
  | { readonly kind: "alive"; readonly token: string | null }
  | { readonly kind: "gone"; readonly reason: string }
  | Unreachable;

export type StateAnswer =
  | { readonly kind: "accepted" }
  /** The try is no longer ours to end. */
  | { readonly kind: "gone"; readonly reason: string }
  /** The body itself is not acceptable, however often it is sent. */
  | { readonly kind: "invalid"; readonly reason: string }
  | Unreachable;

export interface ExecutionClient {
  claim(tiId: string, token: string, request: RunRequest): Promise<ClaimAnswer>;
  heartbeat(tiId: string, token: string, pid: number, timeoutMs: number): Promise<HeartbeatAnswer>;
  finish(tiId: string, token: string, request: StateRequest): Promise<StateAnswer>;
  /** The text of an artefact; throws when it can't be had. */
  artefact(hash: string, token: string): Promise<string>;
  reportWorker(name: string, token: string, report: WorkerReport): Promise<Unreachable | null>;
  close(): void;
}

const CALL_TIMEOUT_MS = 30_000;
/** Answers to a heartbeat that say the try is not, or can't be shown to be, this worker's. */
const NOT_OURS: ReadonlySet<number> = new Set([401, 403, 404, 409, 410]);
const REFRESHED_TOKEN = "refreshed-api-token";

export function createExecutionClient(baseUrl: string, instanceName: string): ExecutionClient {
  const http = createExecutionHttp(baseUrl);

  async function send(
    call: Omit<ExecutionCall, "timeoutMs"> & { timeoutMs?: number },
  ): Promise<ExecutionAnswer | Unreachable> {
    try {
      const answer = await http.call({ timeoutMs: CALL_TIMEOUT_MS, ...call });
      return isTemporary(answer.status) ? unreachable(`answer ${answer.status} ${reasonOf(answer)}`) : answer;
    } catch (error) {
      return unreachable(error instanceof Error ? error.message : String(error));
    }
  }

  return {
    async claim(tiId, token, body) {
      const answer = await send({ method: "PATCH", path: `task-instances/${tiId}/run`, token, body });
      if ("kind" in answer) return answer;
      if (answer.status !== 200) return { kind: "refused", reason: `${answer.status} ${reasonOf(answer)}` };
      const refreshed = answer.headers[REFRESHED_TOKEN];
      if (typeof refreshed !== "string") return { kind: "refused", reason: "the answer holds no execution token" };
      return { kind: "claimed", token: refreshed, run: runResponse.parse(JSON.parse(answer.text)) };
    },

    async heartbeat(tiId, token, pid, timeoutMs) {
      const body = { hostname: instanceName, pid };
      const answer = await send({ method: "PUT", path: `task-instances/${tiId}/heartbeat`, token, body, timeoutMs });
      if ("kind" in answer) return answer;
      const reason = `${answer.status} ${reasonOf(answer)}`;
      if (NOT_OURS.has(answer.status)) return { kind: "gone", reason };
      if (answer.status >= 300) return unreachable(reason);
      const refreshed = answer.headers[REFRESHED_TOKEN];
      return { kind: "alive", token: typeof refreshed === "string" ? refreshed : null };
    },

    async finish(tiId, token, body) {
      const answer = await send({ method: "PATCH", path: `task-instances/${tiId}/state`, token, body });
      if ("kind" in answer) return answer;
      if (answer.status < 300) return { kind: "accepted" };
      const reason = `${answer.status} ${reasonOf(answer)}`;
      return { kind: [400, 413, 422].includes(answer.status) ? "invalid" : "gone", reason };
    },

    async artefact(hash, token) {
      const answer = await send({ method: "GET", path: `artefacts/${encodeURIComponent(hash)}`, token });
      if ("kind" in answer) throw new Error(`The DAG's artefact ${hash} could not be fetched: ${answer.reason}`);
      if (answer.status !== 200) {
        throw new Error(`The DAG's artefact ${hash} could not be fetched: ${answer.status} ${reasonOf(answer)}`);
      }
      return answer.text;
    },

    async reportWorker(name, token, body) {
      const answer = await send({ method: "PUT", path: `workers/${encodeURIComponent(name)}`, token, body });
      if ("kind" in answer) return answer;
      return answer.status < 300 ? null : unreachable(`${answer.status} ${reasonOf(answer)}`);
    },

    close: () => http.close(),
  };
}

function isTemporary(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}

function unreachable(reason: string): Unreachable {
  return { kind: "unreachable", reason };
}

/** The words of an error answer: Airflow's `detail` may be a text or an object with `reason` and `message`. */
function reasonOf({ text }: ExecutionAnswer): string {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
