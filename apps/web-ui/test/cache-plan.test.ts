import { QueryClient } from "@tanstack/react-query";
import type { LiveEvent } from "@updraft/contract";
import { expect, it } from "vitest";
import { keys } from "../src/api/keys.ts";
import { planFor } from "../src/live/cache-plan.ts";

const RUN: LiveEvent = {
  type: "dag_run",
  dag_id: "etl",
  run_id: "r1",
  state: "success",
  run_type: "manual",
  logical_date: null,
  start_date: "2026-01-01T00:00:00Z",
  end_date: "2026-01-01T00:00:05Z",
};

function taskEvent(over: Partial<Extract<LiveEvent, { type: "task_instance" }>> = {}): LiveEvent {
  const base = { dag_id: "etl", run_id: "r1", task_id: "load", map_index: -1, try_number: 1, state: "running" };
  return { type: "task_instance", ...base, ...over };
}

function cacheAfter(entries: readonly [readonly unknown[], unknown][], events: readonly LiveEvent[]): QueryClient {
  const cache = new QueryClient();
  for (const [key, data] of entries) cache.setQueryData(key, data);
  for (const { key, apply } of planFor(events).patches) cache.setQueriesData({ queryKey: key }, apply);
  return cache;
}

it("patches a run wherever it is shown", () => {
  const list = keys.dagList({ page: 1 });
  const page = keys.dagRunsPage("etl", {});
  const grid = keys.gridRunsPage("etl", { limit: 50 });
  const cache = cacheAfter(
    [
      [list, { dags: [{ dag_id: "etl", latest_dag_runs: [{ run_id: "r1", state: "running" }] }], total_entries: 1 }],
      [
        grid,
        [
          { run_id: "r1", state: "running" },
          { run_id: "r0", state: "running" },
        ],
      ],
      [page, { dag_runs: [{ dag_run_id: "r1", state: "running" }] }],
      [keys.runDetail("etl", "r1"), { dag_run_id: "r1", state: "running", note: "kept" }],
    ],
    [RUN],
  );
  expect(cache.getQueryData(list)).toMatchObject({ dags: [{ latest_dag_runs: [{ state: "success" }] }] });
  expect(cache.getQueryData(grid)).toMatchObject([{ state: "success" }, { run_id: "r0", state: "running" }]);
  expect(cache.getQueryData(page)).toMatchObject({
    dag_runs: [{ state: "success", end_date: "2026-01-01T00:00:05Z" }],
  });
  expect(cache.getQueryData(keys.runDetail("etl", "r1"))).toMatchObject({ state: "success", note: "kept" });
});

it("leaves other DAGs' entries untouched, to the identity", () => {
  const other = [{ run_id: "r1", state: "running" }];
  const grid = keys.gridRunsPage("other", {});
  expect(cacheAfter([[grid, other]], [RUN]).getQueryData(grid)).toBe(other);
});

it("patches a plain task in the summary of its run, but neither groups nor mapped tasks", () => {
  const key = keys.runSummary("etl", "r1");
  const rows = [
    { task_id: "load", state: "queued", child_states: null },
    { task_id: "mapped", state: "queued", child_states: { queued: 2 } },
  ];
  const cache = cacheAfter(
    [[key, { run_id: "r1", task_instances: rows }]],
    [taskEvent(), taskEvent({ task_id: "mapped", map_index: 0 })],
  );
  expect(cache.getQueryData(key)).toMatchObject({ task_instances: [{ state: "running" }, { state: "queued" }] });
});

it("lets the last of several events win", () => {
  const key = keys.taskPart({ dagId: "etl", runId: "r1", taskId: "load", mapIndex: -1 }, "instance");
  const cache = cacheAfter([[key, { state: "queued", try_number: 1 }]], [taskEvent(), taskEvent({ state: "success" })]);
  expect(cache.getQueryData(key)).toEqual({ state: "success", try_number: 1 });
});

it("shows a pause at once and leaves details it doesn't hold alone", () => {
  const cache = cacheAfter(
    [[keys.dagDetails("etl"), { dag_id: "etl", is_paused: false }]],
    [{ type: "dag", dag_id: "etl", is_paused: true }],
  );
  expect(cache.getQueryData(keys.dagDetails("etl"))).toEqual({ dag_id: "etl", is_paused: true });
  expect(cache.getQueryData(keys.dagLists)).toBeUndefined();
});

it("names each stale part once", () => {
  const { stale } = planFor([RUN, RUN]);
  const names = stale.map(({ key }) => JSON.stringify(key));
  expect(names).toHaveLength(new Set(names).size);
  expect(stale.map(({ key }) => key)).toContainEqual(keys.gridRuns("etl"));
});

it.each([
  ["is not known yet", undefined, true],
  ["has the task as a plain row", [{ task_id: "load", child_states: null }], false],
  [
    "has a group",
    [
      { task_id: "load", child_states: null },
      { task_id: "g", child_states: { queued: 1 } },
    ],
    true,
  ],
  ["lacks the task", [{ task_id: "other", child_states: null }], true],
])("calls the summary of a run that %s stale only if a patch is not enough", (_case, rows, expected) => {
  const { stale } = planFor([taskEvent()]);
  const summary = stale.find(({ holds }) => holds !== undefined);
  expect(summary?.key).toEqual(keys.runSummary("etl", "r1"));
  expect(summary?.holds?.(rows && { run_id: "r1", task_instances: rows })).toBe(expected);
});

it("relies on nothing after lost events", () => {
  expect(planFor([RUN, { type: "resync" }])).toEqual({ everythingStale: true, patches: [], stale: [] });
});
