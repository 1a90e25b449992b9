/**
 * Why does this task instance not run? Every reason that holds now, in the order in which a person would ask: the DAG,
 * the run, what the task depends on, what it waits for, the limits, the queue.
 *
 * The facts are what is stored; nothing is remembered from the last decision but its cause.
 */
import { decideInstance, type InstanceFacts, type RelatedInstance } from "./decide-instance.ts";
import { isoText } from "./instant-text.ts";
import type { DagRunState, Instant, TaskInstanceState } from "./model.ts";
import { isFinished } from "./state-sets.ts";

export interface BlockingReason {
  /** What kind of thing blocks; Airflow's word where it has one. */
  readonly name: string;
  readonly reason: string;
}

/** What concerns the run as a whole. */
export interface RunStartFacts {
  readonly state: DagRunState;
  readonly run_after: Instant;
  readonly logical_date: Instant | null;
  readonly is_paused: boolean;
  readonly pause_cause: string | null;
  readonly is_stale: boolean;
  /** Runs that count against `max_active_runs` of the DAG, or of the backfill that the run belongs to. */
  readonly running_runs: LimitFacts;
  readonly backfill: { readonly id: number; readonly is_paused: boolean } | null;
  /** What the run or a task group in it waits for to run again, in a sentence; null: for nothing. */
  readonly retry: string | null;
}

/** -1 and null: without limit. */
export interface LimitFacts {
  readonly used: number;
  readonly limit: number | null;
  /** Some of those who hold it, as people know them. */
  readonly holders: readonly string[];
}

export interface PoolFacts extends Omit<LimitFacts, "limit"> {
  readonly name: string;
  readonly wanted: number;
  /** Null: there is no such pool. */
  readonly slots: number | null;
}

export interface QueueFacts {
  readonly name: string;
  readonly workers: number;
  readonly free_workers: number;
  readonly offers: number;
  readonly last_offer_at: Instant | null;
}

export interface BlockingFacts {
  readonly state: TaskInstanceState;
  readonly cause: string | null;
  readonly next_retry_at: Instant | null;
  readonly reschedule_date: Instant | null;
  readonly trigger_timeout: Instant | null;
  /** What a person is asked. */
  readonly question: string | null;
  readonly run: RunStartFacts;
  readonly decision: InstanceFacts;
  readonly upstream: readonly RelatedInstance[];
  readonly parallelism: LimitFacts;
  readonly pool: PoolFacts;
  readonly max_active_tasks: LimitFacts;
  readonly max_active_tis_per_dag: LimitFacts;
  readonly max_active_tis_per_dagrun: LimitFacts;
  readonly queue: QueueFacts;
}

/** Empty where nothing keeps it from running, or it runs. */
export function whyNotRunning(facts: BlockingFacts, now: Instant): BlockingReason[] {
  const { state, cause } = facts;
  const { retry } = facts.run;
  const again = retry === null ? [] : [reason("Retry", `${retry}.`)];
  if (isFinished(state))
    return [reason("Task Instance State", `Task is in the '${state}' state. ${cause ?? ""}`), ...again];
  if (state === "running" || state === "restarting") return [];
  return [...again, ...whyRunWaits(facts.run, now), ...whyInstanceWaits(facts)];
}

/** Why the tasks of a run don't start, whatever they depend on. */
function* whyRunWaits(run: RunStartFacts, now: Instant): Iterable<BlockingReason> {
  if (run.is_paused) {
    const why = run.pause_cause === null ? "" : ` It was paused because: ${run.pause_cause}.`;
    yield reason("Dag Paused", `The DAG is paused; unpause it to let its tasks run.${why}`);
  }
  if (run.is_stale)
    yield reason("Dag Stale", "The DAG is gone from its file, so that none of its runs starts; bring it back there.");
  if (run.state === "running" && run.logical_date !== null && run.logical_date > now)
    yield reason("Logical Date", `Nothing runs before the run's logical date, ${isoText(run.logical_date)}.`);
  if (run.state === "success" || run.state === "failed")
    yield reason("Dagrun Ended", `The run has ended as ${run.state}; clear it to let its tasks run.`);
  if (run.state === "queued") yield* whyQueued(run, now);
}

function* whyQueued(run: RunStartFacts, now: Instant): Iterable<BlockingReason> {
  const { run_after, running_runs: limit, backfill } = run;
  if (run_after > now) yield reason("Run After", `The run starts after ${isoText(run_after)}.`);
  if (backfill?.is_paused === true)
    yield reason("Backfill Paused", `Backfill ${backfill.id}, to which the run belongs, is paused.`);
  if (isFull(limit, 1)) {
    const whose = backfill === null ? "of this DAG" : `of backfill ${backfill.id}`;
    yield reason(
      "Max Active Runs",
      `${limit.used} of at most ${limit.limit} runs ${whose} are running${heldBy(limit)}.`,
    );
  }
  const isBlocked =
    run.is_paused || run.is_stale || run_after > now || backfill?.is_paused === true || isFull(limit, 1);
  if (!isBlocked) yield reason("Dagrun Queued", "The run waits for the scheduler to start it.");
}

