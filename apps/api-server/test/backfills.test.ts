/** Backfills over REST and the UI API: shapes, codes and texts are Airflow's. */
import {
  backfillCollectionResponse,
  backfillResponse,
  dagRunCollectionResponse,
  dryRunBackfillCollectionResponse,
} from "@updraft/contract";
import { parsedFile } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  const timetable = { type: "cron" as const, expression: "0 0 * * *", timezone: "UTC" };
  await server.store.saveParsedFile(parsedFile([dag("a", { dag_id: "etl", dag_display_name: "ETL", timetable })]));
});
afterAll(() => server.stop());

it("a DAG tells whether it can be backfilled, and which types of runs it allows", async () => {
  const shown = async (path: string) => (await server.rest("GET", path)).body;
  expect(await shown("/api/v2/dags/etl")).toMatchObject({ is_backfillable: true, allowed_run_types: null });
  const form = dag("a", { dag_id: "once", timetable: { type: "once" }, allowed_run_types: ["manual"] });
  await server.store.saveParsedFile(parsedFile([form], { relative_fileloc: "once.ts" }));
  const once = { is_backfillable: false, allowed_run_types: ["manual"] };
  expect(await shown("/api/v2/dags/once/details")).toMatchObject(once);
});

const RANGE = { dag_id: "etl", from_date: "2026-01-01T00:00:00Z", to_date: "2026-01-03T00:00:00+00:00" };

it("a backfill is planned, created, listed, paused, unpaused and cancelled", async () => {
  const planned = await server.rest("POST", "/api/v2/backfills/dry_run", RANGE);
  expect(planned.status).toBe(200);
  expect(dryRunBackfillCollectionResponse.parse(planned.body)).toMatchObject({
    backfills: [1, 2, 3].map((day) => ({ logical_date: `2026-01-0${day}T00:00:00.000Z`, partition_key: null })),
    total_entries: 3,
  });

  const body = { ...RANGE, run_backwards: true, dag_run_conf: { n: 1 } };
  const created = await server.rest("POST", "/api/v2/backfills", body);
  expect(created.status).toBe(200);
  const { id } = backfillResponse.parse(created.body);
  expect(created.body).toMatchObject({
    dag_id: "etl",
    dag_display_name: "ETL",
    from_date: "2026-01-01T00:00:00.000Z",
    max_active_runs: 10,
    reprocess_behavior: "none",
    dag_run_conf: { n: 1 },
    is_paused: false,
    completed_at: null,
  });
  const runs = dagRunCollectionResponse.parse((await server.rest("GET", "/api/v2/dags/etl/dagRuns")).body);
  expect(
    runs.dag_runs.map(({ dag_run_id, run_type, triggered_by }) => [dag_run_id, run_type, triggered_by]),
  ).toContainEqual(["backfill__2026-01-02T00:00:00+00:00", "backfill", "backfill"]);

  for (const path of ["/api/v2/backfills?dag_id=etl", "/ui/backfills", "/ui/backfills?active=true&dag_id=etl"]) {
    const list = backfillCollectionResponse.parse((await server.rest("GET", path)).body);
    expect(list).toMatchObject({ total_entries: 1, backfills: [{ id }] });
  }
  const done = await server.rest("GET", "/ui/backfills?active=false");
  expect(done.body).toEqual({ backfills: [], total_entries: 0 });
  expect((await server.rest("GET", `/api/v2/backfills/${id}`)).body).toEqual(created.body);

  const change = async (how: string) => (await server.rest("PUT", `/api/v2/backfills/${id}/${how}`)).body;
  expect(backfillResponse.parse(await change("pause")).is_paused).toBe(true);
  expect(backfillResponse.parse(await change("unpause")).is_paused).toBe(false);
  const again = await server.rest("POST", "/api/v2/backfills", RANGE);
  expect([again.status, again.body.detail]).toEqual([409, "There is already a running backfill for dag etl"]);
  expect(backfillResponse.parse(await change("cancel")).completed_at).not.toBeNull();
  expect(await change("pause")).toEqual({ detail: "Backfill is already completed." });
});

it.each<[string, string, object | undefined, number, unknown]>([
  ["POST", "/api/v2/backfills", { ...RANGE, dag_id: "x" }, 404, "Could not find dag x"],
  ["POST", "/api/v2/backfills/dry_run", { ...RANGE, dag_id: "x" }, 404, "Could not find dag x"],
  ["POST", "/api/v2/backfills", { ...RANGE, from_date: "2099-01-01T00:00:00Z" }, 422, /must not be after to_date/],
  [
    "POST",
    "/api/v2/backfills",
    { ...RANGE, from_date: "2099-01-01T00:00:00Z", to_date: "2099-01-02T00:00:00Z" },
    422,
    "Backfill cannot be executed for future dates.",
  ],
  ["GET", "/api/v2/backfills/99", undefined, 404, "Backfill not found"],
  ["PUT", "/api/v2/backfills/99/pause", undefined, 404, "Could not find backfill with id 99"],
  ["PUT", "/api/v2/backfills/99/cancel", undefined, 404, "Could not find backfill with id 99"],
])("%s %s %j is refused", async (method, path, body, status, detail) => {
  const answer = await server.rest(method, path, body);
  expect(answer.status).toBe(status);
  if (detail instanceof RegExp) expect(answer.body.detail).toMatch(detail);
  else expect(answer.body.detail).toBe(detail);
});

it("what does not fit the schema is told in FastAPI's words", async () => {
  const wrong = { ...RANGE, from_date: "yesterday", reprocess_behavior: "some", extra: 1 };
  const answer = await server.rest("POST", "/api/v2/backfills", wrong);
  expect(answer.status).toBe(422);
  const places = answer.body.detail.map(({ loc }: { loc: string[] }) => loc.join("."));
  expect(places.sort()).toEqual(["body.extra", "body.from_date", "body.reprocess_behavior"]);
  const missing = await server.rest("GET", "/api/v2/backfills");
  expect([missing.status, missing.body.detail[0].loc]).toEqual([422, ["query", "dag_id"]]);
});
