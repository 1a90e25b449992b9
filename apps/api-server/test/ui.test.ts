import {
  authenticatedMeResponse,
  dashboardDagStatsResponse,
  gridRunSummary,
  gridRunsResponse,
  gridStructureResponse,
  menuItemsResponse,
  servicesResponse,
  skippedTicksResponse,
  structureDataResponse,
  uiConfigResponse,
  uiDagsResponse,
} from "@updraft/contract";
import { createMetrics } from "@updraft/service-kit";
import { parsedFile } from "@updraft/testkit";
import { dag, group } from "@updraft/testkit/dags";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { joinExpositions } from "../src/ui/metrics.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer;

beforeAll(async () => {
  const other = createMetrics("scheduler");
  other.counter("turns", "Turns of the test").inc(3);
  server = await startTestServer(
    {},
    {
      services: () => [{ name: "kafka", state: "starting", detail: "loading" }],
      registries: [other.registry],
    },
  );
  const form = dag("in > stage.a > stage.b > out, in > out", {
    dag_id: "g",
    task_group: group(null, [
      { task_id: "out" },
      { group: group("stage", [{ task_id: "stage.b" }, { task_id: "stage.a" }]) },
    ]),
    edge_labels: { in: { out: "short way" } },
  });
  await server.store.saveParsedFile(parsedFile([form]));
  await server.rest("PATCH", "/api/v2/dags/g", { is_paused: false });
  for (const dag_run_id of ["one", "two"])
    await server.rest("POST", "/api/v2/dags/g/dagRuns", { dag_run_id, logical_date: null });
});
afterAll(() => server.stop());

describe("what the pages ask for", () => {
  it.each<[string, z.ZodType]>([
    ["/ui/config", uiConfigResponse],
    ["/ui/auth/me", authenticatedMeResponse],
    ["/ui/auth/menus", menuItemsResponse],
    ["/ui/services", servicesResponse],
    ["/ui/dags?dag_runs_limit=14", uiDagsResponse],
    ["/ui/dashboard/dag_stats", dashboardDagStatsResponse],
    ["/ui/dags/g/skipped_ticks", skippedTicksResponse],
    ["/ui/grid/structure/g", gridStructureResponse],
    ["/ui/grid/runs/g?limit=1", gridRunsResponse],
    ["/ui/structure/structure_data?dag_id=g", structureDataResponse],
  ])("%s", async (path, schema) => {
    const answer = await server.rest("GET", path);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const parsed = schema.safeParse(answer.body);
    expect(parsed.success ? "" : z.prettifyError(parsed.error)).toBe("");
    expect((await server.call("GET", path)).status).toBe(401);
  });

  it("shows the tree in the order in which tasks run", async () => {
    const { body } = await server.rest("GET", "/ui/grid/structure/g");
    expect(body).toEqual([
      { id: "in", label: "in" },
      {
        id: "stage",
        label: "stage",
        children: [
          { id: "stage.a", label: "a" },
          { id: "stage.b", label: "b" },
        ],
      },
      { id: "out", label: "out" },
    ]);
  });

  it("sums up runs, one a line, groups too", async () => {
    const { body } = await server.rest("GET", "/ui/grid/ti_summaries/g?run_ids=one&run_ids=two");
    const lines = String(body)
      .trim()
      .split("\n")
      .map((line) => gridRunSummary.parse(JSON.parse(line)));
    expect(lines.map(({ run_id }) => run_id)).toEqual(["one", "two"]);
    const group = lines[0]?.task_instances.find(({ task_id }) => task_id === "stage");
    expect(group).toMatchObject({ state: null, child_states: { no_status: 2 } });
    expect(lines[0]?.task_instances.find(({ task_id }) => task_id === "in")?.state).toBe("queued");
  });

  it("labels edges, and shows the neighbours of one task", async () => {
    const all = await server.rest("GET", "/ui/structure/structure_data?dag_id=g");
    expect(all.body.edges).toHaveLength(4);
    expect(all.body.edges.find((edge: { label: string | null }) => edge.label !== null)).toMatchObject({
      target_id: "out",
    });
    const part = await server.rest("GET", "/ui/structure/structure_data?dag_id=g&root=stage.a&include_upstream=true");
    expect(part.body.edges).toMatchObject([{ source_id: "in", target_id: "stage.a" }]);
  });
});

describe("live events", () => {
  it("reach an open page", async () => {
    const body = { username: "airflow", password: "airflow" };
    const login = await server.call("POST", "/auth/login", { body });
    const cookie = String(login.headers.get("set-cookie")).split(";")[0] ?? "";
    const answer = await fetch(`${server.url}/ui/events`, { headers: { cookie } });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    await reader?.read();
    await server.rest("PATCH", "/api/v2/dags/g", { is_paused: true });
    let text = "";
    while (!text.includes('"type":"dag"')) text += (await reader?.read())?.value;
    expect(text).toContain('"is_paused":true');
    await reader?.cancel();
  });
});

describe("pages and metrics", () => {
  it("answers every page with HTML that other sites can't frame", async () => {
    const answer = await server.call("GET", "/dags/g/runs/one", { headers: { accept: "text/html" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toContain("text/html");
    expect(answer.headers.get("content-security-policy")).toContain("frame-ancestors 'self'");
    expect((await server.call("GET", "/assets/none.js", { headers: { accept: "*/*" } })).status).toBe(404);
  });

  it("joins the metrics of the roles, for this machine", async () => {
    const answer = await server.call("GET", "/metrics");
    expect(answer.body).toContain('turns{role="scheduler"} 3');
    expect(answer.body).toContain("airflow_api_request_duration_seconds_count");
    expect((await server.call("GET", "/metrics", { headers: { "x-forwarded-for": "192.0.2.1" } })).status).toBe(403);
  });

  it("writes the head of a family once", () => {
    const text = (role: string) =>
      `# HELP a A\n# TYPE a counter\na{role="${role}"} 1\n\n# HELP b B\n# TYPE b gauge\nb 2\n`;
    expect(joinExpositions([text("x"), text("y")])).toBe(
      '# HELP a A\n# TYPE a counter\na{role="x"} 1\na{role="y"} 1\n# HELP b B\n# TYPE b gauge\nb 2\nb 2\n',
    );
  });
});
