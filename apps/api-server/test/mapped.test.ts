/** Mapped tasks over REST and in the grid. */
import type { GridTaskSummary } from "@updraft/contract";
import { parsedFile } from "@updraft/testkit";
import { dag, group } from "@updraft/testkit/dags";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer;
const RUN = "/api/v2/dags/d/dagRuns/r";

beforeAll(async () => {
  server = await startTestServer();
  const source = { kind: "literal" as const, value: ["a", "b", "c"] };
  const mapped = { expand: { kind: "product" as const, inputs: [{ name: "x", source }] } };
  const over = { kind: "product" as const, inputs: [{ name: "x", source: { ...source, value: [1, 2] } }] };
  const inner = group("g.h", [{ task_id: "g.h.b" }]);
  const task_group = group(null, [
    { task_id: "m" },
    { task_id: "end" },
    { group: group("g", [{ task_id: "g.a" }, { group: inner }], { expand: over }) },
  ]);
  const form = dag("m > end, g.a > g.h.b", { dag_id: "d", task_group }, { m: mapped });
  await server.store.saveParsedFile(parsedFile([form]));
  await server.rest("PATCH", "/api/v2/dags/d", { is_paused: false });
  await server.rest("POST", "/api/v2/dags/d/dagRuns", { dag_run_id: "r", logical_date: null });
  const offer = server.offered.find(({ task_id, map_index }) => task_id === "m" && map_index === 1);
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

it("lists none of a task that is not mapped, and says so", async () => {
  expect(await server.rest("GET", `${RUN}/taskInstances/end/listMapped`)).toMatchObject({
    status: 404,
    body: { detail: "Task id end is not mapped" },
  });
  expect((await server.rest("GET", `${RUN}/taskInstances/nowhere/listMapped`)).status).toBe(404);
});

it("asks for the index of a task that has many instances", async () => {
  expect(await server.rest("GET", `${RUN}/taskInstances/m`)).toMatchObject({
    status: 404,
    body: { detail: "Task instance is mapped, add the map_index value to the URL" },
  });
  expect(await server.rest("GET", `${RUN}/taskInstances/m/1`)).toMatchObject({ status: 200, body: { map_index: 1 } });
});

it("tells which tasks are mapped, by themselves or by a group around them", async () => {
  const { body } = await server.rest("GET", "/api/v2/dags/d/tasks");
  const { tasks } = body as { tasks: { task_id: string; is_mapped: boolean }[] };
  const mapped = { m: true, end: false, "g.a": true, "g.h.b": true };
  expect(Object.fromEntries(tasks.map((one) => [one.task_id, one.is_mapped]))).toEqual(mapped);
  expect((await server.rest("GET", "/api/v2/dags/d/tasks/g.a")).body.is_mapped).toBe(true);
});

it("shows mapped tasks and groups as such in the grid and the graph", async () => {
  type Node = { id: string; is_mapped?: boolean; children?: Node[] | null };
  const marks = (nodes: Node[]): string[] =>
    nodes.flatMap((node) => [`${node.id}: ${node.is_mapped === true}`, ...marks(node.children ?? [])]);
  const mapped = ["end: false", "g.a: true", "g.h.b: true", "g.h: true", "g: true", "m: true"];
  const grid = await server.rest("GET", "/ui/grid/structure/d");
  expect(marks(grid.body).sort()).toEqual(mapped);
  const graph = await server.rest("GET", "/ui/structure/structure_data?dag_id=d");
  expect(marks(graph.body.nodes).sort()).toEqual(mapped);
});

it("has one cell in the grid for all instances of a task, with their number in each state", async () => {
  const { body } = await server.rest("GET", "/ui/grid/ti_summaries/d?run_ids=r");
  const { task_instances } = JSON.parse(String(body)) as { task_instances: GridTaskSummary[] };
  const cells = task_instances.map((cell) => [cell.task_id, cell.state, cell.child_states]);
  expect(cells.sort()).toEqual([
    ["end", null, null],
    ["g", "queued", { queued: 2, no_status: 2 }],
    ["g.a", "queued", { queued: 2 }],
    ["g.h", null, { no_status: 2 }],
    ["g.h.b", null, { no_status: 2 }],
    ["m", "queued", { queued: 2, success: 1 }],
  ]);
  expect(task_instances.find(({ task_id }) => task_id === "m")).toMatchObject({
    min_start_date: expect.any(String),
    max_end_date: expect.any(String),
    has_note: false,
  });
});

it("marks and notes all instances of a task where no index is named", async () => {
  const body = { new_state: "success", note: "by hand" };
  const { status } = await server.rest("PATCH", `${RUN}/taskInstances/m`, body);
  const { body: list } = await server.rest("GET", `${RUN}/taskInstances/m/listMapped`);
  const { task_instances } = list as { task_instances: { state: string; note: string }[] };
  expect(status).toBe(200);
  expect(task_instances.map(({ state, note }) => `${state} ${note}`)).toEqual(Array(3).fill("success by hand"));
});
