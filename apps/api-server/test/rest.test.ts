import {
  bulkResponse,
  clearPreviewResponse,
  type clearTaskInstancesBody,
  dagCollectionResponse,
  dagDetailsResponse,
  dagRunCollectionResponse,
  dagRunResponse,
  dagSourceResponse,
  dagStatsCollectionResponse,
  dagTagCollectionResponse,
  dagVersionCollectionResponse,
  eventLogCollectionResponse,
  eventLogResponse,
  healthResponse,
  importErrorCollectionResponse,
  jobCollectionResponse,
  poolCollectionResponse,
  taskCollectionResponse,
  taskDependencyCollectionResponse,
  taskInstanceCollectionResponse,
  taskInstanceHistoryCollectionResponse,
  taskInstanceResponse,
  versionResponse,
  xcomCollectionResponse,
  xcomNativeResponse,
} from "@updraft/contract";
import { parsedFile } from "@updraft/testkit";
import { dag, group } from "@updraft/testkit/dags";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer;
const RUN = "/api/v2/dags/etl/dagRuns/first";

beforeAll(async () => {
  server = await startTestServer();
  const form = dag("extract > load", {
    dag_id: "etl",
    tags: ["daily"],
    timetable: { type: "delta", seconds: 5 },
    start_date: 0,
    task_group: group(null, [{ group: group("both", [{ task_id: "extract" }, { task_id: "load" }]) }]),
  });
  await server.store.saveParsedFile(parsedFile([form]));
  await server.store.saveImportError({
    relative_fileloc: "broken.ts",
    fileloc: "/dags/broken.ts",
    bundle_name: "dags-folder",
    stack_trace: "Error",
  });
  await server.rest("PATCH", "/api/v2/dags/etl", { is_paused: false });
  await server.rest("POST", "/api/v2/dags/etl/dagRuns", { dag_run_id: "first", logical_date: null, conf: { a: 1 } });
  const [offer] = server.offered;
  if (offer === undefined) throw new Error("the first task was not offered");
  const address = { ti_id: offer.ti_id, try_number: 1 };
  await server.store.claimTry({ ...address, hostname: "h", unixname: "u", pid: 1 });
  const outcome = { kind: "success", xcoms: [{ key: "return_value", value: { n: 7 } }] } as const;
  await server.store.finishTry({ ...address, outcome, end_date: Date.now() });
});
afterAll(() => server.stop());

describe("answers have the contract's shapes", () => {
  it.each<[string, z.ZodType]>([
    ["/api/v2/version", versionResponse],
    ["/api/v2/monitor/health", healthResponse],
    ["/api/v2/dags", dagCollectionResponse],
    ["/api/v2/dags?tags=daily&tags_match_mode=all&order_by=-last_run_start_date", dagCollectionResponse],
    ["/api/v2/dags/etl/details", dagDetailsResponse],
    ["/api/v2/dags/etl/tasks?order_by=-task_id", taskCollectionResponse],
    ["/api/v2/dags/etl/dagVersions", dagVersionCollectionResponse],
    ["/api/v2/dagSources/etl", dagSourceResponse],
    ["/api/v2/dagTags", dagTagCollectionResponse],
    ["/api/v2/dagStats?dag_ids=etl", dagStatsCollectionResponse],
    ["/api/v2/dags/~/dagRuns?state=running&state=queued&run_after_gte=2020-01-01", dagRunCollectionResponse],
    [RUN, dagRunResponse],
    ["/api/v2/dags/~/dagRuns/~/taskInstances", taskInstanceCollectionResponse],
    [`${RUN}/taskInstances?state=success`, taskInstanceCollectionResponse],
    [`${RUN}/taskInstances/load`, taskInstanceResponse],
    [`${RUN}/taskInstances/load/-1`, taskInstanceResponse],
    [`${RUN}/taskInstances/extract/tries`, taskInstanceHistoryCollectionResponse],
    [`${RUN}/taskInstances/load/dependencies`, taskDependencyCollectionResponse],
    [`${RUN}/taskInstances/extract/xcomEntries`, xcomCollectionResponse],
    [`${RUN}/taskInstances/extract/xcomEntries/return_value`, xcomNativeResponse],
    ["/api/v2/importErrors", importErrorCollectionResponse],
    ["/api/v2/pools", poolCollectionResponse],
    ["/api/v2/jobs?is_alive=true", jobCollectionResponse],
    [
      "/api/v2/eventLogs?dag_id=etl&order_by=-when&included_events=patch_dag&excluded_events=x",
      eventLogCollectionResponse,
    ],
    ["/api/v2/eventLogs/1", eventLogResponse],
  ])("%s", async (path, schema) => {
    const answer = await server.rest("GET", path);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const parsed = schema.safeParse(answer.body);
    expect(parsed.success ? "" : z.prettifyError(parsed.error)).toBe("");
    if ("total_entries" in answer.body && !path.includes("dagRuns/first/taskInstances/load")) {
      expect(answer.body.total_entries, path).toBeGreaterThan(0);
    }
  });
});

