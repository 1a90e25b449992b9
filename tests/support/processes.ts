/** Processes of this machine, read from /proc (Linux). */
import { readdirSync, readFileSync } from "node:fs";

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  readonly command: string;
}

/** All descendants of `pid`, itself left out. */
export function descendants(pid: number): Process[] {
  const all = processes();
  const found: Process[] = [];
  const wanted = new Set([pid]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const one of all) {
      if (wanted.has(one.parent) && !wanted.has(one.pid)) {
        wanted.add(one.pid);
        found.push(one);
        grew = true;
      }
    }
  }
  return found;
}

/** Whether a process is there and not merely a zombie waiting to be reaped. */
export function isAlive(pid: number): boolean {
  const one = read(pid);
  return one !== null && one.state !== "Z";
}

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => read(Number(name)))
    .filter((one) => one !== null);
}

function read(pid: number): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state = "", parent = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return { pid, parent: Number(parent), state, command };
  } catch {
    return null;
  }
}
