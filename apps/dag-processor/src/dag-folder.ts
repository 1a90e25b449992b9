/** The DAG files of a folder: TypeScript and JavaScript, without tests, declarations and what `.airflowignore` names. */
import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import ignore from "ignore";

const DAG_FILE = /\.m?[tj]s$/;
const NOT_A_DAG = /\.(test|spec|d)\.m?[tj]s$/;
/** What no folder of DAGs means as such; the watcher leaves it out as well. */
export const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(["node_modules", ".git", "dist"]);
const IGNORE_FILE = ".airflowignore";

type Ignored = (path: string) => boolean;

/** Paths relative to the folder, with forward slashes, sorted. Throws beyond `most`. */
export async function listDagFiles(folder: string, most: number): Promise<string[]> {
  const files: string[] = [];

  async function visit(below: string, ignoredAbove: Ignored): Promise<void> {
    const entries = await entriesOf(join(folder, below));
    const ignored = await withIgnoreFile(folder, below, entries, ignoredAbove);
    for (const entry of entries) {
      const path = `${below}${entry.name}`;
      if (entry.isDirectory()) {
        if (!SKIPPED_FOLDERS.has(entry.name) && !ignored(`${path}/`)) await visit(`${path}/`, ignored);
      } else if (isDagFile(entry.name) && !ignored(path)) {
        files.push(path);
      }
    }
    if (files.length > most)
      throw new Error(`${folder} holds more than ${most} files; split it, or name what is no DAG in ${IGNORE_FILE}`);
  }

  await visit("", () => false);
  return files.sort();
}

function isDagFile(name: string): boolean {
  return DAG_FILE.test(name) && !NOT_A_DAG.test(name);
}

/** A folder that was removed a moment ago holds nothing; one that can't be read stops the listing. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Airflow 3 reads the file as git reads its own: globs, `!` takes back, and it counts for its folder and below. */
async function withIgnoreFile(
  folder: string,
  below: string,
  entries: readonly Dirent[],
  ignoredAbove: Ignored,
): Promise<Ignored> {
  if (!entries.some(({ name }) => name === IGNORE_FILE)) return ignoredAbove;
  const patterns = await readFile(join(folder, below, IGNORE_FILE), "utf8").catch(() => "");
  const rules = ignore().add(patterns);
  return (path) => {
    const verdict = rules.test(path.slice(below.length));
    return verdict.ignored || (ignoredAbove(path) && !verdict.unignored);
  };
}
