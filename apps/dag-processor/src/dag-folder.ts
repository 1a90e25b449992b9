/** The DAG files of a folder: TypeScript and JavaScript, without tests, declarations and what `.airflowignore` names. */
import { existsSync, readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { join, matchesGlob } from "node:path";

const DAG_FILE = /\.(ts|mts|js|mjs)$/;
const NOT_A_DAG = /\.(test|spec|d)\.m?[tj]s$/;
const SKIPPED_FOLDERS = new Set(["node_modules", ".git", "dist"]);
const IGNORE_FILE = ".airflowignore";

/** Paths relative to the folder, with forward slashes, sorted. Bounded by `most`. */
export async function listDagFiles(folder: string, most: number): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const ignored = readIgnored(folder);
  const files: string[] = [];
  const exclude = (path: string) => SKIPPED_FOLDERS.has(path.split("/").at(-1) ?? "");
  for await (const path of glob("**/*", { cwd: folder, exclude })) {
    const normal = path.replaceAll("\\", "/");
    if (isDagFile(normal) && !ignored(normal)) files.push(normal);
    if (files.length > most)
      throw new Error(`${folder} holds more than ${most} files; split it, or name what is no DAG in ${IGNORE_FILE}`);
  }
  return files.sort();
}

export function isDagFile(path: string): boolean {
  return DAG_FILE.test(path) && !NOT_A_DAG.test(path) && !path.split("/").some((part) => SKIPPED_FOLDERS.has(part));
}

/** Glob patterns, one a line, as Airflow 3 reads them; a folder's name covers what is below it. */
function readIgnored(folder: string): (path: string) => boolean {
  const file = join(folder, IGNORE_FILE);
  if (!existsSync(file)) return () => false;
  const patterns = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim().replace(/^\//, "").replace(/\/$/, ""))
    .filter((line) => line !== "");
  return (path) =>
    patterns.some((pattern) =>
      [pattern, `**/${pattern}`, `${pattern}/**`, `**/${pattern}/**`].some((one) => matchesGlob(path, one)),
    );
}
