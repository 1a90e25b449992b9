/** Memory and processor of a process and all that descends from it, from /proc. */
import { readdirSync, readFileSync } from "node:fs";

export interface TreeUse {
  readonly processes: number;
  readonly pssMb: number;
  readonly cpuSeconds: number;
}

/** Linux counts in hundredths of a second. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly parent: number;
  /** Own and of children that ended. */
  readonly ticks: number;
}

export function treeUse(root: number): TreeUse {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const stat = readStat(name);
    if (stat !== null) stats.set(Number(name), stat);
  }
  const tree = [root];
  for (const pid of tree) for (const [child, { parent }] of stats) if (parent === pid) tree.push(child);
  return {
    processes: tree.length,
    pssMb: sum(tree.map(pssOf)) / 1024,
    cpuSeconds: sum(tree.map((pid) => stats.get(pid)?.ticks ?? 0)) / TICKS_PER_SECOND,
  };
}

/** Null where the process has ended meanwhile. */
function readStat(pid: string): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(fields[1]), ticks: sum([11, 12, 13, 14].map((index) => Number(fields[index]))) };
  } catch {
    return null;
  }
}

/** Kibibytes. */
function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
