/** `bash`: a command as a task, as Airflow's BashOperator. */
import { spawn } from "node:child_process";
import { defineOperator, FailTask, getContext, getLogger, LineSplitter, type Operator, SkipTask } from "@updraft/sdk";

export interface BashOptions {
  /** Variables of the command; with `appendEnv` beside those of the worker, else in place of them. */
  readonly env?: Readonly<Record<string, string>>;
  readonly appendEnv?: boolean;
  readonly cwd?: string;
  /** The exit codes that skip the task; 99 unless given. */
  readonly skipOnExitCode?: number | readonly number[];
}

const SKIP = 99;
const KILL_AFTER_MS = 5000;
/** How the worker finds what a killed task process has started; a command carries it whatever its `env`. */
const PROCESS_MARK = "UPDRAFT_TASK_PROCESS";
/** Where a command finds its run; Airflow's names. */
const CONTEXT = "AIRFLOW_CTX_";

/**
 * Runs `command` in bash. Its output goes to the task's log line by line; the last line of stdout is the result. It ends
 * with the try: a cleared or timed out task stops the command and what it started.
 */
export function bash(command: string, options: BashOptions = {}): Operator<void, string> {
  if (typeof command !== "string" || command.trim() === "") throw new Error("bash needs a command to run");
  return defineOperator<void, string>({
    operatorName: "BashOperator",
    detail: command,
    execute: () => run(command, options),
  });
}

async function run(command: string, options: BashOptions): Promise<string> {
  const logger = getLogger("task.bash");
  const { signal } = getContext();
  signal.throwIfAborted();
  logger.info("Running command", { command });
  const child = spawn("bash", ["-c", command], {
    env: environmentOf(options),
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: what the command started ends with it.
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let killing: NodeJS.Timeout | undefined;
  const stop = () => {
    signalGroup(child.pid, "SIGTERM");
    killing = setTimeout(() => signalGroup(child.pid, "SIGKILL"), KILL_AFTER_MS);
  };
  signal.addEventListener("abort", stop, { once: true });
  let last = "";
  const out = new LineSplitter((line) => {
    last = line;
    logger.info(line);
  });
  const err = new LineSplitter((line) => logger.warning(line));
  child.stdout.on("data", (data: Buffer) => out.write(data));
  child.stderr.on("data", (data: Buffer) => err.write(data));
  try {
    const end = await ended(child);
    out.end();
    err.end();
    return resultOf(end, last, options);
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(killing);
  }
}

interface End {
  readonly code: number | null;
  readonly signal: string | null;
}

function ended(child: ReturnType<typeof spawn>): Promise<End> {
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const missing = error.code === "ENOENT";
      reject(
        missing ? new FailTask("bash could not be started: it is not on the PATH, or `cwd` does not exist") : error,
      );
    });
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

function resultOf({ code, signal }: End, last: string, { skipOnExitCode = SKIP }: BashOptions): string {
  const skips = typeof skipOnExitCode === "number" ? [skipOnExitCode] : skipOnExitCode;
  if (code !== null && skips.includes(code)) throw new SkipTask(`Bash command returned exit code ${code}. Skipping.`);
  if (signal !== null) throw new Error(`Bash command was ended by ${signal}.`);
  if (code !== 0) throw new Error(`Bash command failed. The command returned a non-zero exit code ${code}.`);
  return last;
}

function environmentOf({ env, appendEnv = false }: BashOptions): Record<string, string> {
  const { dagId, taskId, runId, tryNumber, logicalDate } = getContext();
  const context = {
    [`${CONTEXT}DAG_ID`]: dagId,
    [`${CONTEXT}TASK_ID`]: taskId,
    [`${CONTEXT}DAG_RUN_ID`]: runId,
    [`${CONTEXT}TRY_NUMBER`]: String(tryNumber),
    ...(logicalDate === null ? {} : { [`${CONTEXT}LOGICAL_DATE`]: logicalDate.toISOString() }),
  };
  const own = ownEnvironment();
  const mark = own[PROCESS_MARK];
  return {
    ...(env === undefined || appendEnv ? own : {}),
    ...(mark === undefined ? {} : { [PROCESS_MARK]: mark }),
    ...context,
    ...env,
  };
}

/** The task process's environment, which holds nothing secret. */
function ownEnvironment(): Record<string, string> {
  // biome-ignore lint/style/noProcessEnv: a command inherits the environment of its task, as in Airflow
  const entries = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}
