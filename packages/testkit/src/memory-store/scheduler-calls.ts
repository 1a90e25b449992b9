/** What time brings, in the in-memory store. */
import {
  generateRunId,
  hasBeat,
  intervalOfTick,
  isFinished,
  missedTicks,
  nextRun,
  type RunInfo,
  type ScheduleFacts,
  stuckEffect,
  type TimeTimetable,
  tickOf,
  timeoutEffect,
  timePart,
} from "@updraft/dag-core";
import type { QueuedTry, SchedulerStore, SchedulingStep } from "@updraft/metadata-store";
import type { MemoryContext } from "./context.ts";
import { createRun } from "./create-run.ts";
import { type MemoryDag, type MemoryInstance, type MemoryRun, newest } from "./tables.ts";
import { type MemoryMove, offerOf, Transition } from "./transition.ts";
import { loseTries } from "./worker-calls.ts";

const WORKER_LEASE_MS = 10_000;
const QUIET_MS = 30_000;
const MOST_COUNTED_TICKS = 100_000;

export function schedulerCalls(context: MemoryContext): SchedulerStore {
  const { tables, clock, databaseNow } = context;
  const transition = () => new Transition(tables, clock.now());
  const isOpen = ({ is_paused, is_stale }: MemoryDag) => !is_paused && !is_stale;
  const last = (turn: Transition): SchedulingStep => ({ announcement: turn.settle(), more: false });

  return {
    async createDueRuns() {
      const turn = transition();
      const due = [...tables.dags.values()].filter(
        (dag) =>
          isOpen(dag) &&
          ((dag.evaluate_at !== null && dag.evaluate_at <= turn.now) ||
            (dag.is_gated && tables.activeRuns(dag) < newest(dag).form.max_active_runs)),
      );
      const order = ({ evaluate_at }: MemoryDag) => evaluate_at ?? Infinity;
      due.sort((left, right) => order(left) - order(right) || (left.dag_id < right.dag_id ? -1 : 1));
      const queued: QueuedTry[] = [];
      for (const dag of due) {
        const one = transition();
        evaluateDag(context, one, dag);
        queued.push(...one.settle().queued);
      }
      return { announcement: { ...turn.announcement(), queued }, more: due.length > 0 };
    },

    // No DAG of the tests is backfilled, drained, has deadlines or waits for assets.
    advanceBackfills: async () => last(transition()),
    pauseDrained: async () => last(transition()),
    missDeadlines: async () => last(transition()),
    createAssetRuns: async () => last(transition()),

    // No try of the tests waits.
    resumeDue: async () => last(transition()),

    async startQueuedRuns() {
      const turn = transition();
      const queued = tables.runs
        .filter(({ state, dag, run_after }) => state === "queued" && isOpen(dag) && run_after <= turn.now)
        .sort((left, right) => left.run_after - right.run_after || left.id - right.id);
      for (const run of queued) {
        if (tables.runningRuns(run.dag) < newest(run.dag).form.max_active_runs) turn.setRunState(run, "running");
      }
      turn.decideAll();
      return last(turn);
    },

    async lookAtRuns() {
      const turn = transition();
      for (const run of tables.runs) if (run.state === "running") turn.touch(run);
      turn.decideAll();
      return last(turn);
    },

    async startDueRetries() {
      const turn = transition();
      const due = tables.all((instance) => isRetryDue(instance, turn.now));
      for (const { run } of due) turn.touch(run);
      turn.makeReady(due);
      return last(turn);
    },

    async enqueueScheduled() {
      const turn = transition();
      const waiting = tables.all(({ state, run }) => state === "scheduled" && run.state === "running");
      turn.enqueue(
        [],
        waiting.filter(({ run }) => !run.dag.is_paused),
      );
      return { announcement: turn.announcement(), more: false };
    },

    async timeOutRuns() {
      const turn = transition();
      for (const run of tables.runs) {
        if (run.state !== "running" || run.timeout_at === null || run.timeout_at > turn.now) continue;
        turn.setRunState(run, "failed");
        turn.move(
          run.instances.flatMap((instance): MemoryMove[] => {
            const state = timeoutEffect(instance.state);
            return state === null ? [] : [{ instance, state, cause: "dagrun_timeout", patch: { end_date: turn.now } }];
          }),
        );
      }
      return last(turn);
    },

    async offerAgain({ offer_after_seconds, queued_timeout_seconds }) {
      const turn = transition();
      const offered = (since: (one: MemoryInstance) => number | null, seconds: number) =>
        tables.all(
          (one) =>
            one.state === "queued" &&
            (since(one) ?? Infinity) < turn.now - seconds * 1000 &&
            tables.hasFreeWorker(one.task.queue, databaseNow(), WORKER_LEASE_MS),
        );
      for (const instance of offered((one) => one.queued_when, queued_timeout_seconds)) {
        const requeues = instance.requeues.get(instance.try_number) ?? 0;
        const effect = stuckEffect(requeues, queued_timeout_seconds);
        turn.touch(instance.run);
        if (effect.kind === "lost") loseTries(turn, [instance], effect.detail);
        else {
          instance.requeues.set(instance.try_number, requeues + 1);
          turn.move([{ instance, state: "scheduled", cause: effect.cause }]);
        }
      }
      const { queued, ...announcement } = turn.settle();
      const again = offered((one) => one.last_offer_at, offer_after_seconds);
      for (const instance of again) {
        instance.offer_number += 1;
        instance.last_offer_at = turn.now;
      }
      return { announcement: { ...announcement, queued: [...queued, ...again.map(offerOf)] }, more: false };
    },

    async rescueLost(leaseSeconds) {
      const turn = transition();
      const silentSince = databaseNow() - leaseSeconds * 1000;
      const silent = tables.all(
        ({ state, last_heartbeat_at }) =>
          (state === "running" || state === "restarting") && (last_heartbeat_at ?? Infinity) < silentSince,
      );
      loseTries(turn, silent, "no heartbeat");
      return last(turn);
    },

    async audit() {
      const turn = transition();
      const quiet = tables.runs.filter((run) => isQuiet(run, turn.now));
      const stuck = quiet.filter((run) => turn.isDeadlocked(run));
      for (const run of stuck) turn.setRunState(run, "failed");
      const corrected = stuck.map(({ run_id, dag }) => `run ${run_id} of ${dag.dag_id} stood still`);
      return { announcement: turn.settle(), corrected };
    },

    async nextDueAt() {
      const due = [
        ...[...tables.dags.values()].filter(isOpen).map(({ evaluate_at }) => evaluate_at),
        ...tables.all(({ run }) => !run.dag.is_paused).map(({ next_retry_at }) => next_retry_at),
        ...tables.runs.filter(({ state }) => state === "running").map(({ timeout_at }) => timeout_at),
        ...tables.runs
          .filter(({ state, dag, run_after }) => state === "queued" && !dag.is_paused && run_after > clock.now())
          .map(({ run_after }) => run_after),
      ].filter((instant) => instant !== null);
      return due.length === 0 ? null : Math.min(...due);
    },
  };
}

