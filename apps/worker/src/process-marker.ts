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

/** Process ids are given out in turn; no machine starts more processes in a millisecond. */
const MOST_IDS_PER_MS = 5;

/** Tells which ids a process and its descendants can have. */
interface Youth {
  readonly pid: number;
  readonly ageMs: number;
}

/** Kills every process marked `marker` but this one. */
export async function killMarked(marker: string, youth: Youth): Promise<void> {
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const found = await findMarked(marker, await rangeOf(youth));
    if (found.length === 0) return;
    for (const pid of found) kill(pid);
  }
}

type Range = (pid: number) => boolean;

/** Looking into every process of a busy machine takes longer than starting one. */
async function rangeOf({ pid: first, ageMs }: Youth): Promise<Range> {
  const [ids, last] = await Promise.all([numberIn("/proc/sys/kernel/pid_max"), numberIn("/proc/loadavg")]);
  // Older than half a round, its descendants may have any id. What could not be read is not a number.
  if (!(ageMs * MOST_IDS_PER_MS < ids / 2 && last > 0)) return () => true;
  return last >= first ? (pid) => pid >= first && pid <= last : (pid) => pid >= first || pid <= last;
}

/** The last number of a file; of `loadavg` it is the newest process id. */
async function numberIn(path: string): Promise<number> {
  return Number((await readFile(path, "utf8").catch(() => "")).trim().split(" ").at(-1));
}

async function findMarked(marker: string, isInRange: Range): Promise<number[]> {
  const pids = (await readdir("/proc").catch(() => []))
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid && isInRange(pid));
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
