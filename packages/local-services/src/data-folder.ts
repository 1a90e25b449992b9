/**
 * A data folder belongs to one running server. Who runs on it is noted in `server.pid`; a note counts only while that
 * process lives and works in the folder, so neither a killed server nor a number given to another program is in the
 * way. Redis and Cassandra would otherwise let two servers write the same files.
 */
import { execFile } from "node:child_process";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { ServerError } from "./server-error.ts";

const NOTE = "server.pid";
/** A killed predecessor may still be shutting down. */
const PATIENCE_MS = 10_000;

/** Makes the folder and waits until nobody runs on it; `ownNote` is one that the server itself writes. */
export async function claimFolder(server: string, dataFolder: string, ownNote?: string): Promise<string> {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const folder = realpathSync(dataFolder);
  for (const note of [NOTE, ...(ownNote === undefined ? [] : [ownNote])]) {
    await waitForPredecessor(server, folder, join(folder, note));
  }
  return folder;
}

/** Says that this process runs on the folder from now on. */
export function noteRunning(folder: string, pid: number): void {
  writeFileSync(join(folder, NOTE), `${pid}\n`);
}

async function waitForPredecessor(server: string, folder: string, note: string): Promise<void> {
  const pid = Number.parseInt(await readFile(note, "utf8").catch(() => ""), 10);
  if (!(pid > 0)) return;
  const until = performance.now() + PATIENCE_MS;
  while (await worksIn(pid, folder)) {
    if (performance.now() > until) {
      throw new ServerError(
        `${server} can't start: process ${pid} already runs on the data in ${folder}`,
        "Is Updraft running in another terminal? Stop that one first.",
      );
    }
    await delay(100);
  }
}

async function worksIn(pid: number, folder: string): Promise<boolean> {
  const onLinux = process.platform === "linux";
  const at = onLinux ? await readlink(`/proc/${pid}/cwd`).catch(() => "") : await workingFolder(pid);
  return at === folder || at.startsWith(`${folder}/`);
}

async function workingFolder(pid: number): Promise<string> {
  const found = await promisify(execFile)("lsof", ["-a", "-p", `${pid}`, "-d", "cwd", "-Fn"]).catch(() => undefined);
  return /^n(.*)$/m.exec(found?.stdout ?? "")?.[1] ?? "";
}