function isRetryDue({ state, next_retry_at, run }: MemoryInstance, now: number): boolean {
  return (
    state === "up_for_retry" && (next_retry_at ?? Infinity) <= now && !run.dag.is_paused && run.state === "running"
  );
}

function isQuiet({ state, dag, last_scheduling_decision, instances }: MemoryRun, now: number): boolean {
  return (
    state === "running" &&
    !dag.is_paused &&
    (last_scheduling_decision ?? now) < now - QUIET_MS &&
    instances.every((one) => one.state === null || isFinished(one.state))
  );
}

/** A due tick becomes a run, waits for `max_active_runs`, or is recorded as skipped. */
function evaluateDag(context: MemoryContext, turn: Transition, dag: MemoryDag): void {
  const { tables } = context;
  const { form } = newest(dag);
  const starts = [form.start_date, ...form.tasks.map(({ start_date }) => start_date)].filter((start) => start !== null);
  const facts = {
    last:
      dag.last_tick_start === null || dag.last_tick_end === null
        ? null
        : { data_interval_start: dag.last_tick_start, data_interval_end: dag.last_tick_end },
    earliest: starts.length === 0 ? null : Math.min(...starts),
    latest: form.end_date,
    catchup: form.catchup,
    now: turn.now,
  };
  turn.touchDag(dag);
  const timetable = timePart(form.timetable);
  const next = plannedRun(dag, timetable, facts) ?? nextRun(timetable, facts);
  dag.next = next;
  if (next === null || next.run_after > turn.now) {
    Object.assign(dag, { evaluate_at: next?.run_after ?? null, is_gated: false });
    return;
  }
  const missed =
    form.catchup || facts.last === null
      ? null
      : missedTicks(timetable, tickOf(timetable, facts.last), tickOf(timetable, next), MOST_COUNTED_TICKS);
  if (missed !== null && facts.last !== null)
    recordSkipped(context, dag, { ...missed, previous: tickOf(timetable, facts.last) });
  const after = nextRun(timetable, { ...facts, last: next });
  // Counting further than the limit would tell nobody more.
  const active = Math.min(tables.activeRuns(dag), form.max_active_runs);
  if (active >= form.max_active_runs) {
    const newestTick = missed === null ? facts.last : intervalOfTick(timetable, missed.last);
    dag.evaluate_at = !form.catchup && hasBeat(timetable) ? (after?.run_after ?? null) : null;
    dag.is_gated = true;
    dag.skip_cause = `max_active_runs: ${active} of at most ${form.max_active_runs} runs were active`;
    dag.last_tick_start = newestTick?.data_interval_start ?? null;
    dag.last_tick_end = newestTick?.data_interval_end ?? null;
    return;
  }
  const run_id = generateRunId("scheduled", next.run_after, null);
  const facts_ = { ...next, run_id, run_type: "scheduled" as const, triggered_by: "timetable" };
  const created = createRun(context, turn, dag, { ...facts_, triggering_user_name: null, conf: {}, note: null });
  const tick = tickOf(timetable, next);
  if (created === null)
    tables.skippedTicks.push({ dag_id: dag.dag_id, first_tick: tick, last_tick: tick, count: 1, cause: TAKEN });
  Object.assign(dag, { next: after, evaluate_at: after?.run_after ?? null, is_gated: false, skip_cause: null });
  Object.assign(dag, { last_tick_start: next.data_interval_start, last_tick_end: next.data_interval_end });
}

