/** Deadlines and draining in the private UI API. */
import { deadlineAlertCollectionResponse, deadlineCollectionResponse } from "@updraft/contract";
import { parsedFile } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  const queued = { reference_type: "DagRunQueuedAtDeadline" } as const;
  const deadlines = [
    { name: "b", reference: queued, interval: 60, callback: null },
    { name: "a", reference: queued, interval: { variable: "sla" }, callback: null },
  ];
  await server.store.saveParsedFile(parsedFile([dag("t", { dag_id: "etl", deadlines })]));
  await server.rest("POST", "/api/v2/dags/etl/dagRuns", { dag_run_id: "first", logical_date: null });
});
afterAll(() => server.stop());

it("the deadlines of a run, or of all, with their alert", async () => {
  for (const path of ["etl/dagRuns/first", "etl/dagRuns/~", "~/dagRuns/~"]) {
    const { status, body } = await server.rest(
      "GET",
      `/ui/dags/${path}/deadlines?missed=false&order_by=-deadline_time`,
    );
    expect(status).toBe(200);
    const { deadlines, total_entries } = deadlineCollectionResponse.parse(body);
    expect(total_entries).toBe(1);
    expect(deadlines).toMatchObject([{ dag_id: "etl", dag_run_id: "first", alert_name: "b", missed: false }]);
  }
  expect((await server.rest("GET", "/ui/dags/~/dagRuns/~/deadlines?missed=true")).body.total_entries).toBe(0);
  const later = "deadline_time_gte=2099-01-01T00:00:00Z";
  expect((await server.rest("GET", `/ui/dags/~/dagRuns/~/deadlines?${later}`)).body.total_entries).toBe(0);
  expect((await server.rest("GET", "/ui/dags/etl/dagRuns/none/deadlines")).status).toBe(404);
  expect((await server.rest("GET", "/ui/dags/~/dagRuns/~/deadlines?order_by=color")).status).toBe(400);
});

it("the alerts of a version, by the id that its deadlines name", async () => {
  const { body } = await server.rest("GET", "/ui/dags/etl/deadlineAlerts?order_by=name");
  const { deadline_alerts } = deadlineAlertCollectionResponse.parse(body);
  expect(deadline_alerts).toMatchObject([
    { name: "a", interval: null, reference_type: "DagRunQueuedAtDeadline" },
    { name: "b", interval: 60, reference_type: "DagRunQueuedAtDeadline" },
  ]);
  const [deadline] = (await server.rest("GET", "/ui/dags/etl/dagRuns/first/deadlines")).body.deadlines;
  expect(deadline.alert_id).toBe(deadline_alerts[1]?.id);
  expect((await server.rest("GET", "/ui/dags/etl/deadlineAlerts?version_number=1")).body.total_entries).toBe(2);
  expect((await server.rest("GET", "/ui/dags/etl/deadlineAlerts?version_number=9")).status).toBe(404);
});

it("draining is switched on and off", async () => {
  await server.rest("PATCH", "/api/v2/dags/etl", { is_paused: false });
  expect((await server.rest("PUT", "/ui/dags/etl/drain")).status).toBe(204);
  await server.store.pauseDrained();
  expect((await server.rest("GET", "/api/v2/dags/etl")).body.is_paused).toBe(false);
  expect((await server.rest("DELETE", "/ui/dags/etl/drain")).status).toBe(204);
  expect((await server.rest("PUT", "/ui/dags/none/drain")).status).toBe(404);
});
