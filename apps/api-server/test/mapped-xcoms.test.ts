/** The values of a mapped task over the Execution API: their number, parts of them, single ones, and the limit. */
import { parsedFile } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "./test-server.ts";

const RUN_BODY = { state: "running", hostname: "h", unixname: "u", pid: 7, start_date: "2026-01-01T00:00:00Z" };
const LIST = "/execution/xcoms/d/r/m/return_value";

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer({ AIRFLOW__CORE__MAX_MAP_LENGTH: "5" });
  const source = { kind: "literal" as const, value: [0, 1, 2, 3, 4] };
  const mapped = { expand: { kind: "product" as const, inputs: [{ name: "x", source }] } };
  await server.store.saveParsedFile(parsedFile([dag("m > end", { dag_id: "d" }, { m: mapped })]));
  await server.rest("PATCH", "/api/v2/dags/d", { is_paused: false });
  await server.rest("POST", "/api/v2/dags/d/dagRuns", { dag_run_id: "r", logical_date: null });
  const offer = server.offered.find(({ map_index }) => map_index === 0);
  const path = `/execution/task-instances/${offer?.ti_id}/run`;
  const claim = await server.call("PATCH", path, { body: RUN_BODY, token: String(offer?.token) });
  token = String(claim.headers.get("refreshed-api-token"));
  // Index 1 returned nothing, index 3 null.
  for (const [index, value] of [
    [4, "e"],
    [0, "a"],
    [2, { c: 1 }],
    [3, null],
  ] as const) {
    const body = JSON.stringify(value);
    expect((await server.call("POST", `${LIST}?map_index=${index}`, { body, token, headers: JSON_TYPE })).status).toBe(
      201,
    );
  }
});
afterAll(() => server.stop());

const JSON_TYPE = { "content-type": "application/json" };

describe("the values of a mapped task", () => {
  it("are counted by HEAD, without those that returned nothing", async () => {
    const { status, headers } = await server.call("HEAD", LIST, { token });
    expect([status, headers.get("content-range")]).toEqual([200, "map_indexes 3"]);
  });

  it.each([
    ["", ["a", { c: 1 }, "e"]],
    ["?start=1", [{ c: 1 }, "e"]],
    ["?start=0&stop=2", ["a", { c: 1 }]],
    ["?start=-1", ["e"]],
    ["?stop=-1", ["a", { c: 1 }]],
    ["?step=-1", ["e", { c: 1 }, "a"]],
    ["?start=0&step=2", ["a", "e"]],
    ["?start=7", []],
  ])("are cut by slice%s in the order of their indexes", async (query, values) => {
    expect(await server.call("GET", `${LIST}/slice${query}`, { token })).toMatchObject({ status: 200, body: values });
  });

  it.each([
    ["0", 200, "a"],
    ["2", 200, "e"],
    ["-1", 200, "e"],
    ["-3", 200, "a"],
    ["3", 404, { detail: { reason: "not_found" } }],
    ["-4", 404, { detail: { reason: "not_found" } }],
    ["x", 404, { detail: { reason: "not_found" } }],
  ])("have at item/%s: %i", async (offset, status, body) => {
    const answer = await server.call("GET", `${LIST}/item/${offset}`, { token });
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.body).toEqual(body);
    else expect(answer.body).toMatchObject(body as object);
  });

  it("are refused to strangers", async () => {
    for (const path of [`${LIST}/slice`, `${LIST}/item/0`])
      expect((await server.call("GET", path)).status).toBeGreaterThanOrEqual(401);
  });
});

describe("mapped_length of a pushed value", () => {
  it.each([
    ["5", 201],
    ["6", 400],
    ["-1", 422],
  ])("of %s is answered %i where five are allowed", async (length, status) => {
    const path = `/execution/xcoms/d/r/end/other?mapped_length=${length}`;
    const answer = await server.call("POST", path, { body: [1, 2, 3, 4, 5], token });
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    if (status === 400) expect(answer.body.detail.reason).toBe("unmappable_return_value_length");
  });

  it("that is refused keeps the value out", async () => {
    const path = "/execution/xcoms/d/r/end/refused";
    await server.call("POST", `${path}?mapped_length=6`, { body: [1], token });
    expect((await server.call("GET", path, { token })).status).toBe(404);
  });
});
