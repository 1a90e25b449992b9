/** Waits that time ends: timers, conditions that are met, time-outs, reschedule dates. Each found by an index. */
import { dagStateEvent, type Instant, type JsonValue, timerEvent } from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import { at, type Queryable } from "../database.ts";
import type { SchedulingStep } from "../store.ts";
import type { Engine } from "./context.ts";
import { joined } from "./due-runs.ts";
import { timeOutInput } from "./human-input.ts";
import { lookAgain, resumeTries, WAITING_COLUMNS, type WaitingInstance } from "./resume.ts";
import { lockRuns } from "./runs.ts";
import { Turn } from "./turn.ts";

const BATCH = 100;

/** The earliest instant at which a wait ends or a condition is looked at. */
export const NEXT_DUE_WAIT = `least(
  (SELECT min(due_at) FROM trigger),
  (SELECT min(trigger_timeout) FROM task_instance WHERE state IN ('deferred', 'awaiting_input')),
  (SELECT min(t.reschedule_date) FROM task_instance t JOIN dag d USING (dag_id)
    WHERE t.state = 'up_for_reschedule' AND NOT d.is_paused))`;

export async function resumeDue(engine: Engine): Promise<SchedulingStep> {
  let step: SchedulingStep = { announcement: NOTHING, more: false };
  for (const next of [fireTimers, checkConditions, timeOutWaits, startDueReschedules]) {
    const { announcement, more } = await next(engine);
    step = { announcement: joined(step.announcement, announcement), more: step.more || more };
  }
  return step;
}

interface Found {
  readonly id: string;
  readonly dag_run: number;
}

interface Search<F extends Found> {
  readonly find: (tx: Queryable) => Promise<readonly F[]>;
  /** The same test again under the locks; `$2` is now. */
  readonly still: string;
  readonly resume: (turn: Turn, instances: readonly WaitingInstance[], found: readonly F[]) => Promise<void>;
}

async function resumeFound<F extends Found>(
  engine: Engine,
  { find, still, resume }: Search<F>,
): Promise<SchedulingStep> {
  return engine.db.transaction(async (tx) => {
    const found = await find(tx);
    if (found.length === 0) return { announcement: NOTHING, more: false };
    const runIds = found.map(({ dag_run }) => dag_run);
    const turn = new Turn(engine, tx, await lockRuns(tx, engine.plans, runIds));
    const instances = await tx.rows<WaitingInstance>({
      text: `SELECT ${WAITING_COLUMNS} FROM task_instance t WHERE t.id = ANY($1::uuid[]) AND ${still} AND $2::timestamptz IS NOT NULL
        ORDER BY t.id FOR UPDATE`,
      values: [found.map(({ id }) => id), at(turn.now)],
    });
    await resume(turn, instances, found);
    return { announcement: await turn.settle(), more: found.length === BATCH };
  });
}

function fireTimers(engine: Engine): Promise<SchedulingStep> {
  return resumeFound<Found & { trigger_id: number; due_at: Instant }>(engine, {
    find: (tx) =>
      tx.rows({
        name: "due_timers",
        text: `SELECT t.id, t.dag_run, g.id AS trigger_id, g.due_at FROM trigger g JOIN task_instance t ON t.id = g.task_instance
          WHERE g.due_at <= $1 AND g.poll_interval IS NULL ORDER BY g.due_at LIMIT ${BATCH}`,
        values: [at(engine.clock.now())],
      }),
    still: "t.state = 'deferred'",
    async resume(turn, instances, found) {
      const dueAt = new Map(found.map(({ trigger_id, due_at }) => [trigger_id, due_at]));
      await resumeTries(
        turn,
        instances.flatMap((instance) => {
          const due = dueAt.get(instance.trigger_id ?? -1);
          return due === undefined ? [] : [{ instance, end: { kind: "event", payload: timerEvent(due) } }];
        }),
      );
    },
  });
}

interface Condition extends Found {
  readonly trigger_id: number;
  readonly kwargs: Readonly<Record<string, JsonValue>>;
  readonly waits_for_dag_id: string;
}

