/** The worker with real task processes, against a peer that speaks the Task Execution API. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, createMetrics, loadConfig, signLogToken, taskLogPath } from "@updraft/service-kit";
import type { TaskConsumerOptions, TaskMessage } from "@updraft/task-queue";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createWorker, type Worker } from "../src/index.ts";
import { ExecutionPeer, type Trial } from "./execution-peer.ts";

const folder = mkdtempSync(join(tmpdir(), "updraft-worker-"));
const peer = new ExecutionPeer();
const LOG_PORT = 20_000 + (process.pid % 20_000);
let worker: Worker;
let take: (message: TaskMessage) => Promise<void>;

const CODE = `
import { Asset, Dag, Bundle, defer, getClient, getContext, getLogger, fail, sensor, skip, timeDeltaTrigger } from "@updraft/sdk";
import { spawn } from "node:child_process";
const dag = new Dag("d");
let count = 0;
const task = (id, handler) => dag.task(id, handler)();
task("add", (args) => { console.log("adding"); return { sum: 3, colour: getContext().conf.colour }; });
task("pid", () => ({ pid: process.pid, count: ++count, cwd: process.cwd(), leak: process.env.LEAK ?? null, listeners: process.listenerCount("SIGUSR2") }));
task("litter", () => { process.chdir("/"); process.env.LEAK = "1"; process.on("SIGUSR2", () => {}); return process.pid; });
task("leave", () => { setInterval(() => {}, 1000); return process.pid; });
task("secret", async () => {
  const connection = await getClient().getConnection("c");
  getLogger().info("the password is " + connection.password, { again: connection.password });
  const token = await getClient().getVariable("my_token");
  throw new Error("no luck with " + token);
});
task("softSensor", sensor(() => false, { softFail: true }));
dag.task("waits", () => defer({ trigger: timeDeltaTrigger(60), method: "done" }), { methods: {
  done: async () => { await new Promise((resolve) => setTimeout(resolve, 300)); return "waited"; },
} })();
task("sleep", async () => { await new Promise((resolve) => setTimeout(resolve, 60000)); });
task("spin", () => { for (;;); });
task("grandchild", async () => {
  const child = spawn("sleep", ["300"], { stdio: "inherit" });
  getLogger().info("pid=" + child.pid);
  await new Promise(() => {});
});
task("exit", () => process.exit(7));
task("unhandled", async () => { Promise.reject(new Error("nobody caught this")); await new Promise((r) => setTimeout(r, 5000)); });
task("skips", () => skip("not today"));
task("fails", () => fail("never again"));
task("environment", () => Object.keys(process.env).toSorted());
task("sum", (args) => ({ length: args.all.length, last: args.all.at(-1) }));
task("walk", async () => {
  const all = getClient().getXComs({ taskId: "each" });
  const found = { length: await all.length(), last: await all.at(2499), firsts: [] };
  for await (const value of all) if (found.firsts.push(value) === 2) break;
  return found;
});
const orders = new Asset({ name: "orders" });
dag.task("tells", () => { getContext().outletEvents.of(orders).extra = { rows: 2 }; }, { outlets: [orders] })();
task("late", () => { setTimeout(() => { console.log("written late"); getClient().setVariable("late", "1"); }, 30).unref(); });
await new Bundle(dag).serve();
`;

beforeAll(async () => {
  await peer.start();
  process.env.UPDRAFT_TEST_SECRET = "must not be seen";
  const config = loadConfig({
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL: peer.url,
    UPDRAFT__CORE__DATA_FOLDER: folder,
    UPDRAFT__WORKER__TOKEN: "worker-token",
    UPDRAFT__LOGGING__LOG_SERVER_SECRET: "log-secret",
    AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT: String(LOG_PORT),
    AIRFLOW__CELERY__WORKER_CONCURRENCY: "3",
    UPDRAFT__WORKER__HEARTBEAT_SECONDS: "0.2",
    UPDRAFT__SCHEDULER__LEASE_SECONDS: "2",
    UPDRAFT__WORKER__SHUTDOWN_SECONDS: "1",
  });
  worker = createWorker({
    config,
    logger: createLogger("worker", "silent"),
    metrics: createMetrics("worker"),
    consumerFactory: (options: TaskConsumerOptions) => {
      const running = new Set<Promise<void>>();
      take = (message) => {
        const handled = options.handle(message, Date.now()).finally(() => running.delete(handled));
        running.add(handled);
        return handled;
      };
      return { close: async () => void (await Promise.all(running)) };
    },
  });
  await worker.start();
});

afterAll(async () => {
  await worker.stop();
  await peer.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(trial: Omit<Trial, "code">) {
  const { message, ended } = peer.offer({ code: CODE, ...trial });
  const handled = take(message);
  const body = await ended;
  await handled;
  // The last line of a success is written while its end is being reported.
  if (body.state === "success") await vi.waitUntil(() => isComplete(recordsOf(message)));
  return { body, message, records: recordsOf(message) };
}

function isComplete(records: readonly Record<string, unknown>[]): boolean {
  const last = records.at(-1);
  return last?.event === "Task succeeded" || last?.truncated === true;
}

function recordsOf(message: TaskMessage): Record<string, unknown>[] {
  const path = join(folder, "logs", taskLogPath(message));
  // The last piece is empty, or a line that is being written.
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  return lines.map((line) => JSON.parse(line));
}

/** A killed process that nobody has waited for yet is still listed. */
function isAlive(pid: string): boolean {
  const listed = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
  return listed !== "" && !/\) Z /.test(listed);
}

