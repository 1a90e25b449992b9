/** Why a task instance does not run, from stored facts. */
import { decideInstance, type InstanceFacts, isFinished, isoText, type TaskInstanceState } from "@updraft/dag-core";
import type { Engine } from "../engine/context.ts";
import { gatherFacts } from "../engine/facts.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "../engine/instance.ts";
import type { BlockingReason, XComAddress } from "../store.ts";

interface Facts extends EngineInstance {
  readonly cause: string | null;
  readonly next_retry_at: number | null;
  readonly trigger_timeout: number | null;
  readonly question: string | null;
  readonly run_state: string;
  readonly run_after: number;
  readonly dag_version_id: string;
  readonly logical_date: number | null;
  readonly is_paused: boolean;
  readonly pause_cause: string | null;
  readonly max_active_runs: number;
  readonly running_runs: number;
  readonly worker_listens: boolean;
  readonly worker_free: boolean;
}

/** Null where there is no such instance; empty where nothing keeps it from running. */
export async function blockingReasons(
  engine: Engine,
  address: Omit<XComAddress, "key">,
): Promise<BlockingReason[] | null> {
  const live =
    "j.job_type = 'WorkerJob' AND j.state = 'running' AND j.latest_heartbeat > clock_timestamp() - interval '10 seconds' AND t.queue = ANY(j.queues)";
  const [facts] = await engine.db.rows<Facts>({
    text: `SELECT ${ENGINE_COLUMNS}, t.cause, t.next_retry_at, t.trigger_timeout, r.state AS run_state, r.run_after, r.dag_version_id,
        r.logical_date, d.is_paused, d.pause_cause, d.max_active_runs,
        coalesce((SELECT used FROM occupancy WHERE key = 'runs:' || t.dag_id), 0) AS running_runs,
        (SELECT subject FROM hitl_detail h WHERE h.ti_id = t.id) AS question,
        EXISTS (SELECT FROM job j WHERE ${live}) AS worker_listens,
        EXISTS (SELECT FROM job j WHERE ${live} AND j.running < j.concurrency) AS worker_free
      FROM task_instance t JOIN dag_run r ON r.id = t.dag_run JOIN dag d ON d.dag_id = t.dag_id
      WHERE t.dag_id = $1 AND t.run_id = $2 AND t.task_id = $3 AND t.map_index = $4`,
    values: [address.dag_id, address.run_id, address.task_id, address.map_index],
  });
  if (facts === undefined) return null;
  const plan = await engine.plans.loadOne(engine.db, facts.dag_version_id);
  const upstream = await upstreamStates(engine, facts, plan.upstream.get(facts.task_id) ?? []);
  const { is_paused } = facts;
  const [decision] = await gatherFacts(engine.db, [{ instance: facts, plan, is_paused }]);
  return reasons(facts, decision, upstream, engine.clock.now());
}

interface Upstream {
  readonly task_id: string;
  readonly state: TaskInstanceState;
}

function upstreamStates(engine: Engine, { dag_run }: Facts, ids: readonly string[]): Promise<Upstream[]> {
  return engine.db.rows<Upstream>({
    text: "SELECT task_id, state FROM task_instance WHERE dag_run = $1 AND task_id = ANY($2::text[]) ORDER BY task_id",
    values: [dag_run, ids],
  });
}

function reasons(
  facts: Facts,
  decision: InstanceFacts | undefined,
  upstream: readonly Upstream[],
  now: number,
): BlockingReason[] {
  const { state, cause } = facts;
  if (isFinished(state))
    return [{ name: "Task Instance State", reason: `Task is in the '${state}' state. ${cause ?? ""}`.trim() }];
  if (state === "running" || state === "restarting") return [];
  const found: BlockingReason[] = [];
  if (facts.is_paused)
    found.push({
      name: "Dag Paused",
      reason: `The DAG is paused; unpause it to let its tasks run.${facts.pause_cause === null ? "" : ` It was paused because: ${facts.pause_cause}.`}`,
    });
  found.push(...runReasons(facts, now));
  if (state === null && decision !== undefined) found.push(...ruleReasons(decision, upstream));
  if (state === "up_for_retry" && facts.next_retry_at !== null) {
    found.push({
      name: "Not In Retry Period",
      reason: `The next try starts after ${isoText(facts.next_retry_at)}. ${cause ?? ""}`.trim(),
    });
  }
  found.push(...waitReasons(facts));
  if (state === "scheduled" && cause !== null && !facts.is_paused) found.push({ name: "Limits", reason: cause });
  if (state === "queued") found.push(...queueReasons(facts));
  return found;
}

/** Why an instance without a state has none. A pause is told already. */
function* ruleReasons(decision: InstanceFacts, upstream: readonly Upstream[]): Iterable<BlockingReason> {
  const verdict = decideInstance({ ...decision, is_paused: false });
  if (verdict.kind !== "wait") return;
  const isPast = decision.past.kind === "blocked";
  const open = upstream
    .filter(({ state }) => !isFinished(state))
    .map(({ task_id, state }) => `${task_id} (${state ?? "no status"})`);
  const waitsFor = isPast || open.length === 0 ? "" : `, and waits for ${open.join(", ")}`;
  yield { name: isPast ? "Previous Dagrun State" : "Trigger Rule", reason: `${verdict.cause}${waitsFor}.` };
}

function* runReasons(
  { run_state, run_after, running_runs, max_active_runs, logical_date }: Facts,
  now: number,
): Iterable<BlockingReason> {
  if (run_state === "running" && logical_date !== null && logical_date > now)
    yield { name: "Logical Date", reason: `Nothing runs before the run's logical date, ${isoText(logical_date)}.` };
  if (run_state !== "queued") return;
  if (run_after > now) yield { name: "Run After", reason: `The run starts after ${isoText(run_after)}.` };
  else if (running_runs >= max_active_runs) {
    yield {
      name: "Max Active Runs",
      reason: `${running_runs} of at most ${max_active_runs} runs of this DAG are running.`,
    };
  } else yield { name: "Dagrun Queued", reason: "The run waits for the scheduler to start it." };
}

function* waitReasons({ state, cause, trigger_timeout, question }: Facts): Iterable<BlockingReason> {
  const limit = trigger_timeout === null ? "" : `, until ${isoText(trigger_timeout)} at the longest`;
  if (state === "deferred") yield { name: "Deferred", reason: `${cause ?? "Waits for a trigger"}${limit}.` };
  if (state === "awaiting_input")
    yield { name: "Awaiting Input", reason: `Waits for an answer to "${question ?? "its question"}"${limit}.` };
  if (state === "up_for_reschedule") yield { name: "Ready To Reschedule", reason: `${cause ?? "Looks again later"}.` };
}

function* queueReasons({ queue, worker_listens, worker_free }: Facts): Iterable<BlockingReason> {
  if (!worker_listens) yield { name: "Worker", reason: `No live worker listens to queue '${queue}'.` };
  else if (!worker_free) yield { name: "Worker", reason: `Every worker of queue '${queue}' is busy.` };
  else
    yield {
      name: "Queue",
      reason: `The try is offered to the workers of queue '${queue}' and starts as soon as one takes it.`,
    };
}
