/** Tries that wait, as their workers and people see it through the APIs. */
import {
  claimTriggersResponse,
  hitlDetail,
  hitlDetailCollection,
  hitlDetailResponse,
  taskInstanceResponse,
  triggererReportResponse,
} from "@updraft/contract";
import { DATE_TIME_TRIGGER } from "@updraft/dag-core";
import { parsedFile } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENVIRONMENT, startTestServer, type TestServer } from "./test-server.ts";

const RUN_BODY = { state: "running", hostname: "h", unixname: "u", pid: 7, start_date: "2026-01-01T00:00:00Z" };
const END_DATE = "2026-01-01T00:00:01Z";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  await server.store.saveParsedFile(parsedFile([{ ...dag("ask"), is_paused_upon_creation: false }]));
});
afterAll(() => server.stop());

async function nextOffer(runId: string, count: number) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const offers = server.offered.filter((one) => one.run_id === runId);
    const offer = offers[count - 1];
    if (offer !== undefined) return offer;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error(`${runId} was offered fewer than ${count} times`);
}

/** Claims the `count`-th offer of the only task of a run. */
async function claim(runId: string, count = 1) {
  const offer = await nextOffer(runId, count);
  const path = `/execution/task-instances/${offer.ti_id}`;
  const answer = await server.call("PATCH", `${path}/run`, { body: RUN_BODY, token: offer.token });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const token = String(answer.headers.get("refreshed-api-token"));
  const state = (body: object) => server.call("PATCH", `${path}/state`, { body, token });
  return { id: offer.ti_id, token, run: answer.body, state };
}

async function trigger(runId: string) {
  const answer = await server.rest("POST", "/api/v2/dags/d/dagRuns", { dag_run_id: runId, logical_date: null });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}

async function stateOf(runId: string) {
  const answer = await server.rest("GET", `/api/v2/dags/d/dagRuns/${runId}/taskInstances/ask`);
  return answer.body.state;
}

async function resumeDue() {
  server.announce((await server.store.resumeDue()).announcement);
}

describe("deferral", () => {
  const deferred = {
    state: "deferred",
    classpath: DATE_TIME_TRIGGER,
    trigger_kwargs: { moment: "2020-01-01T00:00:00Z" },
    trigger_timeout: "P7D",
    queue: null,
    next_method: "execute_complete",
    next_kwargs: { a: 1 },
    rendered_map_index: null,
  };

  it("takes Airflow's body, and tells the next process how to go on", async () => {
    await trigger("deferral");
    const first = await claim("deferral");
    expect(first.run).not.toHaveProperty("next_method");
    expect((await first.state(deferred)).status).toBe(204);
    expect((await first.state(deferred)).status).toBe(204);
    expect(await stateOf("deferral")).toBe("deferred");
    await resumeDue();
    const second = await claim("deferral", 2);
    expect(second.run).toMatchObject({
      next_method: "execute_complete",
      next_kwargs: { a: 1, event: "2020-01-01T00:00:00.000Z" },
    });
    expect((await second.state({ state: "success", end_date: END_DATE })).status).toBe(204);
  });

  it("refuses a duration that is none", async () => {
    await trigger("duration");
    const { state } = await claim("duration");
    expect((await state({ ...deferred, trigger_timeout: "30 seconds" })).status).toBe(422);
  });
});

describe("triggerers", () => {
  const token = ENVIRONMENT.UPDRAFT__TRIGGERER__TOKEN;
  const deferred = { state: "deferred", classpath: "updraft.trigger.mine", next_method: "done" };
  const call = (method: string, path: string, body: object, as = token) =>
    server.call(method, `/execution/triggerers/${path}`, { body, token: as });

  it("wait for triggers, keep them, and end each once", async () => {
    const waiting = call("POST", "one/claim", { capacity: 5, wait_seconds: 20 });
    await trigger("hosted");
    await (await claim("hosted")).state(deferred);
    const answer = claimTriggersResponse.parse((await waiting).body);
    const [taken] = answer.triggers;
    if (taken === undefined) throw new Error("no trigger came");
    expect(taken).toMatchObject({ classpath: "updraft.trigger.mine", task_id: "ask", dag_run: { run_id: "hosted" } });
    const { id, fence } = taken;
    const report = {
      hostname: "h",
      held: [
        { id, fence },
        { id: id + 1000, fence: 1 },
      ],
      renew: [taken.token, "none"],
    };
    const kept = triggererReportResponse.parse((await call("PUT", "one", report)).body);
    expect(kept).toEqual({ held: [id], tokens: [expect.any(String), null] });
    const shown = await server.rest("GET", "/api/v2/dags/d/dagRuns/hosted/taskInstances/ask");
    expect(taskInstanceResponse.parse(shown.body)).toMatchObject({
      state: "deferred",
      trigger: { id, classpath: "updraft.trigger.mine", kwargs: "{}", triggerer_id: shown.body.triggerer_job.id },
      triggerer_job: { job_type: "TriggererJob", state: "running", hostname: "h" },
    });
    const health = await server.call("GET", "/api/v2/monitor/health");
    expect(health.body.triggerer.status).toBe("healthy");

    const events = { events: [{ id, fence, payload: { ready: true } }] };
    expect((await call("POST", "one/events", events)).body).toEqual({ accepted: [id] });
    expect((await call("POST", "one/events", events)).body).toEqual({ accepted: [] });
    expect((await claim("hosted", 2)).run.next_kwargs).toEqual({ event: { ready: true } });
  });

  it("are known by a token of their own", async () => {
    const body = { capacity: 1 };
    expect((await call("POST", "one/claim", body, ENVIRONMENT.UPDRAFT__WORKER__TOKEN)).status).toBe(403);
    expect((await server.call("POST", "/execution/triggerers/one/claim", { body })).status).toBe(401);
  });
});

