/** Deadlines on real Postgres: made with the run, dropped when it succeeds in time, missed exactly when they are due. */
import type { DeadlineAlert, SerializedDag } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { at, dag, iso } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Player } from "./player.ts";

const NOON = at("2026-03-01T12:00:00Z");
const PAGE = { limit: 100, offset: 0, order_by: ["deadline_time"] };

let world: TestStore;
let player: Player;

beforeEach(async () => {
  world = await createTestStore({ now: NOON });
  player = new Player(world);
});
afterEach(() => world.close());

function alert(overrides: Partial<DeadlineAlert> = {}): DeadlineAlert {
  const reference = { reference_type: "DagRunQueuedAtDeadline" } as const;
  return { name: null, reference, interval: 60, callback: null, ...overrides };
}

async function save(deadlines: readonly DeadlineAlert[], overrides: Partial<SerializedDag> = {}): Promise<void> {
  await world.store.saveParsedFile(parsedFile([dag("a", { is_paused_upon_creation: false, deadlines, ...overrides })]));
  await world.store.createDueRuns();
}

/** What the scheduler does about deadlines. */
async function miss(): Promise<string[]> {
  return player.hears(await world.store.missDeadlines());
}

async function deadlines(): Promise<string[]> {
  const { rows } = await world.store.listDeadlines({}, PAGE);
  return rows.map(({ alert_name, deadline_time, missed }) => {
    return `${alert_name} ${iso(deadline_time).slice(11, 19)}${missed ? " missed" : ""}`;
  });
}

test("each alert whose reference exists gets its time when the run is created", async () => {
  await world.sql("INSERT INTO variable (key, val) VALUES ('sla', '90'), ('odd', 'soon')");
  await save([
    alert({ name: "queued" }),
    alert({ name: "logical", reference: { reference_type: "DagRunLogicalDateDeadline" } }),
    alert({
      name: "fixed",
      reference: { reference_type: "FixedDatetimeDeadline", datetime: NOON + 5000 },
      interval: 0,
    }),
    alert({ name: "variable", interval: { variable: "sla" } }),
    alert({ name: "odd", interval: { variable: "odd" } }),
    alert({ name: "unset", interval: { variable: "unset" } }),
    alert({ name: "mean", reference: { reference_type: "AverageRuntimeDeadline", max_runs: 2, min_runs: 2 } }),
  ]);
  await player.trigger("d");
  expect(await deadlines()).toEqual(["fixed 12:00:05", "queued 12:01:00", "variable 12:01:30"]);
  await world.store.triggerDagRun(triggerRequest("d", { logical_date: NOON - 30_000 }));
  expect(await deadlines()).toContain("logical 12:00:30");
});

test("the mean runtime counts once enough runs ended", async () => {
  await save([
    alert({
      name: "mean",
      reference: { reference_type: "AverageRuntimeDeadline", max_runs: 3, min_runs: 2 },
      interval: 10,
    }),
  ]);
  for (const seconds of [20, 40]) {
    await world.store.triggerDagRun(triggerRequest("d", { logical_date: world.clock.now() })).then((result) => {
      if (result.kind === "created") player.hear(result.announcement);
    });
    world.clock.advance(seconds * 1000);
    await player.run("a");
  }
  expect(await deadlines()).toEqual([]);
  await player.trigger("d");
  expect(await deadlines()).toEqual(["mean 12:01:40"]);
});

test("a deadline is missed exactly when it is due, once, while its run goes on", async () => {
  await save([alert({ name: "late" })]);
  await player.trigger("d");
  expect(await world.store.nextDueAt()).toBe(NOON + 60_000);
  world.clock.advance(59_999);
  await miss();
  expect(await deadlines()).toEqual(["late 12:01:00"]);
  world.clock.advance(1);
  await miss();
  await miss();
  expect(await deadlines()).toEqual(["late 12:01:00 missed"]);
  expect(await world.store.nextDueAt()).toBeNull();
  expect(await world.sql("SELECT event, dag_id, extra FROM log")).toEqual([
    { event: "deadline_missed", dag_id: "d", extra: expect.stringContaining('"alert_name" : "late"') },
  ]);
  await player.run("a");
  expect(await deadlines()).toEqual(["late 12:01:00 missed"]);
});

test("success in time drops it; failure, or success after it, does not", async () => {
  await save([alert()]);
  await player.trigger("d");
  await player.run("a");
  expect(await deadlines()).toEqual([]);
  await player.trigger("d");
  await player.run("a", player.failure());
  expect(await deadlines()).toEqual(["null 12:01:00"]);
  await player.trigger("d");
  world.clock.advance(61_000);
  await player.run("a");
  await miss();
  expect(await deadlines()).toEqual(["null 12:01:00 missed", "null 12:01:00 missed"]);
});

test("a cleared run is queued anew, and so is the deadline that counts from there", async () => {
  const fixed = { reference_type: "FixedDatetimeDeadline", datetime: NOON + 500_000 } as const;
  await save([alert({ name: "queued" }), alert({ name: "fixed", reference: fixed, interval: 0 })]);
  const run = await player.trigger("d");
  await player.run("a", player.failure());
  world.clock.advance(30_000);
  await player.clear(run, ["a"]);
  expect(await deadlines()).toEqual(["queued 12:01:30", "fixed 12:08:20"]);
});

test("a missed deadline triggers the DAG of its callback once, with the run and the deadline in its conf", async () => {
  await world.store.saveParsedFile(
    parsedFile([dag("notify", { dag_id: "on_call", is_paused_upon_creation: false })], { relative_fileloc: "n.ts" }),
  );
  await save([
    alert({ callback: { dag_id: "on_call", conf: { channel: "#etl" } } }),
    alert({ callback: { dag_id: "nobody", conf: {} } }),
  ]);
  const run = await player.trigger("d");
  world.clock.advance(60_000);
  expect(await miss()).toEqual(["notify"]);
  // As if the process had been killed before it wrote that the callback was started.
  await world.sql("UPDATE deadline SET callback_state = 'pending'");
  expect(await miss()).toEqual([]);
  const { rows } = await world.store.listDagRuns({ dag_id: "on_call" }, { ...PAGE, order_by: [] });
  expect(rows).toMatchObject([
    {
      run_id: expect.stringMatching(/^deadline__/),
      run_type: "operator_triggered",
      conf: {
        channel: "#etl",
        dag_run: { dag_id: "d", dag_run_id: run, logical_date: null },
        deadline: { deadline_time: "2026-03-01T12:01:00+00:00" },
      },
    },
  ]);
  const states = await world.sql("SELECT callback_state FROM deadline ORDER BY callback_state");
  expect(states).toEqual([{ callback_state: "failed" }, { callback_state: "queued" }]);
});

test("runs of a backfill have their deadlines too", async () => {
  await save([alert()], { timetable: { type: "cron", expression: "0 0 * * *", timezone: "UTC" } });
  const range = { from_date: NOON - 3 * 86_400_000, to_date: NOON };
  const request = { dag_id: "d", ...range, run_backwards: false, reprocess_behavior: "none" as const };
  const rest = { max_active_runs: 10, dag_run_conf: null, run_on_latest_version: null, triggering_user_name: null };
  await world.store.createBackfill({ ...request, ...rest });
  expect((await world.store.listDeadlines({ dag_id: "d" }, PAGE)).total_entries).toBe(3);
});
