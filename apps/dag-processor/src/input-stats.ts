/** Whether the inputs of a bundle changed, by size and time. Files that share an input look at it once a sweep. */
import { stat } from "node:fs/promises";

/** What was seen of each input, by absolute path. */
export type InputStats = ReadonlyMap<string, string>;

const UNSEEN = "unseen";
/** File systems keep time in steps. */
const CLOCK_STEP_MS = 20;

/** Empty where the file is gone. */
type Look = (path: string) => Promise<string>;

/** Looks at each path once. */
export function createLook(): Look {
  const seen = new Map<string, Promise<string>>();
  return (path) => {
    const known = seen.get(path) ?? statOf(path).then(({ text }) => text);
    seen.set(path, known);
    return known;
  };
}

export async function isUnchanged(inputs: InputStats, look: Look): Promise<boolean> {
  for (const [path, known] of inputs) if ((await look(path)) !== known) return false;
  return true;
}

/**
 * Looks at inputs that were read between the instants `readSince` and `now`. What was written since then may have been read before or
 * after the change, so it is noted as unseen and looked at once more.
 */
export async function statInputs(paths: readonly string[], readSince: number, now: number): Promise<InputStats> {
  const stats = paths.map(async (path) => {
    const { text, mtimeMs } = await statOf(path);
    return [path, mtimeMs >= readSince - CLOCK_STEP_MS && mtimeMs <= now ? UNSEEN : text] as const;
  });
  return new Map(await Promise.all(stats));
}

async function statOf(path: string): Promise<{ readonly text: string; readonly mtimeMs: number }> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return { text: `${size}:${mtimeMs}:${ino}`, mtimeMs };
  } catch {
    return { text: "", mtimeMs: 0 };
  }
}