describe("refusals are Airflow's", () => {
  it.each([
    ["GET", "/api/v2/dags/none", undefined, 404, "The Dag with ID: `none` was not found"],
    [
      "GET",
      "/api/v2/dags?order_by=nope",
      undefined,
      400,
      "Ordering with 'nope' is disallowed or the attribute does not exist on the model",
    ],
    [
      "GET",
      "/api/v2/dags/etl/dagRuns/nope",
      undefined,
      404,
      "The DagRun with dag_id: `etl` and run_id: `nope` was not found",
    ],
    ["POST", "/api/v2/dags/none/dagRuns", { logical_date: null }, 404, "Dag with dag_id: 'none' not found"],
    ["PUT", "/api/v2/dags", {}, 405, "Method Not Allowed"],
    ["GET", "/api/v2/nothing", undefined, 404, "Not Found"],
    [
      "GET",
      "/api/v2/dags/%E0%A4%A",
      undefined,
      400,
      "The address can't be read: a part of it is not valid percent-encoding.",
    ],
    [
      "GET",
      `${RUN}/taskInstances/nope`,
      undefined,
      404,
      "The Task Instance with dag_id: `etl`, run_id: `first` and task_id: `nope` was not found",
    ],
  ])("%s %s", async (method, path, body, status, detail) => {
    expect(await server.rest(method, path, body)).toMatchObject({ status, body: { detail } });
  });

  it.each([
    ["a missing field", {}, { type: "missing", loc: ["body", "logical_date"], msg: "Field required" }],
    ["a field too many", { logical_date: null, x: 1 }, { type: "extra_forbidden", loc: ["body", "x"] }],
    ["broken JSON", "{", { type: "json_invalid", loc: ["body", 0] }],
  ])("says what is wrong with %s", async (_what, body, item) => {
    const answer = await server.rest("POST", "/api/v2/dags/etl/dagRuns", body);
    expect(answer.status).toBe(422);
    expect(answer.body.detail[0]).toMatchObject(item);
  });

  it("says what is wrong with a query", async () => {
    const answer = await server.rest("GET", "/api/v2/dags?limit=-1");
    expect(answer.status).toBe(422);
    expect(answer.body.detail[0]).toMatchObject({ type: "greater_than_equal", loc: ["query", "limit"] });
  });

  it("refuses bodies that are too large or no JSON", async () => {
    const big = { logical_date: null, conf: { x: "x".repeat(2_000_000) } };
    expect((await server.rest("POST", "/api/v2/dags/etl/dagRuns", big)).status).toBe(413);
    const form = { body: "a=1", headers: { "content-type": "application/x-www-form-urlencoded" } };
    expect((await server.call("POST", "/auth/token", form)).status).toBe(415);
  });
});

