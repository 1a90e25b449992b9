/** Logs in a folder that this process can read, as where every role runs on one machine or shares a volume. */
import { open } from "node:fs/promises";
import { resolveLogPath, type TaskLogKey, taskLogPath } from "@updraft/service-kit";
import type { LogFile } from "./log-reader.ts";

/** Where the log of a try is or will be below `logsFolder`. */
export function localLogPath(logsFolder: string, key: TaskLogKey): string | undefined {
  return resolveLogPath(logsFolder, taskLogPath(key));
}

/** Null where there is no such file. */
export async function openLocalLog(logsFolder: string, key: TaskLogKey): Promise<LogFile | null> {
  const path = localLogPath(logsFolder, key);
  const handle = path === undefined ? null : await open(path, "r").catch(orNullIfMissing);
  if (handle === null) return null;
  const { ino, birthtimeMs, size } = await handle.stat();
  return {
    identity: `${ino} ${birthtimeMs}`,
    size,
    async read(position, length) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    },
    close: () => handle.close(),
  };
}

function orNullIfMissing(error: unknown): null {
  if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
  throw error;
}
