/** Runs pip or Maven and tells how far it is: both say the size of each file they have fetched. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { processEnvironment } from "@updraft/service-kit";
import { DISK_FULL, ServerError } from "./server-error.ts";
import { deathSignalPrefix } from "./server-process.ts";

export interface FetchCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What to do when the command itself isn't there. */
  readonly missing: string;
  readonly onProgress?: ((text: string) => void) | undefined;
}

const PROGRESS_MS = 2000;
const KEPT_LINES = 12;
/** What a shell answers for a program that isn't there. */
const NOT_FOUND = 127;
const SIZE = /(?:Downloaded from \S+ \S+|Downloading \S+) \(([\d.,]+) (k|M)?B/;

export async function runFetch({ command, args, cwd, environment, missing, onProgress }: FetchCommand): Promise<void> {
  const [program = command, ...rest] = [...deathSignalPrefix(), command, ...args];
  const child = spawn(program, rest, {
    cwd,
    env: { ...processEnvironment(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("close", resolve).once("error", reject);
  });
  const lines: string[] = [];
  let megabytes = 0;
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      megabytes += megabytesIn(line);
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
    });
  }
  const progress = setInterval(() => {
    if (megabytes > 0) onProgress?.(`${megabytes.toFixed(0)} MB so far`);
  }, PROGRESS_MS);
  try {
    const code = await ended;
    if (code === NOT_FOUND) throw new ServerError(`${command} is not installed`, missing);
    if (code !== 0) throw failed(`${command} ${args.slice(0, 2).join(" ")}`, code, lines.join("\n"), missing);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new ServerError(`${command} is not installed`, missing);
  } finally {
    clearInterval(progress);
  }
}

/** Megabytes named by a line of pip or Maven; 0 for other lines. */
function megabytesIn(line: string): number {
  const [, amount, unit] = SIZE.exec(line) ?? [];
  if (amount === undefined) return 0;
  const factor = { k: 1e-3, M: 1 }[unit ?? ""] ?? 1e-6;
  return Number(amount.replace(",", "")) * factor;
}

function failed(what: string, code: number | null, log: string, missing: string): ServerError {
  if (/No module named pip/.test(log)) return new ServerError("pip is not installed", missing);
  const full = /No space left|ENOSPC|Disk quota/i.test(log);
  const wayOut = full ? DISK_FULL : "Check the network and start again; what was fetched is kept.";
  return new ServerError(`\`${what}\` failed with exit code ${code}`, wayOut, { log });
}
