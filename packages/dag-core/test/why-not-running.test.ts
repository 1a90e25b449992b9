import { task } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import { type BlockingFacts, type TaskInstanceState, whyNotRunning } from "../src/index.ts";
import { table } from "./table.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const LATER = NOW + 60_000;
const NO_SHAPE = { indirectSetups: [], directSetups: [], scope: [], deciders: [] };
const NONE_DONE = { total: 2, success: 0, failed: 0, upstream_failed: 0, skipped: 0, removed: 0 };
const FREE = { used: 0, limit: 16, holders: [] };

/** A running run, a task that may run, and room everywhere. */
const BASE: BlockingFacts = {
  state: null,
  cause: null,
  next_retry_at: null,
  reschedule_date: null,
  trigger_timeout: null,
  question: null,
  run: {
    ...{ state: "running", run_after: NOW, logical_date: null, is_paused: false, pause_cause: null, is_stale: false },
    running_runs: FREE,
    backfill: null,
    retry: null,
  },
  decision: {
    task: task({ task_id: "t" }),
    shape: NO_SHAPE,
    map_index: -1,
    upstream: { ...NONE_DONE, total: 0 },
    related: [],
    decisions: [],
    past: { kind: "met" },
    held: null,
    is_paused: false,
  },
  upstream: [],
  parallelism: FREE,
  pool: { name: "db", wanted: 1, slots: 2, used: 0, holders: [] },
  max_active_tasks: FREE,
  max_active_tis_per_dag: { ...FREE, limit: null },
  max_active_tis_per_dagrun: { ...FREE, limit: null },
  queue: { name: "default", workers: 1, free_workers: 1, offers: 1, last_offer_at: NOW },
};

const waiting: Partial<BlockingFacts> = {
  decision: { ...BASE.decision, upstream: NONE_DONE },
  upstream: [
    { task_id: "a", map_index: -1, state: "running" },
    { task_id: "b", map_index: 3, state: null },
    { task_id: "c", map_index: -1, state: "success" },
  ],
};
const run = (changes: Partial<BlockingFacts["run"]>): Partial<BlockingFacts> => ({ run: { ...BASE.run, ...changes } });
const scheduled = (changes: Partial<BlockingFacts>): Partial<BlockingFacts> => ({ state: "scheduled", ...changes });
const queued = (changes: Partial<BlockingFacts["queue"]>): Partial<BlockingFacts> => ({
  state: "queued",
  queue: { ...BASE.queue, ...changes },
});

const CASES: Readonly<Record<string, Partial<BlockingFacts>>> = {
  "upstream open": waiting,
  "setup open": {
    decision: {
      ...BASE.decision,
      upstream: { ...NONE_DONE, total: 1, success: 1 },
      shape: { ...NO_SHAPE, indirectSetups: ["s"] },
      related: [{ task_id: "s", map_index: -1, state: "running" }],
    },
  },
  "past run": { decision: { ...BASE.decision, past: { kind: "blocked", cause: "depends_on_past: it failed before" } } },
  "dag paused": run({ is_paused: true, pause_cause: "3 runs in a row failed" }),
  "dag stale": run({ is_stale: true }),
  "run later": run({ state: "queued", run_after: LATER }),
  "logical date": run({ logical_date: LATER }),
  "run ended": run({ state: "success" }),
  "runs full": run({ state: "queued", running_runs: { used: 1, limit: 1, holders: ["r1"] } }),
  "backfill full": run({
    state: "queued",
    running_runs: { used: 2, limit: 2, holders: [] },
    backfill: { id: 7, is_paused: true },
  }),
  "run soon": run({ state: "queued" }),
  parallelism: scheduled({ parallelism: { used: 32, limit: 32, holders: ["d.r.x (running)"] } }),
  "pool full": scheduled({ pool: { ...BASE.pool, used: 2, holders: ["d.r.x (running)", "d.r.y (queued)"] } }),
  "pool small": scheduled({ pool: { ...BASE.pool, wanted: 3 } }),
  "no pool": scheduled({ pool: { ...BASE.pool, slots: null } }),
  "pool unlimited": scheduled({ pool: { ...BASE.pool, slots: -1, used: 99 } }),
  "run full": scheduled({ max_active_tasks: { used: 16, limit: 16, holders: ["1", "2", "3", "4", "5", "6", "7"] } }),
  "task full": scheduled({ max_active_tis_per_dag: { used: 1, limit: 1, holders: [] } }),
  "task in run full": scheduled({ max_active_tis_per_dagrun: { used: 1, limit: 1, holders: [] } }),
  "room again": scheduled({}),
  "no worker": queued({ workers: 0, free_workers: 0 }),
  "all busy": queued({ workers: 2, free_workers: 0, offers: 3 }),
  offered: queued({}),
  retry: { state: "up_for_retry", next_retry_at: LATER, cause: "Try 1 of 2 failed" },
  reschedule: { state: "up_for_reschedule", reschedule_date: LATER },
  deferred: { state: "deferred", cause: "Waits for a timer", trigger_timeout: LATER },
  input: { state: "awaiting_input", question: "Ship it?" },
};