it("a reschedule is counted, and its first start can be asked for", async () => {
  await trigger("reschedule");
  const first = await claim("reschedule");
  const path = `/execution/task-reschedules/${first.id}/start_date?try_number=1`;
  expect((await server.call("GET", path, { token: first.token })).body).toBeNull();
  const body = { state: "up_for_reschedule", reschedule_date: END_DATE, end_date: END_DATE };
  expect((await first.state(body)).status).toBe(204);
  await resumeDue();
  const second = await claim("reschedule", 2);
  expect(second.run.task_reschedule_count).toBe(1);
  const started = (await server.call("GET", path, { token: second.token })).body;
  expect(started).toBe(second.run.updraft.first_task_reschedule_start_date);
});

describe("human input", () => {
  const question = { options: ["Approve", "Reject"], subject: "Go on?", params: { rows: { value: 3 } } };
  const awaiting = { state: "awaiting_input", timeout: "PT30M", next_method: "execute_complete", next_kwargs: {} };
  const hitlPath = (runId: string) => `/api/v2/dags/d/dagRuns/${runId}/taskInstances/ask/-1/hitlDetails`;

  it("is asked by a task, listed, answered once, and read by the task that goes on", async () => {
    await trigger("input");
    const { id, token, state } = await claim("input");
    const path = `/execution/hitlDetails/${id}`;
    const asked = await server.call("POST", path, { token, body: { ti_id: id, ...question } });
    expect(asked).toMatchObject({ status: 201, body: { subject: "Go on?", options: ["Approve", "Reject"] } });
    expect((await state(awaiting)).status).toBe(204);
    expect(await stateOf("input")).toBe("awaiting_input");

    const list = await server.rest(
      "GET",
      "/api/v2/dags/~/dagRuns/~/hitlDetails?response_received=false&state=awaiting_input",
    );
    expect(hitlDetailCollection.parse(list.body).hitl_details.map((one) => one.task_instance.dag_run_id)).toEqual([
      "input",
    ]);
    expect(hitlDetail.parse((await server.rest("GET", hitlPath("input"))).body).response_received).toBe(false);

    const wrong = await server.rest("PATCH", hitlPath("input"), { chosen_options: ["Maybe"] });
    expect(wrong).toMatchObject({ status: 400, body: { detail: expect.stringContaining("Maybe is not among") } });
    const answer = { chosen_options: ["Approve"], params_input: { rows: 4 } };
    const answered = await server.rest("PATCH", hitlPath("input"), answer);
    expect(hitlDetailResponse.parse(answered.body)).toMatchObject({ responded_by: { id: "airflow" }, ...answer });
    expect((await server.rest("PATCH", hitlPath("input"), answer)).status).toBe(409);

    const second = await claim("input", 2);
    expect(second.run.next_kwargs.event).toMatchObject({ chosen_options: ["Approve"], timedout: false });
    expect((await server.call("GET", path, { token: second.token })).body).toMatchObject({ response_received: true });
  });

  it("is answered by the users it is assigned to only", async () => {
    await trigger("assigned");
    const { id, token, state } = await claim("assigned");
    const body = { ti_id: id, ...question, assigned_users: [{ id: "ann", name: "Ann" }] };
    await server.call("POST", `/execution/hitlDetails/${id}`, { token, body });
    await state(awaiting);
    expect((await server.rest("PATCH", hitlPath("assigned"), { chosen_options: ["Approve"] })).status).toBe(403);
  });

  it("is not there for a task that never asked", async () => {
    await trigger("unasked");
    expect((await server.rest("GET", hitlPath("unasked"))).status).toBe(404);
  });
});
