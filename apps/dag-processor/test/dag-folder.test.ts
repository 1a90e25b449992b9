/** Which files of a folder are DAG files. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listDagFiles } from "../src/dag-folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "updraft-folder-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

test("tests, declarations, data and installed packages are none", async () => {
  const names = ["a.ts", "b.mjs", "sub/c.js", "a.test.ts", "a.spec.mts", "a.d.ts", "a.json", "a.yaml", "x.tsx"];
  write(Object.fromEntries([...names, "node_modules/p/i.js", "sub/dist/d.js"].map((name) => [name, ""])));
  expect(await listDagFiles(folder, 100)).toEqual(["a.ts", "b.mjs", "sub/c.js"]);
});

test("an ignore file counts for its folder and below, and `!` takes back", async () => {
  write({
    ".airflowignore": "# helpers\nlib/\n*_draft.ts\n/top.ts\n",
    "a.ts": "",
    "a_draft.ts": "",
    "top.ts": "",
    "lib/x.ts": "",
    "team/.airflowignore": "b.ts\n!kept_draft.ts\n",
    "team/b.ts": "",
    "team/top.ts": "",
    "team/kept_draft.ts": "",
    "team/other_draft.ts": "",
    "b.ts": "",
  });
  expect(await listDagFiles(folder, 100)).toEqual(["a.ts", "b.ts", "team/kept_draft.ts", "team/top.ts"]);
});

test("a folder of too many files is refused with what to do", async () => {
  write({ "a.ts": "", "b.ts": "", "c.ts": "" });
  await expect(listDagFiles(folder, 2)).rejects.toThrow(/more than 2 files/);
});
