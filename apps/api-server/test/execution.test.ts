import { runResponse } from "@updraft/contract";
import { createTaskTokens } from "@updraft/service-kit";
import { parsedFile } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENVIRONMENT, startTestServer, type TestServer } from "./test-server.ts";

const RUN_BODY = { state: "running", hostname: "h", unixname: "u", pid: 7, start_date: "2026-01-01T00:00:00Z" };
const END_DATE = "2026-01-01T00:00:01Z";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(
    {},
    { environment: { AIRFLOW_CONN_FROM_ENV: "http://u:p%40ss@example.org:81/s?x=1", AIRFLOW_VAR_FROM_ENV: "env" } },
  );
  const form = dag("push > pull, push > other", { dag_id: "d" }, { push: { can_skip_downstream: true, retries: 1 } });
  await server.store.saveParsedFile(parsedFile([form]));
  await server.rest("PATCH", "/api/v2/dags/d", { is_paused: false });
});
afterAll(() => server.stop());

async function offerOf(taskId: string, runId: string, tryNumber = 1) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const offer = server.offered.find(
      (one) => one.task_id === taskId && one.run_id === runId && one.try_number === tryNumber,
    );
    if (offer !== undefined) return offer;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error(`${taskId} of ${runId} was not offered`);
}

/** A claimed try: its id and its execution token. */
async function claimed(taskId: string, runId: string) {
  const offer = await offerOf(taskId, runId);
  const answer = await server.call("PATCH", `/execution/task-instances/${offer.ti_id}/run`, {
    body: RUN_BODY,
    token: offer.token,
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return {
    id: offer.ti_id,
    token: String(answer.headers.get("refreshed-api-token")),
    run: answer.body,
    workload: offer.token,
  };
}

async function trigger(runId: string) {
  const answer = await server.rest("POST", "/api/v2/dags/d/dagRuns", { dag_run_id: runId, logical_date: null });
  expect(answer.status).toBe(200);
}

describe("the life of a try", () => {
  it("is claimed, beats, and ends with its XComs; then its successor gets them", async () => {
    await trigger("life");
    const { id, token, run, workload } = await claimed("push", "life");
    expect(runResponse.parse(run).updraft.artefact_hash).toMatch(/^[0-9a-f]{64}$/);

    // The same process may ask twice.
    const again = await server.call("PATCH", `/execution/task-instances/${id}/run`, {
      body: RUN_BODY,
      token: workload,
    });
    expect(again.status).toBe(200);
    const other = await server.call("PATCH", `/execution/task-instances/${id}/run`, {
      body: { ...RUN_BODY, pid: 8 },
      token: workload,
    });
    expect(other).toMatchObject({
      status: 409,
      body: { detail: { reason: "invalid_state", previous_state: "running" } },
    });

    const beat = { body: { hostname: "h", pid: 7 }, token };
    expect((await server.call("PUT", `/execution/task-instances/${id}/heartbeat`, beat)).status).toBe(204);

    const artefact = await server.call("GET", `/execution/artefacts/${run.updraft.artefact_hash}`, { token });
    expect(artefact.body).toBe("// d");

    const end = { state: "success", end_date: END_DATE, xcoms: [{ key: "return_value", value: { a: [1] } }] };
    for (let time = 0; time < 2; time += 1) {
      expect((await server.call("PATCH", `/execution/task-instances/${id}/state`, { body: end, token })).status).toBe(
        204,
      );
    }
    const late = { state: "failed", end_date: END_DATE };
    expect((await server.call("PATCH", `/execution/task-instances/${id}/state`, { body: late, token })).status).toBe(
      409,
    );

    const next = await claimed("pull", "life");
    const path = "/execution/xcoms/d/life/push/return_value";
    expect((await server.call("GET", path, { token: next.token })).body).toEqual({
      key: "return_value",
      value: { a: [1] },
    });
    expect(await server.call("GET", `${path}x`, { token: next.token })).toMatchObject({
      status: 404,
      body: { detail: { reason: "not_found" } },
    });
    const head = await server.call("HEAD", path, { token: next.token });
    expect(head.headers.get("content-range")).toBe("map_indexes 1");
  });

  it("tries again when its worker asks for it", async () => {
    await trigger("retry");
    const { id, token } = await claimed("push", "retry");
    const body = { state: "up_for_retry", end_date: END_DATE, retry_reason: "broken pipe" };
    expect((await server.call("PATCH", `/execution/task-instances/${id}/state`, { body, token })).status).toBe(204);
    const ti = await server.rest("GET", "/api/v2/dags/d/dagRuns/retry/taskInstances/push");
    expect(ti.body.state).toBe("up_for_retry");
  });

  it("skips what a decider does not choose", async () => {
    await trigger("skip");
    const { id, token } = await claimed("push", "skip");
    const body = { tasks: ["pull", ["other", -1]] };
    expect(
      (await server.call("PATCH", `/execution/task-instances/${id}/skip-downstream`, { body, token })).status,
    ).toBe(204);
    const rows = await server.rest("GET", "/api/v2/dags/d/dagRuns/skip/taskInstances?state=skipped");
    expect(rows.body.total_entries).toBe(2);
  });
});

describe("who may call", () => {
  it("keeps a try to its own token", async () => {
    await trigger("tokens");
    const { id, token, workload } = await claimed("push", "tokens");
    const other = await offerOf("push", "life");
    const state = { body: { state: "failed", end_date: END_DATE } };
    const statuses = await Promise.all([
      server.call("PATCH", `/execution/task-instances/${id}/state`, state),
      server.call("PATCH", `/execution/task-instances/${id}/state`, { ...state, token: "x.y.z" }),
      server.call("PATCH", `/execution/task-instances/${id}/state`, { ...state, token: workload }),
      server.call("PATCH", `/execution/task-instances/${other.ti_id}/state`, { ...state, token }),
      server.call("GET", "/api/v2/dags", { token }),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([401, 401, 403, 403, 401]);
  });

  it("takes a worker's report with the workers' token only", async () => {
    const body = {
      queues: ["default"],
      concurrency: 2,
      running: 0,
      hostname: "w",
      log_server_url: "http://127.0.0.1:1",
    };
    const right = await server.call("PUT", "/execution/workers/w1", {
      body,
      token: ENVIRONMENT.UPDRAFT__WORKER__TOKEN,
    });
    const wrong = await server.call("PUT", "/execution/workers/w1", { body, token: "guess" });
    expect([right.status, wrong.status]).toEqual([204, 403]);
    const jobs = await server.rest("GET", "/api/v2/jobs?job_type=WorkerJob");
    expect(jobs.body.jobs[0]).toMatchObject({ hostname: "w", state: "running" });
  });

  it("refuses a token whose life is over", async () => {
    const past = { now: () => Date.now() - 3_600_000, sleep: async () => undefined };
    const address = { ti_id: "0", dag_id: "d", run_id: "r", task_id: "t", map_index: -1, try_number: 1 };
    const token = createTaskTokens(server.config.jwtSecret, past).signExecution(address);
    const answer = await server.call("GET", "/execution/variables/v", { token });
    expect(answer).toMatchObject({ status: 401, body: { detail: "Token Expired" } });
  });
});

describe("what tries share", () => {
  let token: string;
  let id: string;
  beforeAll(async () => {
    await trigger("shared");
    ({ token, id } = await claimed("push", "shared"));
  });

  it("reads connections from the environment first", async () => {
    const answer = await server.call("GET", "/execution/connections/from_env", { token });
    expect(answer.body).toEqual({
      conn_id: "from_env",
      conn_type: "http",
      host: "example.org",
      schema: "s",
      login: "u",
      password: "p@ss",
      port: 81,
      extra: '{"x":"1"}',
    });
    const missing = await server.call("GET", "/execution/connections/none", { token });
    expect(missing).toMatchObject({ status: 404, body: { detail: { reason: "not_found" } } });
  });

  it("keeps variables", async () => {
    expect((await server.call("GET", "/execution/variables/from_env", { token })).body.value).toBe("env");
    const put = await server.call("PUT", "/execution/variables/v", { token, body: { val: "42", description: null } });
    expect(put).toMatchObject({ status: 201, body: { message: "Variable successfully set" } });
    expect((await server.call("GET", "/execution/variables/v", { token })).body).toEqual({ key: "v", value: "42" });
    expect((await server.call("DELETE", "/execution/variables/v", { token })).status).toBe(204);
    expect((await server.call("GET", "/execution/variables/v", { token })).status).toBe(404);
  });

  it("sets and deletes XComs of every JSON kind", async () => {
    for (const value of [null, 1, "x", [1], { a: false }]) {
      const path = "/execution/xcoms/d/shared/push/k";
      expect((await server.call("POST", path, { token, body: JSON.stringify(value) })).status).toBe(201);
      expect((await server.call("GET", path, { token })).body).toEqual({ key: "k", value });
      expect((await server.call("DELETE", path, { token })).status).toBe(200);
    }
  });

  it("keeps XComs by run, task, map index and key; the last one of a key counts", async () => {
    const put = (path: string, value: unknown) =>
      server.call("POST", `/execution/xcoms/d/${path}`, { token, body: JSON.stringify(value) });
    await trigger("apart");
    const paths = [
      "shared/push/one",
      "shared/push/two",
      "shared/pull/one",
      "apart/push/one",
      "shared/push/one?map_index=0",
    ];
    for (const path of paths) expect((await put(path, "first")).status).toBe(201);
    for (const path of paths) expect((await put(path, path)).status).toBe(201);
    for (const path of paths)
      expect((await server.call("GET", `/execution/xcoms/d/${path}`, { token })).body).toMatchObject({ value: path });
  });

  it("finds the XCom of the newest run before, by logical date, where it is asked to", async () => {
    const days = ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"];
    for (const day of days) {
      const body = { dag_run_id: day, logical_date: `${day}T00:00:00Z` };
      expect((await server.rest("POST", "/api/v2/dags/d/dagRuns", body)).status).toBe(200);
    }
    // The older run pushes last, and one to come does not count.
    for (const day of ["2026-03-04", "2026-03-02", "2026-03-01"])
      await server.call("POST", `/execution/xcoms/d/${day}/push/seen`, { token, body: JSON.stringify(day) });
    const read = async (day: string, query: string, part = "") =>
      server.call("GET", `/execution/xcoms/d/${day}/push/seen${part}?${query}`, { token });
    expect((await read("2026-03-03", "")).status).toBe(404);
    expect((await read("2026-03-03", "include_prior_dates=true")).body).toMatchObject({ value: "2026-03-02" });
    expect((await read("2026-03-01", "include_prior_dates=true")).body).toMatchObject({ value: "2026-03-01" });
    expect((await read("2026-03-03", "include_prior_dates=true", "/slice")).body).toEqual(["2026-03-02"]);
    expect((await read("2026-03-03", "", "/slice")).body).toEqual([]);
  });

  it("keeps the state of a task", async () => {
    const path = `/execution/store/ti/${id}/cursor`;
    expect((await server.call("GET", path, { token })).status).toBe(404);
    expect((await server.call("PUT", path, { token, body: { value: { at: 3 } } })).status).toBe(204);
    expect((await server.call("GET", path, { token })).body).toEqual({ value: { at: 3 } });
    expect((await server.call("DELETE", path, { token })).status).toBe(204);
    for (const key of ["one", "two"]) {
      await server.call("PUT", `/execution/store/ti/${id}/${key}`, { token, body: { value: 1 } });
    }
    expect((await server.call("DELETE", `/execution/store/ti/${id}`, { token })).status).toBe(204);
    expect((await server.call("GET", `/execution/store/ti/${id}/two`, { token })).status).toBe(404);
  });

  it("refuses an XCom of a run that is not there", async () => {
    const answer = await server.call("POST", "/execution/xcoms/d/none/push/k", { token, body: "1" });
    expect(answer).toMatchObject({ status: 404, body: { detail: { reason: "not_found" } } });
  });

  it("triggers a run once, and again where asked to reset it", async () => {
    const path = "/execution/dag-runs/d/from_task";
    expect((await server.call("POST", path, { token, body: { conf: { x: 1 } } })).status).toBe(204);
    expect((await server.call("POST", path, { token, body: {} })).body.detail.reason).toBe("already_exists");
    expect((await server.call("POST", path, { token, body: { reset_dag_run: true } })).status).toBe(204);
    expect((await server.call("GET", `${path}/state`, { token })).body.state).toMatch(/queued|running/);
    expect((await server.call("GET", path, { token })).body.conf).toEqual({ x: 1 });
    expect((await server.call("POST", "/execution/dag-runs/none/r", { token, body: {} })).status).toBe(404);
  });
});
