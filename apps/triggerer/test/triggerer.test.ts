/**
 * The triggerer with real trigger hosts, before a peer that speaks the Task Execution API and notes what it is told. That
 * the engine accepts these calls is shown where both run together.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, createMetrics, loadConfig } from "@updraft/service-kit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTriggerer, type Triggerer } from "../src/index.ts";

const CODE = `
import { Bundle, Dag, defineTrigger, getClient, getContext } from "@updraft/sdk";
defineTrigger("echo", async ({ value }) => ({ value, task: getContext().taskId }));
defineTrigger("variable", async () => getClient().getVariable("v"));
defineTrigger("broken", async () => { throw new Error("it broke"); });
defineTrigger("forever", (_, { signal }) => new Promise((done) => signal.addEventListener("abort", done)));
defineTrigger("letters", async function* ({ letters }) {
  yield* letters;
  yield await getClient().getVariable("v");
  yield getContext();
});
defineTrigger("fatal", async () => process.exit(7));
await new Bundle(new Dag("d")).serve();
`;
const HASH = createHash("sha256").update(CODE).digest("hex");
const DAG_RUN = {
  ...{ dag_id: "d", run_id: "r", logical_date: null, data_interval_start: null, data_interval_end: null },
  ...{ run_after: "2026-01-01T00:00:00Z", start_date: null, end_date: null, clear_number: 0, run_type: "manual" },
  ...{
    state: "running",
    conf: {},
    triggering_user_name: null,
    consumed_asset_events: [],
    partition_key: null,
    note: null,
  },
};

interface Event {
  readonly id: number;
  readonly fence: number;
  readonly sequence?: number;
  readonly payload?: unknown;
  readonly traceback?: readonly string[];
}

let folder: string;
let triggerer: Triggerer;
let offered: object[] = [];
let offeredWatchers: object[] = [];
let refused: Set<number>;
let events: Event[] = [];
let reports: { held: { id: number }[]; state?: string }[] = [];
let lost: Set<number>;
let failNextReport = false;
let wake: () => void = () => undefined;

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
  const path = request.url ?? "";
  const json = (value: unknown, status = 200) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  if (path.includes("/artefacts/")) return void response.end(CODE);
  if (path.includes("/variables/")) return json({ key: "v", value: "of the try" });
  if (path.endsWith("/claim")) {
    const triggers = await nextOffers(response);
    return json({ triggers, watchers: response.destroyed ? [] : offeredWatchers.splice(0) });
  }
  if (path.endsWith("/events")) {
    if (failNextReport) {
      failNextReport = false;
      return json({}, 503);
    }
    events.push(...body.events);
    wake();
    return json({ accepted: body.events.map(({ id }: Event) => id).filter((id: number) => !refused.has(id)) });
  }
  reports.push(body);
  const held = (body.held ?? []).map(({ id }: Event) => id).filter((id: number) => !lost.has(id));
  wake();
  return json({ held, tokens: [] });
});

/** What there is to run; waits a moment as the API does, and gives nothing to a caller that is gone. */
async function nextOffers(response: ServerResponse): Promise<object[]> {
  for (let waited = 0; offered.length + offeredWatchers.length === 0 && waited < 50; waited += 1)
    await new Promise((done) => setTimeout(done, 10));
  return response.destroyed ? [] : offered.splice(0);
}

