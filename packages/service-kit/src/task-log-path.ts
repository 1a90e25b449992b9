/**
 * Where the log of a try lies below the logs folder, in Airflow's layout:
 *
 *     dag_id=<d>/run_id=<r>/task_id=<t>[/map_index=<i>]/attempt=<n>.log
 *
 * Workers write there, api-server and the workers' log servers read. Ids come from users, so nothing in an id may
 * lead out of the folder or make a name that a file system refuses.
 */
import { createHash } from "node:crypto";
import { resolve, sep } from "node:path";

export interface TaskLogKey {
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  /** -1: not mapped. */
  readonly map_index: number;
  readonly try_number: number;
}

/** File names end at 255 bytes nearly everywhere; the rest is for the prefix and what an encoding adds. */
const LONGEST_ID_BYTES = 200;
const HASH_CHARACTERS = 16;

/** The path of a try's log, relative to the logs folder, with forward slashes. */
export function taskLogPath({ dag_id, run_id, task_id, map_index, try_number }: TaskLogKey): string {
  const parts = [`dag_id=${safe(dag_id)}`, `run_id=${safe(run_id)}`, `task_id=${safe(task_id)}`];
  if (map_index >= 0) parts.push(`map_index=${map_index}`);
  return [...parts, `attempt=${try_number}.log`].join("/");
}

/** The absolute path of something below `logsFolder`; undefined if `relativePath` leads out of it. */
export function resolveLogPath(logsFolder: string, relativePath: string): string | undefined {
  if (relativePath.includes("\0")) return undefined;
  const folder = resolve(logsFolder);
  const path = resolve(folder, relativePath);
  return path.startsWith(folder + sep) ? path : undefined;
}

/** An id as part of a file name: separators and control characters percent-encoded, a long one cut and hashed. */
function safe(id: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const encoded = id.replace(/[\u0000-\u001f\u007f/\\%<>"|?*]/g, (character) => encodeByte(character.charCodeAt(0)));
  const bytes = Buffer.from(encoded);
  if (bytes.length <= LONGEST_ID_BYTES) return encoded;
  const hash = createHash("sha256").update(id).digest("hex").slice(0, HASH_CHARACTERS);
  const head = bytes
    .subarray(0, LONGEST_ID_BYTES - HASH_CHARACTERS - 1)
    .toString("utf8")
    .replace(/\ufffd+$/, "");
  return `${head}~${hash}`;
}

function encodeByte(code: number): string {
  return `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
}
