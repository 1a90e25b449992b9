import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { logLinesResponse, taskInstancesLogResponse } from "@updraft/contract";
import { taskLogPath, verifyLogToken } from "@updraft/service-kit";
import { parsedFile, triggerRequest } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENVIRONMENT, startTestServer, type TestServer } from "./test-server.ts";

const REST = "/api/v2/dags/d/dagRuns/r/taskInstances/t/logs/1";
const UI = "/ui/logs/d/r/t/1";
const record = (event: string, level = "info") =>
  `${JSON.stringify({ timestamp: "2026-01-01T00:00:00Z", level, event, logger: "task" })}\n`;

let server: TestServer;
let path: string;
let tryAddress: { ti_id: string; try_number: number };

beforeAll(async () => {
  server = await startTestServer();
  await server.store.saveParsedFile(parsedFile([dag("t > u", { dag_id: "d" })]));
  await server.rest("PATCH", "/api/v2/dags/d", { is_paused: false });
  const result = await server.store.triggerDagRun(triggerRequest("d", { run_id: "r" }));
  if (result.kind !== "created") throw new Error(result.message);
  const [queued] = result.announcement.queued;
  tryAddress = { ti_id: queued?.ti_id ?? "", try_number: 1 };
  await server.store.claimTry({ ...tryAddress, hostname: "worker-1", unixname: "u", pid: 1 });
  const key = { dag_id: "d", run_id: "r", task_id: "t", map_index: -1, try_number: 1 };
  path = join(server.config.logsFolder, taskLogPath(key));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, record("one") + record("two", "error"));
});
afterAll(() => server.stop());

/** Messages of an event stream until it ends. */
async function* messagesOf(url: string): AsyncGenerator<{ event: string; data: unknown }> {
  const token = (await server.call("POST", "/auth/token", { body: { username: "airflow", password: "airflow" } })).body
    .access_token;
  const answer = await fetch(`${server.url}${url}`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  let text = "";
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if (data !== undefined) yield { event: /^event: (.*)$/m.exec(part)?.[1] ?? "message", data: JSON.parse(data) };
    }
  }
}

describe("the log of a running try", () => {
  it("is continued by its token", async () => {
    const first = await server.rest("GET", REST);
    expect(taskInstancesLogResponse.parse(first.body).content.map(({ event }) => event)).toEqual(["one", "two"]);
    await appendFile(path, record("three"));
    const next = await server.rest("GET", `${REST}?token=${first.body.continuation_token}`);
    expect(next.body.content).toMatchObject([{ event: "three" }]);
    expect((await server.rest("GET", `${REST}?token=forged`)).status).toBe(400);
  });

  it("comes in windows, from the end too, and by level or text", async () => {
    const all = await server.rest("GET", `${UI}/lines`);
    expect(logLinesResponse.parse(all.body)).toMatchObject({ total_lines: 3, complete: false });
    const last = await server.rest("GET", `${UI}/lines?from=-1`);
    expect(last.body.lines).toMatchObject([{ n: 2, event: "three" }]);
    const errors = await server.rest("GET", `${UI}/lines?levels=error`);
    expect(errors.body.lines).toMatchObject([{ n: 1 }]);
    const found = await server.rest("GET", `${UI}/lines?q=T`);
    expect(found.body.matches).toEqual({ total: 2, lines: [1, 2], truncated: false });
  });

  it("is followed until the try is over and everything was sent", async () => {
    const seen: unknown[] = [];
    for await (const { event, data } of messagesOf(`${UI}/follow?from=1`)) {
      if (event === "end") {
        seen.push(data);
        break;
      }
      const lines = data as { n: number; event: string }[];
      seen.push(...lines.map((line) => line.event));
      if (seen.length === 2) await appendFile(path, record("four"));
      if (seen.includes("four") && !seen.includes("five")) {
        await appendFile(path, record("five"));
        const outcome = { kind: "success", xcoms: [] } as const;
        const finished = await server.store.finishTry({ ...tryAddress, outcome, end_date: Date.now() });
        if (finished.kind === "finished") server.announce(finished.announcement);
      }
    }
    expect(seen).toEqual(["two", "three", "four", "five", { next: 5 }]);
  });
});

describe("the log of a try that is over", () => {
  it("is complete", async () => {
    expect((await server.rest("GET", REST)).body.continuation_token).toBeNull();
    expect((await server.rest("GET", `${UI}/lines`)).body.complete).toBe(true);
  });

  it("comes as text, as NDJSON and as a file", async () => {
    const token = (await server.call("POST", "/auth/token", { body: { username: "airflow", password: "airflow" } }))
      .body.access_token;
    const text = await server.call("GET", REST, { token, headers: { accept: "text/plain" } });
    expect(text.body).toContain("[2026-01-01T00:00:00Z] ERROR two\n");
    const ndjson = await server.call("GET", REST, { token, headers: { accept: "application/x-ndjson" } });
    expect(String(ndjson.body).trim().split("\n")).toHaveLength(5);
    const file = await server.rest("GET", `${UI}/download`);
    expect(file.headers.get("content-disposition")).toBe("attachment; filename=d_r_t_1.log");
    expect(file.body).toContain("five");
  });

  it("is not found for tries that never were", async () => {
    expect((await server.rest("GET", REST.replace("/logs/1", "/logs/7"))).status).toBe(404);
    expect((await server.rest("GET", "/ui/logs/d/none/t/1/lines")).status).toBe(404);
  });
});

describe("a log that only its worker has", () => {
  let worker: Server;
  beforeAll(async () => {
    const content = Buffer.from(record("from the worker"));
    worker = createServer((request, response) => {
      const file = decodeURIComponent((request.url ?? "").slice("/log/".length));
      const token = request.headers.authorization?.slice("Bearer ".length) ?? "";
      const isOpen = verifyLogToken(ENVIRONMENT.UPDRAFT__LOGGING__LOG_SERVER_SECRET, file, token, Date.now());
      if (!isOpen) return response.writeHead(403).end();
      const [, from = "0", to = "0"] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
      if (request.method === "HEAD") return response.writeHead(200, { "x-log-size": content.length }).end();
      return response.writeHead(206).end(content.subarray(Number(from), Number(to) + 1));
    });
    await new Promise<void>((resolve) => worker.listen(0, "127.0.0.1", resolve));
    const log_server_url = `http://127.0.0.1:${(worker.address() as AddressInfo).port}`;
    const body = { queues: ["default"], concurrency: 1, running: 0, hostname: "worker-2", log_server_url };
    await server.call("PUT", "/execution/workers/w2", { body, token: ENVIRONMENT.UPDRAFT__WORKER__TOKEN });
    const [offer] = server.offered.filter(({ task_id }) => task_id === "u");
    await server.store.claimTry({
      ti_id: offer?.ti_id ?? "",
      try_number: 1,
      hostname: "worker-2",
      unixname: "u",
      pid: 2,
    });
  });
  afterAll(() => worker.close());

  it("is read from its log server", async () => {
    const answer = await server.rest("GET", REST.replace("/t/", "/u/"));
    expect(answer.body.content).toMatchObject([{ event: "from the worker" }]);
  });
});
