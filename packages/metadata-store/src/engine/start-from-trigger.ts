/** Tasks that begin with a deferral: from ready to deferred, without a worker and without its limits, as in Airflow. */
import { isExecuting, type SerializedTask } from "@updraft/dag-core";
import type { TryOutcome } from "../store.ts";
import { type EngineInstance, keepTries } from "./instance.ts";
import type { Turn } from "./turn.ts";
import { whyNotDeferrable, writeWaits } from "./waits.ts";

type Deferral = Extract<TryOutcome, { kind: "deferred" }>;

/** Defers those of the ready instances whose task says so; the answer holds the others. */
export async function startFromTriggers(turn: Turn, ready: readonly EngineInstance[]): Promise<EngineInstance[]> {
  const starts = ready.flatMap((instance) => {
    const outcome =
      isExecuting(instance.state) || instance.state === "scheduled" ? null : deferralOf(turn.taskOf(instance));
    // One that can't be waited for runs on a worker, where its failure is told.
    return outcome === null || whyNotDeferrable(outcome, turn.now) !== null ? [] : [{ instance, outcome }];
  });
  if (starts.length === 0) return [...ready];
  keepTries(
    turn.tx,
    starts.filter(({ instance }) => instance.try_number > 0).map(({ instance }) => instance.id),
  );
  const begun = starts.map(({ instance, outcome }) => ({
    instance: { ...instance, try_number: instance.try_number + 1 },
    outcome,
  }));
  await turn.move(
    begun.map(({ instance, outcome }) => ({
      instance,
      state: "deferred",
      cause: `Waits for trigger ${outcome.classpath} before it starts`,
      start_date: turn.now,
      end_date: null,
    })),
  );
  await turn.tx.rows({
    name: "begin_deferred_tries",
    text: `UPDATE task_instance SET try_number = try_number + 1, reschedule_date = NULL, hostname = NULL, unixname = NULL,
        pid = NULL, last_heartbeat_at = NULL WHERE id = ANY($1::uuid[])`,
    values: [begun.map(({ instance }) => instance.id)],
  });
  if (await writeWaits(turn.tx, begun, turn.now)) turn.tidings.wake_scheduler = true;
  const deferred = new Set(begun.map(({ instance }) => instance.id));
  return ready.filter(({ id }) => !deferred.has(id));
}

function deferralOf({ start_from_trigger: start }: SerializedTask): Deferral | null {
  if (start === null || start === undefined) return null;
  const { classpath, kwargs, timeout, next_method, next_kwargs } = start;
  return { kind: "deferred", classpath, kwargs, queue: null, timeout_seconds: timeout, next_method, next_kwargs };
}
