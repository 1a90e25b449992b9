/**
 * Where fetched servers lie, and how they get there: fetched into a folder beside, checked file by file against pinned
 * SHA-256 sums, then renamed, so that a killed fetch leaves nothing half done.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { processEnvironment } from "@updraft/service-kit";
import { ServerError } from "./server-error.ts";

export interface FetchOptions {
  /** `.updraft/servers` below the working folder, or UPDRAFT_SERVERS_FOLDER, unless given. */
  readonly serversFolder?: string;
  /** Hears what is being done, for people. */
  readonly onProgress?: (text: string) => void;
}

export type Pins = Readonly<Record<string, string>>;

const PROGRESS_MS = 2000;
const LOCK_POLL_MS = 200;

function defaultFolder(): string {
  return resolve(processEnvironment().UPDRAFT_SERVERS_FOLDER ?? ".updraft/servers");
}

/** The folder of a server, fetched by `fetch` into a temporary one when it isn't there yet. */
export async function ensureFetched(
  name: string,
  { serversFolder = defaultFolder(), onProgress }: FetchOptions,
  fetch: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(serversFolder, name);
  if (existsSync(folder)) return folder;
  mkdirSync(serversFolder, { recursive: true });
  const unlock = await lock(join(serversFolder, `.${name}.lock`));
  const temporary = join(serversFolder, `.${name}.partial`);
  try {
    if (existsSync(folder)) return folder;
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary);
    onProgress?.(`fetching ${name}`);
    await fetch(temporary);
    renameSync(temporary, folder);
    onProgress?.(`fetched ${name} (${megabytes(sizeOf(folder))})`);
    return folder;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  } finally {
    unlock();
  }
}

/** Throws unless the folder holds exactly the pinned files with the pinned contents. */
export function verify(folder: string, pins: Pins): void {
  for (const [file, expected] of Object.entries(pins)) verifyFile(join(folder, file), expected);
  const extra = readdirSync(folder).filter((file) => pins[file] === undefined);
  if (extra.length > 0)
    throw new ServerError(`What was fetched holds files that are not pinned: ${extra.join(", ")}`, AGAIN);
}

const AGAIN = "Start again; if it stays so, the source of the files changed them, and they must not be run.";

export function verifyFile(path: string, expected: string): void {
  if (!existsSync(path)) throw new ServerError(`What was fetched lacks ${path}`, AGAIN);
  const found = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (found !== expected) throw new ServerError(`${path} has SHA-256 ${found}, not the pinned ${expected}`, AGAIN);
}

export interface FetchCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** What to do when the command itself isn't there. */
  readonly missing: string;
}

/** Runs a fetching command and tells every two seconds how much there is. */
export async function runFetch(
  { command, args, cwd, missing }: FetchCommand,
  { onProgress }: FetchOptions,
): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => (output = (output + data.toString()).slice(-3000)));
  }
  const progress = setInterval(() => onProgress?.(`${megabytes(sizeOf(cwd))} so far`), PROGRESS_MS);
  try {
    const code = await new Promise<number | null>((done, failed) => {
      child.once("close", done);
      child.once("error", failed);
    });
    if (code !== 0) {
      const full = /No space left|ENOSPC/i.test(output);
      const wayOut = full ? "The disk is full: free some space and start again." : "Check the network and start again.";
      throw new ServerError(`\`${command} ${args[0] ?? ""}\` failed with exit code ${code}`, wayOut, {
        log: output.trim(),
      });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new ServerError(`${command} is not installed`, missing);
    throw error;
  } finally {
    clearInterval(progress);
  }
}

/** One process fetches, the others wait; the lock of a process that is gone doesn't count. */
async function lock(file: string): Promise<() => void> {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (!isAlive(file)) rmSync(file, { force: true });
      else await delay(LOCK_POLL_MS);
    }
  }
}

function isAlive(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function sizeOf(folder: string): number {
  let size = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) size += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return size;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
