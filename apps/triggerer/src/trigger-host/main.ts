/**
 * A trigger host: a process that runs the triggers of one artefact side by side. It has no way to the database; to the
 * metadata it has the Task Execution API with the token of each try that waits.
 */
import { pathToFileURL } from "node:url";
import type { JsonValue } from "@updraft/dag-core";
import { createExecutionHttp, createRawClient, SecretMasker } from "@updraft/execution-client";
import {
  authorTrace,
  installSdkResolver,
  loadBundle,
  runTrigger,
  runWatcher,
  type TriggerOutcome,
} from "@updraft/sdk/host";
import type { FromTriggerHost, ToTriggerHost, TriggerAssignment, WatcherAssignment } from "../protocol.ts";

interface Running {
  readonly aborting: AbortController;
  readonly renew: (token: string) => void;
  /** The last event of a watcher is stored. */
  stored?: () => void;
}

const running = new Map<number, Running>();
const masker = new SecretMasker();
/** Watchers act for no task instance; the API knows them by their token. */
const NO_INSTANCE = "00000000-0000-0000-0000-000000000000";
let loaded: Promise<unknown> = Promise.resolve();
let http: ReturnType<typeof createExecutionHttp> | undefined;

installSdkResolver();
const send = process.send?.bind(process);
// Libraries that see a channel may speak on it; this one belongs to the triggerer.
delete process.send;
process.on("message", (message) => receive(message as ToTriggerHost));
process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));

function receive(message: ToTriggerHost): void {
  switch (message.kind) {
    case "load":
      http = createExecutionHttp(message.execution_api_url);
      loaded = loadBundle(pathToFileURL(message.artefact_path).href);
      loaded.catch(() => undefined);
      break;
    case "start":
      void run(message.trigger);
      break;
    case "watch":
      void watch(message.watcher);
      break;
    case "stored":
      running.get(message.id)?.stored?.();
      break;
    case "token":
      running.get(message.id)?.renew(message.token);
      break;
    case "cancel":
      running.get(message.id)?.aborting.abort(new Error("Nobody waits for the trigger any more"));
      break;
  }
}

async function run(trigger: TriggerAssignment): Promise<void> {
  const { id } = trigger;
  if (http === undefined) throw new Error("a trigger came before its artefact");
  const access = createRawClient({
    http,
    tiId: trigger.ti_id,
    token: trigger.token,
    onSecret: (value) => void masker.add(value),
  });
  const aborting = new AbortController();
  const entry = { aborting, renew: access.renew };
  running.set(id, entry);
  const outcome = await outcomeOf(trigger, access.client, aborting.signal);
  access.revoke();
  // It may have been cancelled and started again meanwhile.
  if (running.get(id) === entry) running.delete(id);
  if (!aborting.signal.aborted) tell({ kind: "ended", id, outcome });
}

async function watch({ id, classpath, kwargs, token }: WatcherAssignment): Promise<void> {
  if (http === undefined) throw new Error("a watcher came before its artefact");
  const access = createRawClient({ http, tiId: NO_INSTANCE, token, onSecret: (value) => void masker.add(value) });
  const aborting = new AbortController();
  const entry: Running = { aborting, renew: access.renew };
  running.set(id, entry);
  const tellEvent = (payload: JsonValue) =>
    new Promise<void>((resolve, reject) => {
      entry.stored = resolve;
      aborting.signal.addEventListener("abort", () => reject(aborting.signal.reason), { once: true });
      tell({ kind: "event", id, payload });
    });
  const traceback = await loaded.then(
    () =>
      runWatcher({
        ...{ classpath, kwargs, client: access.client, signal: aborting.signal, tell: tellEvent },
        log: (record) => tell({ kind: "log", id, record: { ...record, event: masker.mask(record.event) } }),
      }),
    traceOfLoad,
  );
  access.revoke();
  if (running.get(id) === entry) running.delete(id);
  if (traceback !== null && !aborting.signal.aborted)
    tell({ kind: "ended", id, outcome: { kind: "failure", traceback } });
}

async function outcomeOf(
  { id, classpath, kwargs, context }: TriggerAssignment,
  client: Parameters<typeof runTrigger>[0]["client"],
  signal: AbortSignal,
): Promise<TriggerOutcome> {
  try {
    await loaded;
  } catch (error) {
    return { kind: "failure", traceback: traceOfLoad(error) };
  }
  return runTrigger({
    ...{ classpath, kwargs, context, client, signal },
    log: (record) => tell({ kind: "log", id, record: { ...record, event: masker.mask(record.event) } }),
  });
}

function traceOfLoad(error: unknown): readonly string[] {
  return ["The file that has the trigger could not be loaded", ...authorTrace(error).split("\n")];
}

function tell(message: FromTriggerHost): void {
  // The channel closes when the triggerer is gone; `disconnect` says so.
  send?.(message, undefined, undefined, () => undefined);
}
