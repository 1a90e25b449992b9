/** Files become DAGs and import errors, on a real store and with real parse children. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createLogger, createMetrics, loadConfig, systemClock } from "@updraft/service-kit";
import { createTestStore, type TestStore } from "@updraft/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDagProcessor, type DagProcessor } from "../src/index.ts";

const PAGE = { limit: 100, offset: 0, order_by: [] };

let folder: string;
let world: TestStore;
let processor: DagProcessor;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "updraft-dags-"));
  world = await createTestStore();
  const config = loadConfig({ AIRFLOW__CORE__DAGS_FOLDER: join(folder, "dags"), UPDRAFT__CORE__DATA_FOLDER: folder });
  processor = createDagProcessor({
    config,
    logger: createLogger("test", "silent"),
    metrics: createMetrics("test"),
    store: world.store,
    announcer: { announce: () => undefined, close: async () => undefined },
    clock: systemClock,
  });
  await processor.start();
});
afterEach(async () => {
  await processor.stop();
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

let writes = 0;
function write(name: string, text: string): void {
  const path = join(folder, "dags", name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  // Two writes within the clock's resolution must still differ.
  writes += 1;
  utimesSync(path, new Date(), new Date(Date.now() + writes * 1000));
}

function dagFile(id: string, task = "hello"): string {
  return `import { Bundle, Dag } from "@updraft/sdk";
const dag = new Dag("${id}", {});
dag.task("${task}", () => "hi")();
await new Bundle(dag).serve();
`;
}

async function dags(): Promise<string[]> {
  const { rows } = await world.store.listDags({ exclude_stale: true }, PAGE);
  return rows.map(({ dag_id }) => dag_id);
}

async function errors(): Promise<string[]> {
  const { rows } = await world.store.listImportErrors(null, PAGE);
  return rows.map(({ filename, stack_trace }) => `${filename}: ${stack_trace}`);
}

const soon = { timeout: 10_000, interval: 50 };

test("a saved file shows, a changed one changes, a removed one goes", async () => {
  write("a.ts", dagFile("a"));
  await expect.poll(dags, soon).toEqual(["a"]);
  write("a.ts", dagFile("a", "renamed"));
  const tasks = async () => (await world.store.getDag("a"))?.form.tasks.map(({ task_id }) => task_id);
  await expect.poll(tasks, soon).toEqual(["renamed"]);
  rmSync(join(folder, "dags", "a.ts"));
  await expect.poll(dags, soon).toEqual([]);
});

test("a change in an imported file is a change of the DAG; helpers are no error", async () => {
  write("names.ts", 'export const TASK = "first";');
  write("a.ts", `import { TASK } from "./names.ts";\n${dagFile("a").replace('"hello"', "TASK")}`);
  const tasks = async () => (await world.store.getDag("a"))?.form.tasks.map(({ task_id }) => task_id);
  await expect.poll(tasks, soon).toEqual(["first"]);
  write("names.ts", 'export const TASK = "second";');
  await expect.poll(tasks, soon).toEqual(["second"]);
  expect(await errors()).toEqual([]);
});

test.each([
  ["a syntax error", "const = 1;", /broken\.ts:1:7: /],
  ["an exception", '\nthrow new Error("no luck");', /no luck[\s\S]*broken\.ts:2/],
  ["an import that isn't there", 'import "./missing.ts";', /broken\.ts:1:8: Could not resolve/],
  ["the end of its process", "process.exit(3);", /ended its process \(exit code 3\)/],
  ["a forgotten serve()", "console.log(1);", /hands over no Dag/],
  [
    "a Dag that is exported and not served",
    'import { Dag } from "@updraft/sdk";\nexport const dag = new Dag("d");',
    /hands over no Dag/,
  ],
])("%s is shown with the author's line, and other files are read all the same", async (_, text, expected) => {
  write("broken.ts", text);
  write("good.ts", dagFile("good"));
  await expect.poll(dags, soon).toEqual(["good"]);
  await expect.poll(errors, soon).toEqual([expect.stringMatching(expected)]);
  write("broken.ts", dagFile("mended"));
  await expect.poll(dags, soon).toEqual(["good", "mended"]);
  await expect.poll(errors, soon).toEqual([]);
});

test("a missing import is mended by the file that was missing", async () => {
  write("a.ts", `import { TASK } from "./names.ts";\n${dagFile("a").replace('"hello"', "TASK")}`);
  await expect.poll(errors, soon).toEqual([expect.stringContaining('Could not resolve "./names.ts"')]);
  write("names.ts", 'export const TASK = "first";');
  await expect.poll(dags, soon).toEqual(["a"]);
  await expect.poll(errors, soon).toEqual([]);
});

test("a DAG file that becomes a module of helpers takes its DAGs with it", async () => {
  write("a.ts", dagFile("a"));
  await expect.poll(dags, soon).toEqual(["a"]);
  write("a.ts", 'import { Dag } from "@updraft/sdk";\nexport function make(id: string) {\n  return new Dag(id);\n}');
  await expect.poll(dags, soon).toEqual([]);
  expect(await errors()).toEqual([]);
});

test("a file that hangs keeps no other from being read", async () => {
  write("hangs.ts", "for (;;);");
  write("good.ts", dagFile("good"));
  await expect.poll(dags, soon).toEqual(["good"]);
});

test("a broken file keeps its last good DAG", async () => {
  write("a.ts", dagFile("a"));
  await expect.poll(dags, soon).toEqual(["a"]);
  write("a.ts", `${dagFile("a")}throw new Error("now broken");`);
  await expect.poll(errors, soon).toEqual([expect.stringContaining("now broken")]);
  expect(await dags()).toEqual(["a"]);
  write("a.ts", dagFile("a"));
  await expect.poll(errors, soon).toEqual([]);
});
