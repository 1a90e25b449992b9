/** Mapped tasks over REST and in the grid. */
import { parsedFile } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer;
const RUN = "/api/v2/dags/d/dagRuns/r";

beforeAll(async () => {
  server = await startTestServer();
  const source = { kind: "literal" as const, value: ["a", "b", "c"] };
  const mapped = { expand: { kind: "product" as const, inputs: [{ name: "x", source }] } };
  await server.store.saveParsedFile(parsedFile([dag("m > end", { dag_id: "d" }, { m: mapped })]));
  await server.rest("PATCH", "/api/v2/dags/d", { is_paused: false });
  await server.rest("POST", "/api/v2/dags/d/dagRuns", { dag_run_id: "r", logical_date: null });
  const offer = server.offered.find(({ map_index }) => map_index === 1);
  if (offer === undefined) throw new Error("index 1 was not offered");
  const address = { ti_id: offer.ti_id, try_number: 1 };
  await server.store.claimTry({ ...address, hostname: "h", unixname: "u", pid: 1 });
  const outcome = { kind: "success" as const, xcoms: [] };
  await server.store.finishTry({ ...address, outcome, end_date: Date.now(), rendered_map_index: "file b" });
});
afterAll(() => server.stop());

it("lists the instances of a mapped task, in their order and with their names", async () => {
  const { status, body } = await server.rest("GET", `${RUN}/taskInstances/m/listMapped`);
  const { task_instances } = body as { task_instances: { map_index: number; rendered_map_index: string | null }[] };
  expect(status).toBe(200);
  expect(task_instances.map((one) => [one.map_index, one.rendered_map_index])).toEqual([
    [0, null],
    [1, "file b"],
    [2, null],
  ]);
});

it("lists none of a task that is not mapped", async () => {
  const { body } = await server.rest("GET", `${RUN}/taskInstances/end/listMapped`);
  expect(body).toMatchObject({ task_instances: [], total_entries: 0 });
});

it("tells which tasks are mapped", async () => {
  const { body } = await server.rest("GET", "/api/v2/dags/d/tasks");
  const { tasks } = body as { tasks: { task_id: string; is_mapped: boolean }[] };
  expect(Object.fromEntries(tasks.map((one) => [one.task_id, one.is_mapped]))).toEqual({ m: true, end: false });
});
