/**
 * What waiting tries leave in the store: triggers, reschedules, how they go on. Written after the move into the wait and
 * taken away by the move out of it, in the same transaction. A DAG in which nothing waits costs no statement here.
 *
 * Each is a statement of its own: what is only sent may join the move of the same row, and one statement changes a row once.
 */
import { type Instant, isWaiting, planTrigger, type TaskInstanceState } from "@updraft/dag-core";
import { at, type Queryable } from "../database.ts";
import type { TryOutcome } from "../store.ts";
import type { EngineInstance, Move } from "./instance.ts";

type Outcome<K extends TryOutcome["kind"]> = Extract<TryOutcome, { kind: K }>;
type WaitOutcome = Outcome<"deferred" | "awaiting_input" | "up_for_reschedule">;

export interface Wait {
  readonly instance: EngineInstance;
  readonly outcome: WaitOutcome;
}

export function isWait(outcome: TryOutcome): outcome is WaitOutcome {
  return isWaiting(outcome.kind as TaskInstanceState);
}

/** Null where the trigger can be waited for; else why not. */
export function whyNotDeferrable(outcome: TryOutcome, now: Instant): string | null {
  if (outcome.kind !== "deferred") return null;
  const plan = planTrigger(outcome.classpath, outcome.kwargs, now);
  return plan.kind === "invalid" ? plan.reason : null;
}

/** True when the scheduler has to look at one of them at some instant. */
export async function writeWaits(tx: Queryable, waits: readonly Wait[], now: Instant): Promise<boolean> {
  const deferred = waits.flatMap(({ instance, outcome }) =>
    outcome.kind === "deferred"
      ? [{ instance, outcome, plan: planTrigger(outcome.classpath, outcome.kwargs, now) }]
      : [],
  );
  const awaiting = waits.flatMap(({ instance, outcome }) =>
    outcome.kind === "awaiting_input" ? [{ instance, outcome }] : [],
  );
  const rescheduled = waits.flatMap(({ instance, outcome }) =>
    outcome.kind === "up_for_reschedule" ? [{ instance, outcome }] : [],
  );
  if (deferred.length > 0) await insertTriggers(tx, deferred, now);
  if (deferred.length + awaiting.length > 0) await writeResumptions(tx, [...deferred, ...awaiting], now);
  if (rescheduled.length > 0) await insertReschedules(tx, rescheduled, now);
  return (
    rescheduled.length > 0 ||
    deferred.some(({ plan }) => plan.kind !== "hosted") ||
    [...deferred, ...awaiting].some(({ outcome }) => outcome.timeout_seconds !== null)
  );
}

type Deferral = { instance: EngineInstance; outcome: Outcome<"deferred">; plan: ReturnType<typeof planTrigger> };

async function insertTriggers(tx: Queryable, deferred: readonly Deferral[], now: Instant): Promise<void> {
  await tx.rows({
    name: "insert_triggers",
    text: `WITH made AS (
        INSERT INTO trigger (task_instance, try_number, classpath, kwargs, queue, due_at, poll_interval, waits_for_dag_id, created_date)
        SELECT w.*, $9 FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::json[], $5::text[], $6::timestamptz[],
          $7::double precision[], $8::text[]) AS w
        RETURNING id, task_instance)
      UPDATE task_instance t SET trigger_id = made.id FROM made WHERE t.id = made.task_instance`,
    values: [
      deferred.map(({ instance }) => instance.id),
      deferred.map(({ instance }) => instance.try_number),
      deferred.map(({ outcome }) => outcome.classpath),
      deferred.map(({ outcome }) => JSON.stringify(outcome.kwargs)),
      deferred.map(({ outcome }) => outcome.queue),
      deferred.map(({ plan }) => at(plan.kind === "timer" ? plan.due_at : plan.kind === "condition" ? now : null)),
      deferred.map(({ plan }) => (plan.kind === "condition" ? plan.poll_interval : null)),
      deferred.map(({ plan }) => (plan.kind === "condition" ? plan.dag_id : null)),
      at(now),
    ],
  });
}

async function writeResumptions(
  tx: Queryable,
  waits: readonly { instance: EngineInstance; outcome: Outcome<"deferred" | "awaiting_input"> }[],
  now: Instant,
): Promise<void> {
  await tx.rows({
    name: "write_resumptions",
    text: `UPDATE task_instance t
      SET next_method = w.next_method, next_kwargs = w.next_kwargs, trigger_timeout = w.trigger_timeout
      FROM unnest($1::uuid[], $2::text[], $3::json[], $4::timestamptz[])
        AS w (id, next_method, next_kwargs, trigger_timeout)
      WHERE t.id = w.id`,
    values: [
      waits.map(({ instance }) => instance.id),
      waits.map(({ outcome }) => outcome.next_method),
      waits.map(({ outcome }) => JSON.stringify(outcome.next_kwargs)),
      waits.map(({ outcome: { timeout_seconds } }) =>
        at(timeout_seconds === null ? null : now + Math.round(timeout_seconds * 1000)),
      ),
    ],
  });
}

async function insertReschedules(
  tx: Queryable,
  rescheduled: readonly { instance: EngineInstance; outcome: Outcome<"up_for_reschedule"> }[],
  now: Instant,
): Promise<void> {
  await tx.rows({
    name: "insert_reschedules",
    text: `WITH seen AS (
        INSERT INTO task_reschedule (ti_id, try_number, start_date, end_date, duration, reschedule_date)
        SELECT t.id, t.try_number, coalesce(t.start_date, $3), $3,
          greatest(0, extract(epoch FROM $3 - coalesce(t.start_date, $3)))::integer, w.reschedule_date
        FROM unnest($1::uuid[], $2::timestamptz[]) AS w (id, reschedule_date) JOIN task_instance t USING (id))
      UPDATE task_instance t SET reschedule_date = w.reschedule_date, next_method = NULL, next_kwargs = NULL
      FROM unnest($1::uuid[], $2::timestamptz[]) AS w (id, reschedule_date) WHERE t.id = w.id`,
    values: [
      rescheduled.map(({ instance }) => instance.id),
      rescheduled.map(({ outcome }) => at(outcome.reschedule_date)),
      at(now),
    ],
  });
}

/**
 * Before instances move to or from `deferred`: drops the triggers of those that leave it, however they do, and tells the
 * pools in which a deferred try keeps its slots.
 */
export async function crossDeferral(tx: Queryable, moves: readonly Move[]): Promise<ReadonlySet<string>> {
  const crossing = moves.filter(({ instance, state }) => instance.state === "deferred" || state === "deferred");
  if (crossing.length === 0) return new Set();
  const rows = await tx.rows<{ pool: string }>({
    name: "cross_deferral",
    text: `WITH dropped AS (DELETE FROM trigger WHERE task_instance = ANY($1::uuid[]))
      SELECT pool FROM slot_pool WHERE include_deferred AND pool = ANY($2::text[])`,
    values: [crossing.map(({ instance }) => instance.id), crossing.map(({ instance }) => instance.pool)],
  });
  return new Set(rows.map(({ pool }) => pool));
}
