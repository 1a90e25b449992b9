/**
 * A server as a child process that never outlives its parent: on Linux the kernel ends it, elsewhere a watchdog does.
 * Its output goes to a log file; the last of it is kept for error messages.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { noteRunning } from "./data-folder.ts";
import { serverEnvironment } from "./environment.ts";
import { ServerError } from "./server-error.ts";

export type DeathSignal = "KILL" | "QUIT";

/** A user of the machine, by numbers. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Put before everything else: a change of identity would undo what ties the child to its parent. */
  readonly wrapper?: readonly string[];
  /** Who it runs as, if not as we do. */
  readonly owner?: Owner | undefined;
  readonly logFile: string;
  readonly stopSignal: NodeJS.Signals;
  /** What it gets when this process dies; KILL unless given. */
  readonly deathSignal?: DeathSignal;
  /** How long a polite stop may take. */
  readonly killAfterMs?: number;
  /** Done before `exited` resolves. */
  readonly afterExit?: ((exit: Exit) => Promise<void>) | undefined;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  lastWords(): string;
  /** Asks it to end, and ends it after a while. May be called twice. */
  stop(): Promise<void>;
}

const KILL_AFTER_MS = 8000;
const KEPT_CHARACTERS = 4000;
const WATCHDOG = fileURLToPath(new URL("./watchdog.ts", import.meta.url));

export function startServerProcess(options: ServerCommand): ServerProcess {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const [command, ...args] = [
    ...(options.wrapper ?? []),
    ...deathSignalPrefix(options.deathSignal),
    options.command,
    ...options.args,
  ];
  const child = spawn(command ?? options.command, args, {
    cwd: options.cwd,
    env: serverEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: Ctrl-C in the terminal reaches the parent alone, which stops everything in order.
    detached: true,
    ...options.owner,
  });
  const words = keepWords(child, options.logFile);
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: -1, signal: null }));
  }).then(async (exit) => {
    await options.afterExit?.(exit);
    return exit;
  });
  const pid = child.pid;
  if (pid === undefined) {
    throw new ServerError(
      `${options.name} can't start: ${options.command} could not be run`,
      "Check that the file is there and may be executed; without `.updraft/servers` it is fetched anew.",
    );
  }
  noteRunning(options.cwd, pid);
  if (deathSignalPrefix().length === 0) watch(pid, options.deathSignal ?? "KILL");
  return { pid, exited, lastWords: words, stop: () => stop(child, exited, options) };
}

function keepWords(child: ChildProcess, logFile: string): () => string {
  let kept = "";
  const log = createWriteStream(logFile, { flags: "a", mode: 0o600 });
  // A full disk must not end the parent; the server itself says what is wrong.
  log.on("error", () => undefined);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (data: Buffer) => {
      kept = (kept + data.toString()).slice(-KEPT_CHARACTERS);
      log.write(data);
    });
  }
  child.once("close", () => log.end());
  return () => kept.trim();
}

async function stop(
  child: ChildProcess,
  exited: Promise<Exit>,
  { stopSignal, killAfterMs = KILL_AFTER_MS }: ServerCommand,
): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill(stopSignal);
  const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  await exited;
  clearTimeout(timer);
}

let kernelTells: boolean | undefined;

/**
 * `setpriv` of util-linux lets the kernel end the child with its parent. The shell closes the gap of a parent that died
 * before the kernel was asked: it goes no further under another parent. Empty where there is no such thing.
 */
export function deathSignalPrefix(signal: DeathSignal = "KILL"): readonly string[] {
  kernelTells ??= process.platform === "linux" && spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
  const unlessOrphaned = ["/bin/sh", "-c", `[ "$PPID" = ${process.pid} ] && exec "$0" "$@"`];
  return kernelTells ? ["setpriv", "--pdeathsig", signal, "--", ...unlessOrphaned] : [];
}

/** A process that outlives its parent only as long as it takes to end the server; its stdin ends with the parent. */
function watch(pid: number, signal: DeathSignal): void {
  const watchdog = spawn(process.execPath, [WATCHDOG, String(pid), `SIG${signal}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watchdog.unref();
}
