/** Versions, stale DAGs and import errors. */

import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Page } from "../src/index.ts";

const PAGE: Page = { limit: 100, offset: 0, order_by: [] };
let world: TestStore;

beforeEach(async () => {
  world = await createTestStore();
});
afterEach(() => world.close());

async function versions(): Promise<number[]> {
  const { rows } = await world.store.listDagVersions("d", PAGE);
  return rows.map(({ version_number }) => version_number);
}

test("parsing the same file again and again gives one version", async () => {
  for (let n = 0; n < 20; n += 1) await world.store.saveParsedFile(parsedFile([dag("a > b")]));
  expect(await versions()).toEqual([1]);
});

test("a version without runs is replaced; one with runs stays beside the new one", async () => {
  await world.store.saveParsedFile(parsedFile([dag("a")]));
  await world.store.saveParsedFile(parsedFile([dag("a > b")]));
  expect(await versions()).toEqual([1]);
  await world.store.triggerDagRun(triggerRequest("d"));
  await world.store.saveParsedFile(parsedFile([dag("a > b > c")]));
  expect(await versions()).toEqual([1, 2]);
  const detail = await world.store.getDag("d");
  expect(detail?.form.tasks.map(({ task_id }) => task_id)).toEqual(["a", "b", "c"]);
});

test("a broken file keeps its last good DAG and shows its error until it is mended", async () => {
  await world.store.saveParsedFile(parsedFile([dag("a")]));
  const file = { relative_fileloc: "d.ts", fileloc: "/dags/d.ts", bundle_name: "dags-folder" };
  await world.store.saveImportError({ ...file, stack_trace: "SyntaxError: no" });
  expect((await world.store.getDag("d"))?.row).toMatchObject({ has_import_errors: true, is_stale: false });
  expect((await world.store.listImportErrors(null, PAGE)).rows).toMatchObject([
    { filename: "d.ts", stack_trace: "SyntaxError: no" },
  ]);
  expect(await world.store.triggerDagRun(triggerRequest("d"))).toMatchObject({
    kind: "rejected",
    reason: "dag_has_import_errors",
  });
  await world.store.saveParsedFile(parsedFile([dag("a")]));
  expect((await world.store.listImportErrors(null, PAGE)).total_entries).toBe(0);
});

test("the DAG of a removed file is stale, and back when the file is", async () => {
  await world.store.saveParsedFile(parsedFile([dag("a")]));
  await world.store.removeFilesExcept("dags-folder", []);
  expect((await world.store.listDags({ exclude_stale: true }, PAGE)).total_entries).toBe(0);
  expect(await world.store.triggerDagRun(triggerRequest("d"))).toMatchObject({
    kind: "rejected",
    reason: "dag_not_found",
  });
  await world.store.saveParsedFile(parsedFile([dag("a")]));
  expect((await world.store.listDags({ exclude_stale: true }, PAGE)).total_entries).toBe(1);
});

test("two files can't declare one DAG id: the first stays, the second is an import error", async () => {
  await world.store.saveParsedFile(parsedFile([dag("a")]));
  await world.store.saveParsedFile(parsedFile([dag("b")], { relative_fileloc: "other.ts" }));
  const { rows } = await world.store.listImportErrors(null, PAGE);
  expect(rows).toMatchObject([{ filename: "other.ts", stack_trace: expect.stringContaining("also declared in d.ts") }]);
  expect((await world.store.getDag("d"))?.form.tasks.map(({ task_id }) => task_id)).toEqual(["a"]);
});

test("lists filter, order and page", async () => {
  for (const id of ["etl_a", "etl_b", "report"]) {
    await world.store.saveParsedFile(
      parsedFile([dag("a", { dag_id: id, tags: id.startsWith("etl") ? ["etl", id] : ["daily"] })], {
        relative_fileloc: `${id}.ts`,
      }),
    );
  }
  const ids = async (filter: Parameters<typeof world.store.listDags>[0], page = PAGE) =>
    (await world.store.listDags(filter, page)).rows.map(({ dag_id }) => dag_id);
  expect(await ids({ dag_id_pattern: "etl" })).toEqual(["etl_a", "etl_b"]);
  expect(await ids({ tags: ["etl", "etl_b"], tags_match_all: true })).toEqual(["etl_b"]);
  expect(await ids({}, { limit: 2, offset: 0, order_by: ["-dag_id"] })).toEqual(["report", "etl_b"]);
  expect(await ids({ paused: false })).toEqual([]);
  expect((await world.store.listDagTags(null, PAGE)).rows).toEqual(["daily", "etl", "etl_a", "etl_b"]);
});
