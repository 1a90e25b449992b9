/**
 * One try inside a task process: loads the artefact, runs the handler with a way to the metadata and a log of its own,
 * and takes both away afterwards.
 */
import { pathToFileURL } from "node:url";
import type { JsonValue, TryBinding } from "@updraft/dag-core";
import { createRawClient, type ExecutionHttp, type SecretMasker } from "@updraft/execution-client";
import { authorTrace, type Bundle, type LogRecord, loadBundle, runHandler, type TaskOutcome } from "@updraft/sdk/host";
import type { Assignment } from "../protocol.ts";
import { TaskLog } from "../task-log.ts";

export interface RunningTry {
  readonly result: Promise<TryResult>;
  abort(reason: string): void;
  renewToken(token: string): void;
  /** Ends the try for an error that no caller caught. */
  crash(error: unknown): void;
}

export interface TryResult {
  readonly outcome: TaskOutcome;
  /** Null if the handler was never called. */
  readonly handlerStartedAt: number | null;
  /** The try broke its process: it must not be used again. */
  readonly broken: string | null;
  /** Writes what may be written after the outcome was told. */
  readonly endLog: () => void;
}

export interface TryDependencies {
  readonly http: ExecutionHttp;
  readonly masker: SecretMasker;
  readonly onSecret: (value: string) => void;
  /** The top of the author's file has run, once in the life of a process. */
  readonly onLoaded: () => void;
}

const LOGGER = "updraft.task";
const bundles = new Map<string, Bundle>();

export function startTry(assignment: Assignment, dependencies: TryDependencies): RunningTry {
  const { http, masker, onSecret, onLoaded } = dependencies;
  const aborting = new AbortController();
  const { promise: crashed, resolve: crash } = Promise.withResolvers<unknown>();
  const access = createRawClient({ http, tiId: assignment.ti_id, token: assignment.token, onSecret });
  const log = openLog(assignment, masker);
  let handlerStartedAt: number | null = null;
  let loaded = false;

  async function callHandler(): Promise<TaskOutcome> {
    assertAssetsActive(assignment.inactive_assets);
    const bundle = await load(assignment.artefact_path, onLoaded);
    loaded = true;
    // The API's answers are JSON; their form was checked when the try was claimed.
    const bindings = assignment.arg_bindings as readonly TryBinding[];
    const inputs = assignment.xcom_inputs as Readonly<Record<string, JsonValue>>;
    const { context } = assignment;
    const xcoms = { ...inputs, ...(await readLists(assignment)) };
    handlerStartedAt = Date.now();
    return runHandler({
      bundle,
      dagId: context.dag_id,
      taskId: context.task_id,
      inputs: { bindings, xcoms },
      context,
      client: access.client,
      log: (record) => log.write(record),
      signal: aborting.signal,
    });
  }

  /** The values of mapped upstream tasks that were too many for the answer to the claim. */
  async function readLists({ context, xcom_lists }: Assignment): Promise<Record<string, JsonValue>> {
    const lists: Record<string, JsonValue> = {};
    for (const taskId of Object.keys(xcom_lists)) {
      const locator = { dagId: context.dag_id, runId: context.run_id, taskId, key: "return_value" };
      lists[taskId] = await access.client.getXComs({ ...locator, includePriorDates: false });
    }
    return lists;
  }

  async function run(): Promise<TryResult> {
    log.writeSoon(line("info", `Try ${assignment.context.try_number} started in process ${process.pid}`));
    const ended = await Promise.race([
      callHandler().then(
        (outcome) => ({ outcome, broken: null }),
        (error: unknown) => ({ ...failure(error), broken: loaded ? null : "its artefact could not be loaded" }),
      ),
      crashed.then((error) => ({ ...failure(error), broken: "an error was caught by nothing" })),
    ]);
    const outcome = masked(ended.outcome, masker);
    access.revoke();
    const endLog = () => {
      log.write(recordOf(outcome));
      log.close();
    };
    // Why a task failed is in its log before anybody learns that it did; that it succeeded may come a moment later.
    if (outcome.kind !== "success") endLog();
    return { outcome, handlerStartedAt, broken: ended.broken, endLog };
  }

  return {
    result: run(),
    abort: (reason) => aborting.abort(new Error(reason)),
    renewToken: (token) => access.renew(token),
    crash,
  };
}

/** Airflow's rule: events of an asset that nobody can find would be lost without a word. */
function assertAssetsActive(inactive: Assignment["inactive_assets"]): void {
  if (inactive.length === 0) return;
  const named = inactive.map(({ name, uri }) => `"${name}" (${uri})`).join(", ");
  throw new InactiveAssetError(
    `The task has inactive assets in its inlets or outlets: ${named}. Another asset has the same name or uri, or the DAG is gone.`,
  );
}

class InactiveAssetError extends Error {
  override readonly name = "InactiveAssetError";
}

function openLog({ log_path, max_log_bytes }: Assignment, masker: SecretMasker): TaskLog {
  return new TaskLog({
    path: log_path,
    masker,
    maxBytes: max_log_bytes,
    // The supervisor hears it as output of the process.
    onError: (error) => process.stderr.write(`The task's log ${log_path} can't be written: ${error.message}\n`),
  });
}

/** A process belongs to one artefact; loading it runs the top of the author's file once. */
async function load(path: string, onLoaded: () => void): Promise<Bundle> {
  const known = bundles.get(path);
  if (known !== undefined) return known;
  const bundle = await loadBundle(pathToFileURL(path).href);
  bundles.set(path, bundle);
  onLoaded();
  return bundle;
}

/** For what fails before the handler: the file can't be loaded, or an input is missing. */
function failure(error: unknown): { readonly outcome: TaskOutcome } {
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  return { outcome: { kind: "failed", error: { name, message, stack: authorTrace(error) }, retry: true } };
}

function masked(outcome: TaskOutcome, masker: SecretMasker): TaskOutcome {
  switch (outcome.kind) {
    case "success":
    case "deferred":
    case "awaiting_input":
    case "up_for_reschedule":
      return outcome;
    case "failed": {
      const { name, message, stack } = outcome.error;
      return { ...outcome, error: { name, message: masker.mask(message), stack: masker.mask(stack) } };
    }
    default:
      return { ...outcome, reason: masker.mask(outcome.reason) };
  }
}

function recordOf(outcome: TaskOutcome): LogRecord {
  if (outcome.kind === "success") return line("info", "Task succeeded");
  if (outcome.kind === "deferred") return line("info", `Task is deferred to trigger ${outcome.classpath}`);
  if (outcome.kind === "awaiting_input") return line("info", "Task waits for a person's answer");
  if (outcome.kind === "up_for_reschedule") return line("info", `Task looks again at ${outcome.date}`);
  if (outcome.kind !== "failed") return line("info", `Task ended as ${outcome.kind}: ${outcome.reason}`);
  const { name, stack } = outcome.error;
  return { ...line("error", `Task failed with exception\n${stack}`), exc_type: name };
}

function line(level: LogRecord["level"], event: string): LogRecord {
  return { timestamp: new Date().toISOString(), level, event, logger: LOGGER };
}
