/** The bash operator with a real bash. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bundle, Dag } from "@updraft/sdk";
import { type LogRecord, type RawClient, type RunContext, runHandler } from "@updraft/sdk/host";
import { afterAll, describe, expect, test } from "vitest";
import { type BashOptions, bash } from "../src/standard/index.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "updraft-bash-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const context: RunContext = {
  dag_id: "d",
  task_id: "t",
  run_id: "r",
  try_number: 2,
  map_index: -1,
  logical_date: null,
  data_interval_start: null,
  data_interval_end: null,
  run_after: "2026-01-01T00:00:00Z",
  conf: {},
  run_type: "manual",
  max_tries: 0,
};
/** A command needs no metadata: whatever is called would be an error. */
const client = {} as RawClient;

interface RunOptions extends BashOptions {
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
}

async function run(command: string, { signal, onLine, ...options }: RunOptions = {}) {
  const dag = new Dag("d");
  dag.task("t", bash(command, options))();
  const log: LogRecord[] = [];
  const outcome = await runHandler({
    bundle: new Bundle(dag),
    dagId: "d",
    taskId: "t",
    inputs: { bindings: [], xcoms: {} },
    context,
    client,
    log: (record) => {
      log.push(record);
      onLine?.(record.event);
    },
    signal: signal ?? new AbortController().signal,
  });
  return { outcome, log };
}

const returns = (returnValue: string) => ({ kind: "success", returnValue, xcoms: [] });

test("the last line of stdout is the result, and every line is in the log", async () => {
  const { outcome, log } = await run("echo one; echo oops >&2; printf 'two\\nthree'");
  expect(outcome).toEqual(returns("three"));
  const lines = log.map(({ level, event }) => `${level} ${event}`);
  expect(lines).toEqual(expect.arrayContaining(["info one", "info two", "info three", "warning oops"]));
});

test("output is in the log while the command runs", async () => {
  const over = new AbortController();
  const { outcome } = await run("echo ready; sleep 60", {
    signal: over.signal,
    onLine: (line) => line === "ready" && over.abort(),
  });
  expect(outcome).toMatchObject({ kind: "failed", error: { message: "Bash command was ended by SIGTERM." } });
});

test("a command that is aborted takes with it what it started", async () => {
  const over = new AbortController();
  let pid = 0;
  await run("sleep 60 & echo $!; wait", {
    signal: over.signal,
    onLine: (line) => {
      if (!/^\d+$/.test(line)) return;
      pid = Number(line);
      over.abort();
    },
  });
  expect(pid).toBeGreaterThan(0);
  await expect.poll(() => isAlive(pid)).toBe(false);
});

test("a try that is over before it begins runs no command", async () => {
  const { outcome, log } = await run("echo ran", { signal: AbortSignal.abort(new Error("too late")) });
  expect(outcome).toMatchObject({ kind: "failed", error: { message: "too late" } });
  expect(log).toEqual([]);
});

describe("exit codes", () => {
  test.each<[number, BashOptions, object]>([
    [3, {}, { kind: "failed", retry: true, error: { message: expect.stringContaining("non-zero exit code 3") } }],
    [99, {}, { kind: "skipped", reason: "Bash command returned exit code 99. Skipping." }],
    [99, { skipOnExitCode: 5 }, { kind: "failed" }],
    [5, { skipOnExitCode: [4, 5] }, { kind: "skipped" }],
    [0, { skipOnExitCode: 0 }, { kind: "skipped" }],
  ])("%s with %o", async (code, options, expected) => {
    expect((await run(`exit ${code}`, options)).outcome).toMatchObject(expected);
  });
});

describe("environment and folder", () => {
  test("env takes the place of the worker's, appendEnv adds to it", async () => {
    process.env.UPDRAFT_TEST_OWN = "own";
    const command = 'echo "$UPDRAFT_TEST_OWN,$GIVEN,$AIRFLOW_CTX_TASK_ID,$AIRFLOW_CTX_TRY_NUMBER"';
    expect((await run(command)).outcome).toEqual(returns("own,,t,2"));
    expect((await run(command, { env: { GIVEN: "g" } })).outcome).toEqual(returns(",g,t,2"));
    expect((await run(command, { env: { GIVEN: "g" }, appendEnv: true })).outcome).toEqual(returns("own,g,t,2"));
    delete process.env.UPDRAFT_TEST_OWN;
  });

  test("a command carries the mark by which the worker finds what a killed task process left", async () => {
    process.env.UPDRAFT_TASK_PROCESS = "worker.7";
    expect((await run('echo "$UPDRAFT_TASK_PROCESS"', { env: {} })).outcome).toEqual(returns("worker.7"));
    delete process.env.UPDRAFT_TASK_PROCESS;
  });

  test("cwd is where it runs; one that isn't there fails the task for good", async () => {
    expect((await run("pwd -P", { cwd: folder })).outcome).toEqual(returns(folder));
    expect((await run("pwd", { cwd: join(folder, "none") })).outcome).toMatchObject({ kind: "failed", retry: false });
  });
});

test("an empty command is refused where it is written", () => {
  expect(() => bash("  ")).toThrow("bash needs a command to run");
});

/** A process that nobody has waited for yet is still listed when it has ended. */
function isAlive(pid: number): boolean {
  const [state] = execFileSync("sh", ["-c", `ps -o stat= -p ${pid} || true`], { encoding: "utf8" }).trim();
  return state !== undefined && state !== "Z";
}