describe("whyNotRunning", () => {
  it.each(
    table(`
      case             | name                  | says
      upstream open    | Trigger Rule          | all_success: 0 of 2 upstream tasks have ended, and waits for a (running), b[3] (no status).
      setup open       | Trigger Rule          | Waits for the setups s
      past run         | Previous Dagrun State | depends_on_past: it failed before.
      dag paused       | Dag Paused            | It was paused because: 3 runs in a row failed.
      dag stale        | Dag Stale             | gone from its file
      run later        | Run After             | starts after 2026-03-01T12:01:00
      logical date     | Logical Date          | 2026-03-01T12:01:00
      run ended        | Dagrun Ended          | ended as success; clear it
      runs full        | Max Active Runs       | 1 of at most 1 runs of this DAG are running, held by r1.
      backfill full    | Backfill Paused       | Backfill 7
      backfill full    | Max Active Runs       | 2 of at most 2 runs of backfill 7 are running.
      run soon         | Dagrun Queued         | waits for the scheduler
      parallelism      | Parallelism           | 32 of at most 32 tasks are queued or running in this installation
      pool full        | Pool Slots Available  | Pool 'db' has 0 of 2 slots free and 1 is needed, held by d.r.x (running), d.r.y (queued).
      pool small       | Pool Slots Available  | 3 slots of pool 'db', which has 2 in all, so that it can never start
      no pool          | Pool Slots Available  | Pool 'db' does not exist
      pool unlimited   | Scheduled             | in a moment
      run full         | Max Active Tasks      | 16 of at most 16 tasks of this run are queued or running (max_active_tasks), held by 1, 2, 3, 4, 5 and 2 more.
      task full        | Task Concurrency      | (max_active_tis_per_dag)
      task in run full | Task Concurrency      | (max_active_tis_per_dagrun)
      room again       | Scheduled             | There is room
      no worker        | Worker                | No live worker listens to queue 'default'. It was offered once
      all busy         | Worker                | All 2 workers of queue 'default' are busy. It was offered 3 times, last at 2026-03-01T12:00:00
      offered          | Queue                 | one of 1 free workers
      retry            | Not In Retry Period   | starts after 2026-03-01T12:01:00
      reschedule       | Ready To Reschedule   | Looks again after 2026-03-01T12:01:00
      deferred         | Deferred              | Waits for a timer, until 2026-03-01T12:01:00
      input            | Awaiting Input        | "Ship it?"
    `),
  )("$case: $name: $says", ({ case: key = "", name = "", says = "" }) => {
    const reasons = whyNotRunning({ ...BASE, ...CASES[key] }, NOW);
    expect(reasons.find((one) => one.name === name)?.reason ?? JSON.stringify(reasons)).toContain(says);
  });

  it("names every reason that holds, the run's first", () => {
    const facts = { ...BASE, ...waiting, ...run({ is_paused: true, state: "queued", run_after: LATER }) };
    expect(whyNotRunning(facts, NOW).map(({ name }) => name)).toEqual(["Dag Paused", "Run After", "Trigger Rule"]);
  });

  it.each<TaskInstanceState>(["running", "restarting"])("says nothing of one that is %s", (state) => {
    expect(whyNotRunning({ ...BASE, state }, NOW)).toEqual([]);
  });

  it("says how a finished one ended", () => {
    expect(whyNotRunning({ ...BASE, state: "failed", cause: "It broke." }, NOW)).toEqual([
      { name: "Task Instance State", reason: "Task is in the 'failed' state. It broke." },
    ]);
  });
});
