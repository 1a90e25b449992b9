/** `updraft backfill create` and `updraft dags drain` as processes, against a real database. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

let world: TestStore;

beforeAll(async () => {
  world = await createTestStore();
  const timetable = { type: "cron" as const, expression: "0 0 * * *", timezone: "UTC" };
  await world.store.saveParsedFile(parsedFile([dag("a", { dag_id: "etl", timetable })]));
});
afterAll(() => world.close());

function updraft(...words: readonly string[]) {
  return run("backfill", "create", ...words);
}

function run(...words: readonly string[]) {
  const { PATH } = process.env;
  const env = { PATH, AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: world.databaseUrl };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], {
    env,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const RANGE = ["--dag-id", "etl", "--from-date", "2026-01-01", "--to-date", "2026-01-03T00:00:00"];

test("shows the dates, then makes the runs", async () => {
  expect(updraft(...RANGE, "--dry-run", "--run-backwards")).toMatchObject({
    status: 0,
    stdout:
      "Logical dates of 3 runs that would be made:\n  2026-01-03T00:00:00.000Z\n  2026-01-02T00:00:00.000Z\n  2026-01-01T00:00:00.000Z\n",
  });
  const made = updraft(
    ...RANGE,
    "--dag-run-conf",
    '{"n":1}',
    "--max-active-runs",
    "2",
    "--reprocess-behavior",
    "failed",
  );
  expect(made).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Backfill \d+ of etl was created/) });
  const { rows } = await world.store.listBackfills({ dag_id: "etl" }, { limit: 9, offset: 0, order_by: [] });
  expect(rows).toMatchObject([{ max_active_runs: 2, reprocess_behavior: "failed", dag_run_conf: { n: 1 } }]);
  const runs = await world.store.listDagRuns({ dag_id: "etl" }, { limit: 9, offset: 0, order_by: [] });
  expect(runs.total_entries).toBe(3);
  const again = updraft(...RANGE);
  expect(again).toMatchObject({ status: 1, stderr: "There is already a running backfill for dag etl\n" });
});

test.each([
  [["--from-date", "2026-01-01"], "--dag-id is missing."],
  [["--dag-id", "etl", "--from-date", "soon", "--to-date", "2026-01-03"], '--from-date "soon" is no date'],
  [[...RANGE, "--reprocess-behavior", "all"], '--reprocess-behavior "all" is none of'],
  [[...RANGE, "--max-active-runs", "0"], "no whole number from 1"],
  [[...RANGE, "--dag-run-conf", "[]"], "must be a JSON object"],
])("%j is refused with the help", (words, message) => {
  const { status, stderr } = updraft(...words);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
  expect(stderr).toContain("Usage: updraft backfill create");
});

test("a DAG is drained and goes on", async () => {
  await world.store.setDagPaused("etl", false);
  const isDraining = async () => (await world.sql("SELECT is_draining FROM dag WHERE dag_id = 'etl'"))[0];
  expect(run("dags", "drain", "--dag-id", "etl")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("drains"),
  });
  expect(await isDraining()).toEqual({ is_draining: true });
  expect(run("dags", "drain", "--dag-id", "etl", "--stop").status).toBe(0);
  expect(await isDraining()).toEqual({ is_draining: false });
  expect(run("dags", "drain", "--dag-id", "nobody")).toMatchObject({ status: 1, stderr: "There is no DAG nobody.\n" });
  expect(run("dags", "drain").status).toBe(2);
});
