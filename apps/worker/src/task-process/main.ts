/**
 * A task process: boots, then runs one try at a time as its supervisor says, and cleans up after each.
 *
 * It has no way to the database or the queue; see `protocol.ts` for what is said and `spawn-task-process.ts` for what
 * its environment holds.
 */
import { flushCompileCache } from "node:module";
import { createExecutionHttp, type ExecutionHttp, SecretMasker } from "@updraft/execution-client";
import { installSdkResolver } from "@updraft/sdk/host";
import type { Assignment, FromTaskProcess, ToTaskProcess } from "../protocol.ts";
import { captureProcessState } from "./process-state.ts";
import { createRetirement } from "./retirement.ts";
import { type RunningTry, startTry } from "./run-try.ts";

type RunMessage = Extract<ToTaskProcess, { kind: "run" }>;

const connections = new Map<string, ExecutionHttp>();
/** Of the process, not of a try: what the author keeps at the top of a file outlives the try that fetched it. */
const masker = new SecretMasker();
let current: RunningTry | undefined;
let leaseTimer: NodeJS.Timeout | undefined;

installSdkResolver();
const send = process.send?.bind(process);
// Libraries that see a channel may speak on it; this one belongs to the supervisor.
delete process.send;
process.on("message", (message) => receive(message as ToTaskProcess));
process.on("disconnect", dieWithGroup);
process.on("uncaughtException", onUncaught);
process.on("unhandledRejection", onUncaught);
// Node opens these two when they are first looked at; they are not what a try left behind.
void [process.stdout, process.stderr];
const retirement = createRetirement();
tell({ kind: "booted" });
// Node writes its cache when a process exits, but these are killed: without it each would compile everything anew.
setImmediate(flushCompileCache);

function receive(message: ToTaskProcess): void {
  switch (message.kind) {
    case "run":
      void run(message);
      break;
    case "abort":
      current?.abort(message.reason);
      break;
    case "token":
      current?.renewToken(message.token);
      break;
    case "lease":
      keepLease(message.until);
      break;
  }
}

async function run({ assignment, limits, lease_until }: RunMessage): Promise<void> {
  keepLease(lease_until);
  const restore = captureProcessState();
  // biome-ignore lint/style/noProcessEnv: not configuration; the task's own variables, gone after the try
  Object.assign(process.env, assignment.environment);
  current = startTry(assignment, {
    http: connectionTo(assignment),
    masker,
    onSecret,
    onLoaded: () => retirement.noteLoaded(),
  });
  const { outcome, handlerStartedAt, broken, endLog } = await current.result;
  current = undefined;
  clearTimeout(leaseTimer);
  tell({ kind: "outcome", outcome, handler_started_at: handlerStartedAt });
  endLog();
  const unrestorable = attempt(restore);
  tell({ kind: "ready", retire: broken ?? unrestorable ?? (await retirement.check(limits)) });
}

/** A supervisor that hangs can't kill the try when its lease ends, so the process does it itself. */
function keepLease(until: number): void {
  clearTimeout(leaseTimer);
  leaseTimer = setTimeout(dieWithGroup, Math.max(0, until - Date.now()));
  leaseTimer.unref();
}

function onSecret(value: string): void {
  if (masker.add(value)) tell({ kind: "secret", value });
}

/** Between tries it is code of a finished one that failed: the process is of no use any more. */
function onUncaught(error: unknown): void {
  if (current === undefined) dieWithGroup();
  else current.crash(error);
}

function connectionTo({ execution_api_url }: Assignment): ExecutionHttp {
  const known = connections.get(execution_api_url);
  if (known !== undefined) return known;
  const http = createExecutionHttp(execution_api_url);
  connections.set(execution_api_url, http);
  return http;
}

function tell(message: FromTaskProcess): void {
  // The channel closes when the supervisor is gone; `disconnect` says so.
  send?.(message, undefined, undefined, () => undefined);
}

function attempt(action: () => void): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return `it could not be restored: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function dieWithGroup(): void {
  process.kill(-process.pid, "SIGKILL");
}