/** Armed again before they are looked at: a run that ends in between is seen by the next look. */
async function checkConditions(engine: Engine): Promise<SchedulingStep> {
  const due = await engine.db.rows<Condition>({
    name: "due_conditions",
    text: `UPDATE trigger g SET due_at = $1::timestamptz + make_interval(secs => g.poll_interval)
      FROM task_instance t WHERE t.id = g.task_instance AND g.id IN (
        SELECT id FROM trigger WHERE due_at <= $1 AND poll_interval IS NOT NULL
        ORDER BY due_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
      RETURNING t.id, t.dag_run, g.id AS trigger_id, g.kwargs, g.waits_for_dag_id`,
    values: [at(engine.clock.now())],
  });
  if (due.length === 0) return { announcement: NOTHING, more: false };
  const events = await eventsOf(engine, due);
  const met = due.filter(({ trigger_id }) => events.has(trigger_id));
  const { announcement } = await resumeFound(engine, {
    find: async () => met,
    still: "t.state = 'deferred'",
    resume: (turn, instances) =>
      resumeTries(
        turn,
        instances.flatMap((instance) => {
          const payload = events.get(instance.trigger_id ?? -1);
          return payload === undefined ? [] : [{ instance, end: { kind: "event", payload } }];
        }),
      ),
  });
  return { announcement, more: due.length === BATCH };
}

async function eventsOf({ db }: Engine, due: readonly Condition[]): Promise<ReadonlyMap<number, JsonValue>> {
  const rows = await db.rows<{ dag_id: string; run_id: string; state: string }>({
    name: "condition_runs",
    text: `SELECT r.dag_id, r.run_id, r.state FROM dag_run r WHERE (r.dag_id, r.run_id) IN (
      SELECT g.waits_for_dag_id, ids.run_id FROM trigger g, json_array_elements_text(g.kwargs -> 'run_ids') AS ids (run_id)
      WHERE g.id = ANY($1::bigint[]))`,
    values: [due.map(({ trigger_id }) => trigger_id)],
  });
  return new Map(
    due.flatMap(({ trigger_id, kwargs, waits_for_dag_id }) => {
      const states = rows.filter(({ dag_id }) => dag_id === waits_for_dag_id);
      const event = dagStateEvent(kwargs, new Map(states.map(({ run_id, state }) => [run_id, state])));
      return event === null ? [] : [[trigger_id, event] as const];
    }),
  );
}

function timeOutWaits(engine: Engine): Promise<SchedulingStep> {
  return resumeFound(engine, {
    find: (tx) =>
      tx.rows<Found>({
        name: "timed_out_waits",
        text: `SELECT t.id, t.dag_run FROM task_instance t
          WHERE t.state IN ('deferred', 'awaiting_input') AND t.trigger_timeout <= $1 ORDER BY t.trigger_timeout LIMIT ${BATCH}`,
        values: [at(engine.clock.now())],
      }),
    still: "t.state IN ('deferred', 'awaiting_input') AND t.trigger_timeout <= $2",
    async resume(turn, instances) {
      const deferred = instances.filter(({ state }) => state === "deferred");
      const awaiting = instances.filter(({ state }) => state === "awaiting_input");
      await resumeTries(
        turn,
        deferred.map((instance) => ({ instance, end: { kind: "timeout" } })),
      );
      await resumeTries(turn, await timeOutInput(turn.tx, awaiting, turn.now));
    },
  });
}

function startDueReschedules(engine: Engine): Promise<SchedulingStep> {
  return resumeFound(engine, {
    find: (tx) =>
      tx.rows<Found>({
        name: "due_reschedules",
        text: `SELECT t.id, t.dag_run FROM task_instance t JOIN dag d USING (dag_id)
          WHERE t.state = 'up_for_reschedule' AND t.reschedule_date <= $1 AND NOT d.is_paused
          ORDER BY t.reschedule_date LIMIT ${BATCH}`,
        values: [at(engine.clock.now())],
      }),
    still: "t.state = 'up_for_reschedule'",
    resume: (turn, instances) => lookAgain(turn, instances),
  });
}