/** Resolves when `holds`, looked at whenever the peer hears something. */
async function heard(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

function offer(id: number, name: string, kwargs: object = {}, fence = 1): void {
  const of = {
    ti_id: "00000000-0000-7000-8000-000000000001",
    task_id: "t",
    map_index: -1,
    try_number: 1,
    max_tries: 0,
  };
  offered.push({
    id,
    fence,
    classpath: `updraft.trigger.${name}`,
    kwargs,
    artefact_hash: HASH,
    ...of,
    dag_run: DAG_RUN,
    token: "t",
  });
}

function offerWatcher(id: number, name: string, kwargs: object = {}): void {
  offeredWatchers.push({
    ...{ id, fence: 1, classpath: `updraft.trigger.${name}`, kwargs, artefact_hash: HASH, token: "t", event_count: 4 },
    ...{ dag_id: "d", name: "w", asset_name: "a", asset_uri: "s3://a" },
  });
}

beforeEach(async () => {
  [offered, events, reports, lost, failNextReport] = [[], [], [], new Set(), false];
  [offeredWatchers, refused] = [[], new Set()];
  folder = mkdtempSync(join(tmpdir(), "updraft-triggerer-"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const config = loadConfig({
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/execution/`,
    UPDRAFT__CORE__DATA_FOLDER: folder,
    UPDRAFT__TRIGGERER__TOKEN: "the token of the triggerers",
    UPDRAFT__WORKER__HEARTBEAT_SECONDS: "0.1",
  });
  triggerer = createTriggerer({ config, logger: createLogger("test", "silent"), metrics: createMetrics("triggerer") });
  await triggerer.start();
});

afterEach(async () => {
  await triggerer.stop();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

const ended = (id: number) => events.find((event) => event.id === id);

test("runs triggers side by side in a host, with the client and the context of the try that waits", async () => {
  for (let id = 1; id <= 300; id += 1) offer(id, "echo", { value: id });
  offer(301, "variable");
  await heard(() => events.length === 301);
  expect(ended(7)).toEqual({ id: 7, fence: 1, payload: { value: 7, task: "t" } });
  expect(ended(301)).toEqual({ id: 301, fence: 1, payload: "of the try" });
});

test("tells why a trigger failed, and of one that the file doesn't define", async () => {
  offer(1, "broken");
  offer(2, "unknown");
  await heard(() => events.length === 2);
  expect(ended(1)?.traceback?.[0]).toContain("it broke");
  expect(ended(2)?.traceback?.[0]).toContain("There is no trigger updraft.trigger.unknown");
});

test("a report that was not answered is sent again", async () => {
  failNextReport = true;
  offer(1, "echo", { value: 1 });
  await heard(() => ended(1) !== undefined);
  expect(failNextReport).toBe(false);
});

test("stops what nobody waits for any more, and keeps telling what it holds", async () => {
  offer(1, "forever");
  offer(2, "forever");
  const holding = () => (reports.at(-1)?.held ?? []).map(({ id }) => id).sort();
  await heard(() => holding().length === 2);
  lost.add(1);
  await heard(() => holding().length === 1);
  expect(holding()).toEqual([2]);
  expect(events).toEqual([]);
});

test("a host that breaks is started again, and its triggers fail after some times", async () => {
  offer(1, "fatal");
  await heard(() => ended(1) !== undefined);
  expect(ended(1)?.traceback?.[0]).toContain("The trigger host ended (exit code 7)");
  offer(2, "echo", { value: 2 });
  await heard(() => ended(2) !== undefined);
});

test("says when it stops, so that others take over at once", async () => {
  offer(1, "forever");
  await heard(() => reports.at(-1)?.held.length === 1);
  await triggerer.stop();
  expect(reports.at(-1)?.state).toBe("stopped");
});

test("a watcher tells one event after another, each with its number and again until it is stored", async () => {
  offerWatcher(1, "letters", { letters: ["a", "b"] });
  failNextReport = true;
  await heard(() => events.length === 4);
  expect(events.slice(0, 3)).toEqual([
    { id: 1, fence: 1, sequence: 5, payload: "a" },
    { id: 1, fence: 1, sequence: 6, payload: "b" },
    { id: 1, fence: 1, sequence: 7, payload: "of the try" },
  ]);
  expect(events[3]).toMatchObject({ id: 1, sequence: 8 });
  expect(events[3]?.traceback?.[0]).toContain("belongs to no run");
});

test("a watcher whose event is refused is somebody else's by now, and stops", async () => {
  refused.add(1);
  offerWatcher(1, "letters", { letters: ["a", "b"] });
  await heard(() => reports.length > 0 && events.length > 0);
  const before = reports.length;
  await heard(() => reports.length > before + 1);
  expect(events.map(({ payload }) => payload)).toEqual(["a"]);
  expect(reports.at(-1)?.held).toEqual([]);
});

test("a trigger that ends with its event watches on by starting again", async () => {
  offerWatcher(1, "echoed", {});
  offerWatcher(2, "variable");
  await heard(() => events.filter(({ id }) => id === 2).length === 2);
  expect(events.filter(({ id }) => id === 2).map(({ sequence }) => sequence)).toEqual([5, 6]);
  expect(ended(1)?.traceback?.[0]).toContain("There is no trigger updraft.trigger.echoed");
});
