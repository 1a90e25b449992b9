/**
 * Starts a task process: from source, in a session of its own, dying with the worker, with an allow-listed environment.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "@updraft/service-kit";
import { MARKER_VARIABLE } from "./process-marker.ts";

export interface SpawnOptions {
  /** The worker's environment, of which little is handed on. */
  readonly environment: Environment;
  /** Names to hand on beside the usual ones. */
  readonly taskEnvironment: readonly string[];
  readonly dataFolder: string;
  readonly marker: string;
}

/**
 * What user code may see. Nothing that opens the database, Redis or the API, and no `AIRFLOW_VAR_` or
 * `AIRFLOW_CONN_`: api-server resolves those, so that access to them is checked and masked.
 */
const ALLOWED = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TMPDIR",
  "JAVA_HOME",
  "SPARK_HOME",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
];

const MAIN = fileURLToPath(new URL("./task-process/main.ts", import.meta.url));
const NODE_FLAGS = ["--enable-source-maps", "--disable-warning=ExperimentalWarning"];

export function spawnTaskProcess(options: SpawnOptions): ChildProcess {
  const [command, ...args] = [...deathSignalPrefix(), process.execPath, ...NODE_FLAGS, MAIN];
  return spawn(command ?? process.execPath, args, {
    // A session and group of its own: a signal to the group reaches what the task started as well.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: taskEnvironmentOf(options),
  });
}

/** The environment of a task process. */
export function taskEnvironmentOf({ environment, taskEnvironment, dataFolder, marker }: SpawnOptions) {
  const names = [...ALLOWED, ...Object.keys(environment).filter((name) => name.startsWith("LC_")), ...taskEnvironment];
  const allowed = names.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(allowed),
    NODE_COMPILE_CACHE: join(dataFolder, "compile-cache"),
    [MARKER_VARIABLE]: marker,
  };
}

let prefix: readonly string[] | undefined;

/** On Linux the kernel kills the process with the worker even while it spins; looked for once. */
function deathSignalPrefix(): readonly string[] {
  if (prefix === undefined) {
    const works = process.platform === "linux" && spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
    prefix = works ? ["setpriv", "--pdeathsig", "KILL", "--"] : [];
  }
  return prefix;
}