function returned(body: Record<string, unknown>): unknown {
  return (body.xcoms as { key: string; value: unknown }[]).find(({ key }) => key === "return_value")?.value;
}

describe("a try", () => {
  test("costs two calls when its process is warm, and its output is in its log", async () => {
    await run({ task_id: "add" });
    const before = peer.calls.length;
    const { body, message, records } = await run({ task_id: "add" });
    const calls = peer.calls.slice(before).filter(({ path }) => path.includes(message.ti_id));
    expect(calls.map(({ path }) => path.split("/").at(-1))).toEqual(["run", "state"]);
    expect(body).toMatchObject({ state: "success" });
    expect(returned(body)).toEqual({ sum: 3, colour: "red" });
    expect(records).toContainEqual({
      timestamp: expect.any(String),
      level: "info",
      event: "adding",
      logger: "task.stdout",
    });
  });

  test("gets the list of a mapped task that was too long for the answer to its claim, piece by piece", async () => {
    peer.lists.set(
      "each",
      Array.from({ length: 2500 }, (_, n) => n),
    );
    const arg_bindings = [{ name: "all", kind: "xcom", task_id: "each" }];
    const before = peer.calls.length;
    const { body } = await run({ task_id: "sum", arg_bindings, xcom_lists: { each: 2500 } });
    expect(returned(body)).toEqual({ length: 2500, last: 2499 });
    const slices = peer.calls.slice(before).filter(({ path }) => path.includes("/slice"));
    expect(slices.map(({ path }) => path.split("?")[1])).toEqual([
      "start=0&stop=1000",
      "start=1000&stop=2000",
      "start=2000&stop=3000",
    ]);
  });

  test("walks through the values of a mapped task as far as its author looks", async () => {
    peer.lists.set(
      "each",
      Array.from({ length: 2500 }, (_, n) => n),
    );
    const { body } = await run({ task_id: "walk" });
    expect(returned(body)).toEqual({ length: 2500, last: 2499, firsts: [0, 1] });
  });

  test("tells what it said about its outlets, and fails before it starts where one of them is not active", async () => {
    const { body } = await run({ task_id: "tells" });
    const key = { name: "orders", uri: "orders" };
    expect(body).toMatchObject({
      state: "success",
      outlet_events: [{ dest_asset_key: key, extra: { rows: 2 }, source_alias_name: null }],
    });
    const refused = await run({ task_id: "tells", inactive_assets: [{ ...key, type: "Asset" }] });
    expect(refused.body).toMatchObject({
      state: "failed",
      reason: expect.stringContaining('inactive assets in its inlets or outlets: "orders" (orders)'),
    });
  });

  test("leaves no trace of itself in its process", async () => {
    const { body: littered } = await run({ task_id: "litter" });
    const { body } = await run({ task_id: "pid" });
    expect(returned(body)).toMatchObject({ pid: returned(littered), leak: null, listeners: 0 });
    expect(returned(body)).not.toMatchObject({ cwd: "/" });
  });

  test("that leaves a timer behind retires its process", async () => {
    const { body: left } = await run({ task_id: "leave" });
    const { body } = await run({ task_id: "pid" });
    expect(returned(body)).not.toMatchObject({ pid: returned(left) });
  });

  test("can neither write nor act when it is over", async () => {
    const late = await run({ task_id: "late" });
    const { message } = await run({ task_id: "pid" });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(JSON.stringify([recordsOf(late.message), recordsOf(message)])).not.toContain("written late");
    expect(peer.callsTo("PUT", "variables/late")).toEqual([]);
  });

  test("has a process of its own when it wants one", async () => {
    const [first, second] = [
      await run({ task_id: "pid", isolation: "process" }),
      await run({ task_id: "pid", isolation: "process" }),
    ];
    expect(returned(first.body)).toMatchObject({ count: 1 });
    expect(returned(second.body)).toMatchObject({ count: 1 });
  });

  test("sees little of the worker's environment", async () => {
    const { body } = await run({ task_id: "environment" });
    const names = returned(body) as string[];
    expect(names).toContain("AIRFLOW_CTX_DAG_ID");
    expect(names.filter((name) => /SECRET|TOKEN|DATABASE|CONN/.test(name))).toEqual([]);
  });

  test("shows no secret in its log nor in its reason", async () => {
    const secret = { conn_id: "c", conn_type: "http", login: "u", password: "pass-word-1" };
    peer.connections.set("c", { ...secret, host: null, schema: null, port: null, extra: null });
    peer.variables.set("my_token", "tok-en-2");
    const { body, records } = await run({ task_id: "secret" });
    expect(body).toMatchObject({ state: "failed", reason: "Error: no luck with ***" });
    expect(JSON.stringify(records)).not.toMatch(/pass-word-1|tok-en-2/);
    expect(records).toContainEqual(expect.objectContaining({ event: "the password is ***", again: "***" }));
  });

  test.each([
    ["skips", false, { state: "skipped", reason: "not today" }],
    ["fails", true, { state: "failed", reason: "FailTask: never again" }],
    ["exit", false, { state: "failed", reason: "The task's process exited with code 7 before the task was done." }],
    ["unhandled", true, { state: "up_for_retry", retry_reason: "Error: nobody caught this" }],
    ["unknown", false, { state: "removed" }],
  ])("that %s", async (task_id, should_retry, expected) => {
    const { body } = await run({ task_id, should_retry });
    expect(body).toMatchObject(expected);
  });

  test.each(["sleep", "spin", "grandchild"])("that would %s ends at its execution_timeout", async (task_id) => {
    const { body, records } = await run({ task_id, execution_timeout: 0.5 });
    const reason = "The task ran longer than its execution_timeout of 0.5 s and was stopped.";
    expect(body).toMatchObject({ state: "failed", reason });
    expect(records.at(-1)).toMatchObject({ level: "error", event: `Task failed: ${reason}` });
    const pid = records.map(({ event }) => /^pid=(\d+)$/.exec(String(event))?.[1]).find(Boolean);
    if (pid !== undefined) expect(isAlive(pid)).toBe(false);
  });

  test("of a sensor that fails softly is skipped at its execution_timeout", async () => {
    const { body } = await run({ task_id: "softSensor", execution_timeout: 0.5 });
    expect(body).toMatchObject({ state: "skipped", reason: expect.stringContaining("execution_timeout of 0.5 s") });
  });

  test("that waited has its whole execution_timeout when it goes on", async () => {
    const started = { start_date: new Date(Date.now() - 3_600_000).toISOString(), execution_timeout: 2 };
    expect((await run({ task_id: "waits", ...started })).body).toMatchObject({
      state: "deferred",
      next_method: "done",
    });
    const { body } = await run({ task_id: "waits", next_method: "done", ...started });
    expect(body).toMatchObject({ state: "success" });
    expect(returned(body)).toBe("waited");
    const hasty = await run({ task_id: "waits", next_method: "done", ...started, execution_timeout: 0.1 });
    expect(hasty.body).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("execution_timeout of 0.1 s"),
    });
  });

  test("is reported again until the API takes its end", async () => {
    const { message, ended } = peer.offer({ code: CODE, task_id: "add" });
    const path = `task-instances/${message.ti_id}/state`;
    peer.answerNext.push({ method: "PATCH", path, status: 503 }, { method: "PATCH", path, status: 500 });
    await take(message);
    expect(await ended).toMatchObject({ state: "success" });
    expect(peer.callsTo("PATCH", path)).toHaveLength(3);
  });

  test("is dropped when somebody else has it", async () => {
    const { message } = peer.offer({ code: CODE, task_id: "add" });
    peer.answerNext.push({ method: "PATCH", path: `task-instances/${message.ti_id}/run`, status: 409 });
    await take(message);
    expect(peer.callsTo("PATCH", `task-instances/${message.ti_id}/state`)).toEqual([]);
  });

  test("is killed when a heartbeat says that it is not ours any more", async () => {
    const { message } = peer.offer({ code: CODE, task_id: "spin" });
    peer.answerNext.push({ method: "PUT", path: `task-instances/${message.ti_id}/heartbeat`, status: 409 });
    await take(message);
    expect(peer.callsTo("PATCH", `task-instances/${message.ti_id}/state`)).toEqual([]);
    expect(recordsOf(message).at(-1)?.event).toContain("this worker holds it no longer");
  });

  test("is killed before its lease ends when the API is silent", async () => {
    peer.silent = true;
    const startedAt = Date.now();
    const { message } = peer.offer({ code: CODE, task_id: "spin" });
    await take(message);
    peer.silent = false;
    expect(Date.now() - startedAt).toBeLessThan(2000 + 500);
    expect(peer.callsTo("PATCH", `task-instances/${message.ti_id}/state`)).toEqual([]);
  });
});

