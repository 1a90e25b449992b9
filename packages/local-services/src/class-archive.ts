/**
 * Java can keep the classes a server loaded and map them at the next start, which halves the start. The first server
 * that is stopped in order leaves such an archive beside its jars, at the cost of a few seconds of that one stop.
 */
import { existsSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Java } from "./java.ts";
import type { StartOptions } from "./running-server.ts";
import type { Exit } from "./server-process.ts";

const STOPPED_BY_SIGTERM = 143;
const STOP_WITHIN_MS = 8000;
const STOP_AND_KEEP_WITHIN_MS = 45_000;

export interface ClassArchive {
  readonly flags: readonly string[];
  readonly stopWithinMs: number;
  readonly afterExit?: (exit: Exit) => Promise<void>;
}

/** Uses the archive; makes it where there is none, except for tests, which should stop at once. */
export async function classArchive(jarFolder: string, java: Java, mode: StartOptions["mode"]): Promise<ClassArchive> {
  const file = join(jarFolder, `classes-${java.build}.jsa`);
  if (existsSync(file)) return { flags: [`-XX:SharedArchiveFile=${file}`], stopWithinMs: STOP_WITHIN_MS };
  if (mode === "fast") return { flags: [], stopWithinMs: STOP_WITHIN_MS };
  await removeLeft(jarFolder);
  const partial = `${file}.partial-${process.pid}`;
  return {
    flags: [`-XX:ArchiveClassesAtExit=${partial}`],
    stopWithinMs: STOP_AND_KEEP_WITHIN_MS,
    afterExit: async ({ code }) => {
      if (code === STOPPED_BY_SIGTERM) await rename(partial, file).catch(() => undefined);
      else await rm(partial, { force: true });
    },
  };
}

/** Archives of processes that are gone. */
async function removeLeft(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    const pid = /\.jsa\.partial-(\d+)$/.exec(entry)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, entry), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
