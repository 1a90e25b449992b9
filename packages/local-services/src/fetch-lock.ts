/**
 * One process fetches, the others wait. The lock's owner touches it while it works; a lock whose owner is gone or
 * silent does not count.
 */
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 200;
const TOUCH_MS = 2000;
const SILENT_MS = 30_000;

/** Resolves when the lock is ours; the answer gives it back. `onWait` is called once if somebody else has it. */
export async function lockFetch(file: string, onWait: () => void): Promise<() => Promise<void>> {
  let waited = false;
  while (!(await tryLock(file))) {
    if (!waited) onWait();
    waited = true;
    await sleep(POLL_MS);
  }
  const touch = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), TOUCH_MS);
  return async () => {
    clearInterval(touch);
    await rm(file, { force: true });
  };
}

async function tryLock(file: string): Promise<boolean> {
  if (await create(file)) return true;
  if (!(await isDead(file))) return false;
  // Moved, not removed: of several who see the same dead lock one alone moves it.
  const dead = `${file}.dead-${process.pid}`;
  await rename(file, dead).then(
    () => rm(dead),
    () => undefined,
  );
  return create(file);
}

async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, `${process.pid}`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function isDead(file: string): Promise<boolean> {
  const [text, info] = await Promise.all([readFile(file, "utf8"), stat(file)]).catch(() => ["", undefined] as const);
  if (info === undefined) return false;
  if (Date.now() - info.mtimeMs > SILENT_MS) return true;
  return text !== "" && !isAlive(Number(text));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
