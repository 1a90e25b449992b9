/**
 * Artefacts on disk by hash, fetched once. A warm try costs a look into memory.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@updraft/service-kit";

export interface ArtefactCache {
  /** The file with the artefact; fetched with `token` if it isn't there. Rejects when it can't be had. */
  pathOf(hash: string, token: string): Promise<string>;
  /** Removes what no try has needed for long. */
  prune(): Promise<void>;
}

export interface ArtefactCacheOptions {
  readonly folder: string;
  readonly fetch: (hash: string, token: string) => Promise<string>;
  readonly clock: Clock;
}

const KEPT_MS = 30 * 24 * 3600 * 1000;
const SHA256_HEX = /^[0-9a-f]{64}$/;

export function createArtefactCache({ folder, fetch, clock }: ArtefactCacheOptions): ArtefactCache {
  const files = new Map<string, Promise<string>>();

  async function provide(hash: string, token: string): Promise<string> {
    if (!SHA256_HEX.test(hash)) throw new Error(`"${hash}" is not the SHA-256 of an artefact`);
    const path = join(folder, `${hash}.mjs`);
    if (await isIntact(path, hash)) {
      const now = new Date(clock.now());
      await utimes(path, now, now);
      return path;
    }
    const code = await fetch(hash, token);
    if (sha256(code) !== hash) throw new Error(`The artefact that came for ${hash} has another hash; try again later`);
    await mkdir(folder, { recursive: true });
    // Written beside and renamed: another worker of this machine may look at the same moment.
    const draft = `${path}.${randomUUID()}`;
    await writeFile(draft, code);
    await rename(draft, path);
    return path;
  }

  return {
    pathOf(hash, token) {
      const known = files.get(hash);
      if (known !== undefined) return known;
      const providing = provide(hash, token);
      files.set(hash, providing);
      providing.catch(() => files.delete(hash));
      return providing;
    },
    async prune() {
      for (const name of await readdir(folder).catch(() => [])) {
        const path = join(folder, name);
        const info = await stat(path).catch(() => undefined);
        if (info !== undefined && info.mtimeMs < clock.now() - KEPT_MS) await rm(path, { force: true });
      }
    },
  };
}

async function isIntact(path: string, hash: string): Promise<boolean> {
  const code = await readFile(path, "utf8").catch(() => undefined);
  return code !== undefined && sha256(code) === hash;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
