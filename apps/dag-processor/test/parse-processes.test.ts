/** Real parse children: who is blamed for what. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processEnvironment, systemClock } from "@updraft/service-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createParseProcesses, type ParseProcesses } from "../src/parse-processes.ts";

const folder = mkdtempSync(join(tmpdir(), "updraft-parse-"));
let parser: ParseProcesses;
let number = 0;

beforeAll(() => {
  parser = createParseProcesses({
    environment: { ...processEnvironment(), AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: "secret", MY_NAME: "mine" },
    allowedNames: ["MY_NAME"],
    dataFolder: folder,
    timeoutSeconds: 2,
    memoryMebibytes: 64,
    clock: systemClock,
  });
});
afterAll(async () => {
  await parser.close();
  rmSync(folder, { recursive: true, force: true });
});

function parse(top: string) {
  number += 1;
  const path = join(folder, `file-${number}.mjs`);
  writeFileSync(path, `import { Bundle, Dag } from "@updraft/sdk";\n${top}\nawait new Bundle(new Dag("d")).serve();\n`);
  const defaults = { maxActiveRuns: 16, maxActiveTasks: 16, catchup: false };
  return parser.parse({ artefact_path: path, options: { relativeFileloc: "d.ts", defaults } });
}

const GOOD = { kind: "parsed", dags: [{ dag_id: "d" }], errors: [] };

test.each([
  ["spins", "for (;;);", /longer than 2 s/],
  ["waits for ever", "await new Promise((resolve) => setTimeout(resolve, 60_000));", /longer than 2 s/],
  ["takes too much memory", "const all = []; for (;;) all.push(new Array(1000).fill(all.length));", /more than 64 MB/],
  ["ends the process", "process.exit(0);", /ended its process \(exit code 0\)/],
])("a file that %s is blamed, and the next one is read", async (_, top, reason) => {
  expect(await parse(top)).toMatchObject({ kind: "failed", stack_trace: expect.stringMatching(reason) });
  expect(await parse("")).toMatchObject(GOOD);
});

test.each([
  ["a timer that throws", 'setTimeout(() => { throw new Error("late"); }, 20);'],
  ["an unref'ed timer that throws", 'setTimeout(() => { throw new Error("late"); }, 1).unref();'],
  ["a promise that is rejected", 'Promise.reject(new Error("late"));'],
])("%s is no fault of the file that follows", async (_, top) => {
  expect(await parse(top)).toMatchObject(GOOD);
  const next = await Promise.all(
    Array.from({ length: 3 }, () => parse("await new Promise((r) => setTimeout(r, 50));")),
  );
  expect(next).toMatchObject([GOOD, GOOD, GOOD]);
});

test("a file sees little of the environment", async () => {
  const top =
    "throw new Error(JSON.stringify([process.env.AIRFLOW__DATABASE__SQL_ALCHEMY_CONN ?? null, process.env.MY_NAME]));";
  expect(await parse(top)).toMatchObject({ kind: "failed", stack_trace: expect.stringContaining('[null,"mine"]') });
});