describe("changes", () => {
  it("refuses a run id that is taken", async () => {
    const answer = await server.rest("POST", "/api/v2/dags/etl/dagRuns", { dag_run_id: "first", logical_date: null });
    expect(answer.status).toBe(409);
  });

  it("marks a task with what comes after it", async () => {
    await server.rest("POST", "/api/v2/dags/etl/dagRuns", { dag_run_id: "marked", logical_date: null });
    const path = "/api/v2/dags/etl/dagRuns/marked/taskInstances/extract";
    const body = { new_state: "success", include_downstream: true };
    const preview = await server.rest("PATCH", `${path}/dry_run`, body);
    expect(preview.body.total_entries).toBe(2);
    const answer = await server.rest("PATCH", path, body);
    expect(answer.body.task_instances.map((ti: { state: string }) => ti.state)).toEqual(["success", "success"]);
  });

  it("clears, after telling what it would clear", async () => {
    const body = { dag_run_id: "marked", only_failed: false } satisfies Partial<z.input<typeof clearTaskInstancesBody>>;
    const path = "/api/v2/dags/etl/clearTaskInstances";
    expect((await server.rest("POST", path, body)).body.total_entries).toBe(2);
    await server.rest("POST", path, { ...body, dry_run: false });
    const run = await server.rest("GET", "/api/v2/dags/etl/dagRuns/marked");
    expect(["queued", "running"]).toContain(run.body.state);
  });

  it("clears with exclusive filters refused, and only_running alone", async () => {
    const path = "/api/v2/dags/etl/clearTaskInstances";
    const both = await server.rest("POST", path, { only_failed: true, only_running: true });
    expect([both.status, both.body.detail[0].msg]).toEqual([422, expect.stringContaining("mutually exclusive")]);
    expect((await server.rest("POST", path, { dag_run_id: "marked", only_running: true })).body.total_entries).toBe(0);
  });

  it("refuses to look before or after a run without a logical date", async () => {
    const body = { dag_run_id: "marked", include_past: true };
    expect(await server.rest("POST", "/api/v2/dags/etl/clearTaskInstances", body)).toMatchObject({ status: 400 });
  });

  it("clears one run, many runs, and previews both", async () => {
    const one = "/api/v2/dags/etl/dagRuns/marked/clear";
    expect((await server.rest("POST", one, {})).body).toMatchObject({ total_entries: 2 });
    expect((await server.rest("POST", one, { dry_run: true, only_new: true })).body).toMatchObject({
      total_entries: 0,
    });
    expect(await server.rest("POST", one, { only_new: true, only_failed: true })).toMatchObject({ status: 422 });
    expect((await server.rest("POST", one, { dry_run: false })).body).toMatchObject({ dag_run_id: "marked" });
    const many = { dag_runs: [{ dag_run_id: "first" }, { dag_run_id: "marked" }] };
    const preview = await server.rest("POST", "/api/v2/dags/etl/clearDagRuns", many);
    expect(clearPreviewResponse.safeParse(preview.body).success).toBe(true);
    expect(preview.body.total_entries).toBe(4);
    const cleared = await server.rest("POST", "/api/v2/dags/etl/clearDagRuns", { ...many, dry_run: false });
    expect(dagRunCollectionResponse.safeParse(cleared.body).success, JSON.stringify(cleared.body)).toBe(true);
    const missing = { dag_runs: [{ dag_run_id: "none" }] };
    expect(await server.rest("POST", "/api/v2/dags/etl/clearDagRuns", missing)).toMatchObject({ status: 404 });
  });

  it("patches a run's note and state", async () => {
    const path = "/api/v2/dags/etl/dagRuns/marked";
    const answer = await server.rest("PATCH", path, { note: "why", state: "failed" });
    expect(answer.body).toMatchObject({ note: "why", state: "failed" });
  });

  it("marks a task that is in the state already with 409", async () => {
    const path = "/api/v2/dags/etl/dagRuns/first/taskInstances/extract";
    await server.rest("PATCH", path, { new_state: "success" });
    expect(await server.rest("PATCH", path, { new_state: "success" })).toMatchObject({
      status: 409,
      body: { detail: "Task id extract is already in success state" },
    });
  });

  it("marks a task group, after a dry run", async () => {
    await server.rest("POST", "/api/v2/dags/etl/dagRuns", { dag_run_id: "grouped", logical_date: null });
    const path = "/api/v2/dags/etl/dagRuns/grouped/taskGroupInstances/both";
    const preview = await server.rest("PATCH", `${path}/dry_run`, { new_state: "failed" });
    expect(taskInstanceCollectionResponse.safeParse(preview.body).success).toBe(true);
    expect(preview.body.total_entries).toBe(2);
    const marked = await server.rest("PATCH", path, { new_state: "failed", note: "by hand" });
    expect(marked.body.task_instances.map((ti: { state: string; note: string }) => [ti.state, ti.note])).toEqual([
      ["failed", "by hand"],
      ["failed", "by hand"],
    ]);
    const missing = "/api/v2/dags/etl/dagRuns/grouped/taskGroupInstances/none";
    expect(await server.rest("PATCH", missing, { new_state: "failed" })).toMatchObject({ status: 404 });
  });

  it("changes and deletes task instances in bulk, and tells what it could not do", async () => {
    await server.rest("POST", "/api/v2/dags/etl/dagRuns", { dag_run_id: "bulk", logical_date: null });
    const actions = [
      {
        action: "update",
        entities: [
          { task_id: "extract", new_state: "success" },
          { task_id: "none", note: "x" },
        ],
      },
      { action: "delete", entities: ["load", "load"], action_on_non_existence: "skip" },
      { action: "create", entities: [{ task_id: "extract" }] },
    ];
    const answer = await server.rest("PATCH", "/api/v2/dags/etl/dagRuns/bulk/taskInstances", { actions });
    expect(bulkResponse.safeParse(answer.body).success, JSON.stringify(answer.body)).toBe(true);
    expect(answer.body).toMatchObject({
      update: { success: ["etl.bulk.extract[-1]"], errors: [{ status_code: 404 }] },
      delete: { success: ["etl.bulk.load[-1]"], errors: [] },
      create: { success: [], errors: [{ status_code: 400 }] },
    });
  });

  it("deletes runs, one and in bulk, but none that runs", async () => {
    await server.rest("POST", "/api/v2/dags/etl/dagRuns", { dag_run_id: "gone", logical_date: null });
    const path = "/api/v2/dags/etl/dagRuns/gone";
    expect(await server.rest("DELETE", path)).toMatchObject({ status: 409 });
    await server.rest("PATCH", path, { state: "failed" });
    expect((await server.rest("DELETE", path)).status).toBe(204);
    expect((await server.rest("GET", path)).status).toBe(404);
    const actions = [
      { action: "update", entities: [{ dag_run_id: "grouped", note: "n" }], update_mask: ["note"] },
      { action: "delete", entities: [{ dag_run_id: "grouped" }, "gone"] },
    ];
    const answer = await server.rest("PATCH", "/api/v2/dags/etl/dagRuns", { actions });
    expect(answer.body).toMatchObject({
      update: { success: ["etl.grouped"], errors: [] },
      delete: { success: ["etl.grouped"], errors: [{ status_code: 404 }] },
      create: null,
    });
  });

  it("creates, changes and deletes pools", async () => {
    const body = { name: "db", slots: 2, description: "the database", include_deferred: true };
    const created = await server.rest("POST", "/api/v2/pools", body);
    expect([created.status, created.body]).toMatchObject([
      201,
      { ...body, open_slots: 2, occupied_slots: 0, team_name: null },
    ]);
    expect(await server.rest("POST", "/api/v2/pools", body)).toMatchObject({ status: 409 });
    const path = "/api/v2/pools/db";
    expect(
      (await server.rest("PATCH", `${path}?update_mask=slots`, { slots: -1, description: "x" })).body,
    ).toMatchObject({
      ...{ slots: -1, description: "the database", open_slots: -1 },
    });
    expect(await server.rest("PATCH", path, { pool: "other" })).toMatchObject({ status: 400 });
    expect((await server.rest("GET", "/api/v2/pools?pool_name_pattern=_b&order_by=-slots")).body).toMatchObject({
      ...{ total_entries: 1, pools: [{ name: "db" }] },
    });
    expect((await server.rest("DELETE", path)).status).toBe(204);
    expect((await server.rest("DELETE", path)).status).toBe(404);
    expect((await server.rest("DELETE", "/api/v2/pools/default_pool")).status).toBe(400);
  });

  it("changes pools in bulk", async () => {
    const actions = [
      {
        action: "create",
        entities: [
          { name: "p1", slots: 1 },
          { name: "default_pool", slots: 1 },
        ],
      },
      {
        action: "update",
        entities: [
          { name: "p1", slots: 5 },
          { name: "none", slots: 5 },
        ],
        action_on_non_existence: "skip",
      },
      { action: "delete", entities: ["p1", "none"] },
    ];
    expect((await server.rest("PATCH", "/api/v2/pools", { actions })).body).toMatchObject({
      create: { success: ["p1"], errors: [{ status_code: 409 }] },
      update: { success: ["p1"], errors: [] },
      delete: { success: ["p1"], errors: [{ status_code: 404 }] },
    });
  });

  it("lists runs by POST and pauses many at once", async () => {
    const listed = await server.rest("POST", "/api/v2/dags/~/dagRuns/list", { states: ["failed"], page_limit: 5 });
    expect(listed.body.dag_runs).toHaveLength(1);
    const paused = await server.rest("PATCH", "/api/v2/dags?dag_id_pattern=etl", { is_paused: true });
    expect(paused.body.dags[0].is_paused).toBe(true);
  });
});
