/**
 * Finds and kills every process that descends from a task process, also one that left its group and session or whose
 * parent is gone: all of them inherit a mark in their environment.
 *
 * Linux shows the environment of a user's own processes in /proc. Elsewhere only the process group can be killed.
 */
import { readdir, readFile } from "node:fs/promises";

/** The variable that carries the mark `<worker>.<number of the task process>`. */
export const MARKER_VARIABLE = "UPDRAFT_TASK_PROCESS";

/** A process may start another while the list is read, so it is read again until it is empty, at most so often. */
const SWEEPS = 5;

/** Kills every process marked `marker` but this one. */
export async function killMarked(marker: string): Promise<void> {
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const found = await findMarked(marker);
    if (found.length === 0) return;
    for (const pid of found) kill(pid);
  }
}

async function findMarked(marker: string): Promise<number[]> {
  const pids = (await readdir("/proc").catch(() => [])).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
  const marked = await Promise.all(pids.map(async (pid) => ((await hasMark(pid, marker)) ? [pid] : [])));
  return marked.flat();
}

async function hasMark(pid: number, marker: string): Promise<boolean> {
  // Another user's process, or one that ended meanwhile.
  const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  return environment.split("\0").includes(`${MARKER_VARIABLE}=${marker}`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Ended meanwhile.
  }
}
