/**
 * Starts a process that runs users' code: from source, in a session of its own, dying with its parent, and with an
 * allow-listed environment. Used for the workers' task processes and the dag-processor's parse children.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "./settings-reader.ts";

export interface UserCodeProcessOptions {
  /** The module to run. */
  readonly main: URL;
  /** The parent's environment, of which little is handed on. */
  readonly environment: Environment;
  /** Names to hand on beside the usual ones. */
  readonly allowedNames?: readonly string[];
  /** Variables to set. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly dataFolder: string;
  readonly nodeFlags?: readonly string[];
}

/**
 * What user code may see. Nothing that opens the database, Redis or the API, and no `AIRFLOW_VAR_` or
 * `AIRFLOW_CONN_`: api-server resolves those, so that access to them is checked and masked.
 */
const ALLOWED = [
  "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE",
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

const NODE_FLAGS = ["--enable-source-maps", "--disable-warning=ExperimentalWarning"];

/** The child has an IPC channel; its stdout and stderr are pipes. */
export function spawnUserCodeProcess(options: UserCodeProcessOptions): ChildProcess {
  const flags = [...NODE_FLAGS, ...(options.nodeFlags ?? [])];
  const [command, ...args] = [...deathSignalPrefix(), process.execPath, ...flags, fileURLToPath(options.main)];
  return spawn(command ?? process.execPath, args, {
    // A session and group of its own: a signal to the group reaches what the user's code started as well.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: userCodeEnvironment(options),
  });
}

/** The environment of such a process. @internal */
function userCodeEnvironment(options: Omit<UserCodeProcessOptions, "main" | "nodeFlags">) {
  const { environment, allowedNames = [], variables = {}, dataFolder } = options;
  const names = [...ALLOWED, ...Object.keys(environment).filter((name) => name.startsWith("LC_")), ...allowedNames];
  const allowed = names.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(allowed), NODE_COMPILE_CACHE: join(dataFolder, "compile-cache"), ...variables };
}

let prefix: readonly string[] | undefined;

/** On Linux the kernel kills the process with its parent even while it spins; looked for once. */
function deathSignalPrefix(): readonly string[] {
  if (prefix === undefined) {
    const works = process.platform === "linux" && spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
    prefix = works ? ["setpriv", "--pdeathsig", "KILL", "--"] : [];
  }
  return prefix;
}
