/** `pools`, `tasks failed-deps` and `db clean` as processes, against a real database. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
let world: TestStore;

beforeAll(async () => {
  world = await createTestStore();
  await world.store.saveParsedFile(parsedFile([{ ...dag("a > b"), is_paused_upon_creation: false }]));
  const logical_date = Date.parse("2026-01-31T06:00:00Z");
  await world.store.triggerDagRun(triggerRequest("d", { run_id: "one", logical_date }));
});
afterAll(() => world.close());

function updraft(...words: readonly string[]) {
  const { PATH } = process.env;
  const env = { PATH, AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: world.databaseUrl };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], { env, encoding: "utf8" });
  return { status, stdout, stderr };
}

test("pools are made, shown and deleted", () => {
  expect(updraft("pools", "set", "db", "3", "the database", "--include-deferred").status).toBe(0);
  const { stdout } = updraft("pools", "get", "db", "--output", "json");
  expect(JSON.parse(stdout)).toMatchObject([{ pool: "db", slots: 3, include_deferred: true }]);
  expect(updraft("pools", "list").stdout).toMatch(/^pool +slots.*\ndb +3/);
  expect(updraft("pools", "set", "db", "-2", "x")).toMatchObject({ status: 2 });
  expect(updraft("pools", "get").stderr).toContain("pool is missing");
  expect(updraft("pools", "delete", "db").stdout).toBe("Pool db was deleted.\n");
  expect(updraft("pools", "delete", "db")).toMatchObject({ status: 1, stderr: expect.stringContaining("no pool db") });
  expect(updraft("pool", "list").stderr).toContain('Did you mean "pools list"?');
});

test("tasks failed-deps says why a task does not run, by run id or logical date", () => {
  for (const run of ["one", "2026-01-31T06:00:00Z"]) {
    expect(updraft("tasks", "failed-deps", "d", "b", run)).toMatchObject({
      status: 0,
      stdout:
        "Task instance dependencies not met:\nTrigger Rule: Trigger rule all_success: 0 of 1 upstream tasks have ended, and waits for a (queued).\n",
    });
  }
  expect(updraft("tasks", "failed-deps", "d", "none", "one")).toMatchObject({ status: 1 });
});

test("db clean counts, asks for --yes, and deletes", async () => {
  await world.sql("UPDATE dag_run SET state = 'success', unfinished = 0, end_date = now() - interval '9 days'");
  const words = ["db", "clean", "--clean-before-timestamp", new Date(Date.now() - 86_400_000).toISOString()];
  expect(updraft(...words, "--dry-run")).toMatchObject({ status: 0, stdout: expect.stringMatching(/dag_run +1\n/) });
  expect(updraft(...words)).toMatchObject({ status: 1, stderr: expect.stringContaining("--yes") });
  expect(updraft(...words, "--yes", "--tables", "dag_run").stdout).toContain("Deleted 1 of dag_run.");
  expect(await world.store.getDagRun("d", "one")).toBeNull();
  expect(updraft(...words, "--tables", "dag_runs").stderr).toContain('Did you mean "dag_run"?');
  expect(updraft("db", "clean").stderr).toContain("--clean-before-timestamp is missing");
});

test("db check and db migrate", () => {
  expect(updraft("db", "check")).toMatchObject({ status: 0, stdout: "The database answers.\n" });
  expect(updraft("db", "migrate")).toMatchObject({ status: 0, stdout: "The database is up to date.\n" });
});