function* whyInstanceWaits(facts: BlockingFacts): Iterable<BlockingReason> {
  switch (facts.state) {
    case null:
      yield* whyUndecided(facts);
      break;
    case "scheduled":
      yield* whyScheduled(facts);
      break;
    case "queued":
      yield* whyNotTaken(facts.queue);
      break;
    case "up_for_retry":
      yield facts.next_retry_at === null
        ? reason("Not In Retry Period", facts.cause ?? "A retry is about to start")
        : reason(
            "Not In Retry Period",
            `The next try starts after ${isoText(facts.next_retry_at)}. ${facts.cause ?? ""}`,
          );
      break;
    case "up_for_reschedule":
      yield reason("Ready To Reschedule", rescheduleText(facts));
      break;
    case "deferred":
      yield reason("Deferred", `${facts.cause ?? "Waits for a trigger"}${untilText(facts)}.`);
      break;
    case "awaiting_input":
      yield reason(
        "Awaiting Input",
        `Waits for an answer to "${facts.question ?? "its question"}"${untilText(facts)}.`,
      );
  }
}

function rescheduleText({ reschedule_date, cause }: BlockingFacts): string {
  return reschedule_date === null
    ? `${cause ?? "Looks again later"}.`
    : `Looks again after ${isoText(reschedule_date)}. ${cause ?? ""}`;
}

function untilText({ trigger_timeout }: BlockingFacts): string {
  return trigger_timeout === null ? "" : `, until ${isoText(trigger_timeout)} at the longest`;
}

/** A pause is told already. */
function* whyUndecided({ decision, upstream }: BlockingFacts): Iterable<BlockingReason> {
  const verdict = decideInstance({ ...decision, is_paused: false });
  if (verdict.kind !== "wait") return;
  const isPast = decision.past.kind === "blocked" && verdict.cause.includes(decision.past.cause);
  const open = upstream.filter(({ state }) => !isFinished(state)).map(nameOf);
  const waitsFor = isPast || open.length === 0 ? "" : `, and waits for ${some(open)}`;
  yield reason(isPast ? "Previous Dagrun State" : "Trigger Rule", `${verdict.cause}${waitsFor}.`);
}

function nameOf({ task_id, map_index, state }: RelatedInstance): string {
  return `${task_id}${map_index < 0 ? "" : `[${map_index}]`} (${state ?? "no status"})`;
}

/** Each limit that has no room for it now. */
function* whyScheduled(facts: BlockingFacts): Iterable<BlockingReason> {
  const found = [...fullLimits(facts)];
  yield* found;
  const isHeld = facts.run.is_paused || facts.run.state !== "running";
  if (found.length === 0 && !isHeld)
    yield reason("Scheduled", "There is room for it; the scheduler queues it in a moment.");
}

function* fullLimits(facts: BlockingFacts): Iterable<BlockingReason> {
  const limit = (name: string, what: string, { used, limit: most, holders }: LimitFacts) =>
    reason(name, `${used} of at most ${most} ${what}${heldBy({ holders, used })}.`);
  const { parallelism, pool, max_active_tasks, max_active_tis_per_dag, max_active_tis_per_dagrun } = facts;
  if (isFull(parallelism, 1))
    yield limit("Parallelism", "tasks are queued or running in this installation ([core] parallelism)", parallelism);
  yield* whyNoSlot(pool);
  if (isFull(max_active_tasks, 1))
    yield limit("Max Active Tasks", "tasks of this run are queued or running (max_active_tasks)", max_active_tasks);
  if (isFull(max_active_tis_per_dag, 1))
    yield limit(
      "Task Concurrency",
      "instances of this task are active (max_active_tis_per_dag)",
      max_active_tis_per_dag,
    );
  if (isFull(max_active_tis_per_dagrun, 1)) {
    const what = "instances of this task are active in this run (max_active_tis_per_dagrun)";
    yield limit("Task Concurrency", what, max_active_tis_per_dagrun);
  }
}

function* whyNoSlot({ name, wanted, slots, used, holders }: PoolFacts): Iterable<BlockingReason> {
  if (slots === null)
    yield reason("Pool Slots Available", `Pool '${name}' does not exist; create it, or change the task's pool.`);
  else if (slots >= 0 && wanted > slots)
    yield reason(
      "Pool Slots Available",
      `It asks for ${wanted} slots of pool '${name}', which has ${slots} in all, so that it can never start.`,
    );
  else if (slots >= 0 && used + wanted > slots) {
    const free = Math.max(0, slots - used);
    const text = `Pool '${name}' has ${free} of ${slots} slots free and ${wanted} ${wanted === 1 ? "is" : "are"} needed`;
    yield reason("Pool Slots Available", `${text}${heldBy({ holders, used })}.`);
  }
}

function* whyNotTaken({ name, workers, free_workers, offers, last_offer_at }: QueueFacts): Iterable<BlockingReason> {
  const offered =
    last_offer_at === null
      ? ""
      : ` It was offered ${offers === 1 ? "once" : `${offers} times`}, last at ${isoText(last_offer_at)}.`;
  if (workers === 0) yield reason("Worker", `No live worker listens to queue '${name}'.${offered}`);
  else if (free_workers === 0) yield reason("Worker", `All ${workers} workers of queue '${name}' are busy.${offered}`);
  else
    yield reason(
      "Queue",
      `It starts as soon as one of ${free_workers} free workers of queue '${name}' takes it.${offered}`,
    );
}

function isFull({ used, limit }: LimitFacts, wanted: number): boolean {
  return limit !== null && limit >= 0 && used + wanted > limit;
}

function heldBy({ holders }: Pick<LimitFacts, "holders" | "used">): string {
  return holders.length === 0 ? "" : `, held by ${some(holders)}`;
}

const MOST_NAMES = 5;

function some(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return rest <= 0 ? names.join(", ") : `${names.slice(0, MOST_NAMES).join(", ")} and ${rest} more`;
}

function reason(name: string, text: string): BlockingReason {
  return { name, reason: text.trim() };
}
