/**
 * A trigger host: a process that runs the triggers of one artefact side by side. It has no way to the database; to the
 * metadata it has the Task Execution API with the token of each try that waits.
 */
import { pathToFileURL } from "node:url";
import { createExecutionHttp, createRawClient, SecretMasker } from "@updraft/execution-client";
import { authorTrace, installSdkResolver, loadBundle, runTrigger, type TriggerOutcome } from "@updraft/sdk/host";
import type { FromTriggerHost, ToTriggerHost, TriggerAssignment } from "../protocol.ts";

interface Running {
  readonly aborting: AbortController;
  readonly renew: (token: string) => void;
}

const running = new Map<number, Running>();
const masker = new SecretMasker();
let loaded: Promise<unknown> | undefined;
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

async function outcomeOf(
  { id, classpath, kwargs, context }: TriggerAssignment,
  client: Parameters<typeof runTrigger>[0]["client"],
  signal: AbortSignal,
): Promise<TriggerOutcome> {
  try {
    await loaded;
  } catch (error) {
    return {
      kind: "failure",
      traceback: ["The file of the task could not be loaded", ...authorTrace(error).split("\n")],
    };
  }
  return runTrigger({
    ...{ classpath, kwargs, context, client, signal },
    log: (record) => tell({ kind: "log", id, record: { ...record, event: masker.mask(record.event) } }),
  });
}

function tell(message: FromTriggerHost): void {
  // The channel closes when the triggerer is gone; `disconnect` says so.
  send?.(message, undefined, undefined, () => undefined);
}