test("logs are served to who has a token for them, whole or in part", async () => {
  const { message } = await run({ task_id: "add" });
  const path = taskLogPath(message);
  const token = signLogToken("log-secret", path, Date.now() + 10_000);
  const url = `http://127.0.0.1:${LOG_PORT}/log/${encodeURI(path)}`;
  const whole = readFileSync(join(folder, "logs", path), "utf8");
  expect(await (await fetch(`${url}?token=${token}`)).text()).toBe(whole);
  const part = await fetch(`${url}?token=${token}`, { headers: { range: "bytes=5-9" } });
  expect([part.status, await part.text()]).toEqual([206, whole.slice(5, 10)]);
  expect(await (await fetch(`${url}?token=${token}&offset=3&limit=4`)).text()).toBe(whole.slice(3, 7));
  expect((await fetch(`${url}?token=${token}x`)).status).toBe(403);
  expect((await fetch(`http://127.0.0.1:${LOG_PORT}/log/..%2Fartefacts?token=${token}`)).status).toBe(403);
});

test("a worker that stops waits a little for its tries, then ends them for a retry", async () => {
  const { message, ended } = peer.offer({ code: CODE, task_id: "sleep", should_retry: true });
  void take(message);
  await expect.poll(() => recordsOf(message).length, { timeout: 5000 }).toBeGreaterThan(0);
  await worker.stop();
  expect(await ended).toMatchObject({ state: "up_for_retry" });
  expect(peer.callsTo("PUT", "workers/").at(-1)?.body).toMatchObject({ state: "stopped", running: 0 });
});