const LATE = "No scheduler was running, or it came too late";
const TAKEN = "A run with this logical date or run id exists already";

/** A planned run that came due stays the next one until its successor is due too. */
function plannedRun({ next }: MemoryDag, timetable: TimeTimetable, facts: ScheduleFacts): RunInfo | null {
  if (facts.catchup || next === null || next.run_after > facts.now) return null;
  if (facts.latest !== null && next.data_interval_start > facts.latest) return null;
  if (facts.last !== null && tickOf(timetable, next) <= tickOf(timetable, facts.last)) return null;
  const following = nextRun(timetable, { ...facts, last: next });
  return following === null || following.run_after > facts.now ? next : null;
}

interface Missed {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly previous: number;
}

/** Joins the newest row where the ticks follow it with the same cause. */
function recordSkipped({ tables }: MemoryContext, dag: MemoryDag, { first, last, count, previous }: Missed): void {
  const cause = dag.skip_cause ?? LATE;
  const rows = tables.skippedTicks.filter(({ dag_id }) => dag_id === dag.dag_id);
  const latest = Math.max(...rows.map(({ last_tick }) => last_tick));
  const row = rows.find(({ last_tick }) => last_tick === latest);
  if (row !== undefined && row.cause === cause && row.last_tick === previous) {
    row.last_tick = last;
    row.count += count;
  } else tables.skippedTicks.push({ dag_id: dag.dag_id, first_tick: first, last_tick: last, count, cause });
}
