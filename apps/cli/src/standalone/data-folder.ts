/** The data folder: one installation at a time, and a fresh one on demand. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@updraft/service-kit";

/** Fetched programs are no data: they stay. */
const KEPT_BY_RESET = new Set(["servers", "compile-cache"]);
const LOCK = "standalone.pid";

/** Takes the folder for this process; throws while another one has it. */
export function takeDataFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, LOCK);
  const holder = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (holder > 0 && holder !== process.pid && isStandalone(holder)) {
    throw new ConfigError([
      `Updraft runs already with the data in ${folder} (pid ${holder}). Stop it, or set UPDRAFT__CORE__DATA_FOLDER to another folder.`,
    ]);
  }
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

/** Deletes what an installation wrote. The caller has taken the folder. */
export function resetDataFolder(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name !== LOCK && !KEPT_BY_RESET.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** A pid may have been given to somebody else; where Linux tells, only our own command counts. */
function isStandalone(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    const state = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/\) Z /.test(state) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("standalone");
  } catch {
    return process.platform !== "linux";
  }
}
