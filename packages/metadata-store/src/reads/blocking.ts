/**
 * Why a task instance does not run: the stored facts, read by two trips of bounded size. dag-core says what they mean.
 */
import {
  awaitsRetry,
  type BlockingFacts,
  type BlockingReason,
  type RelatedInstance,
  type RunRetries,
  whyNotRunning,
} from "@updraft/dag-core";
import { type DagPlan, taskOf } from "../dag-plan.ts";
import type { Engine } from "../engine/context.ts";
import { gatherFacts } from "../engine/facts.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "../engine/instance.ts";
import type { XComAddress } from "../store.ts";

/** So many of those who hold a limit are named, and so many upstream instances. */
const MOST_HOLDERS = 6;
const MOST_UPSTREAM = 50;

interface Row extends EngineInstance {
  readonly cause: string | null;
  readonly next_retry_at: number | null;
  readonly reschedule_date: number | null;
  readonly trigger_timeout: number | null;
  readonly last_offer_at: number | null;
  readonly question: string | null;
  readonly run_state: BlockingFacts["run"]["state"];
  readonly run_after: number;
  readonly logical_date: number | null;
  readonly dag_version_id: string;
  readonly backfill_id: number | null;
  readonly backfill_is_paused: boolean | null;
  readonly backfill_limit: number | null;
  readonly is_paused: boolean;
  readonly retries: RunRetries | null;
  readonly run_cause: string | null;
  readonly pause_cause: string | null;
  readonly is_stale: boolean;
  readonly max_active_runs: number;
  readonly slots: number | null;
  readonly workers: number;
  readonly free_workers: number;
  readonly used_parallelism: number;
  readonly used_pool: number;
  readonly used_run: number;
  readonly used_task: number;
  readonly used_runs: number;
}

const LIVE_WORKERS = `FROM job j WHERE j.job_type = 'WorkerJob' AND j.state = 'running'
  AND j.latest_heartbeat > clock_timestamp() - interval '10 seconds' AND t.queue = ANY(j.queues)`;

const used = (key: string) => `coalesce((SELECT o.used FROM occupancy o WHERE o.key = ${key}), 0)`;

/** Null where there is no such instance; empty where nothing keeps it from running. */
export async function blockingReasons(
  engine: Engine,
  address: Omit<XComAddress, "key">,
): Promise<readonly BlockingReason[] | null> {
  const [row] = await engine.db.rows<Row>({
    name: "blocking_facts",
    text: `SELECT ${ENGINE_COLUMNS}, t.cause, t.next_retry_at, t.reschedule_date, t.trigger_timeout, t.last_offer_at,
        (SELECT subject FROM hitl_detail h WHERE h.ti_id = t.id) AS question,
        r.state AS run_state, r.run_after, r.logical_date, r.dag_version_id, r.backfill_id, r.retries, r.cause AS run_cause,
        b.is_paused AS backfill_is_paused, b.max_active_runs AS backfill_limit,
        d.is_paused, d.pause_cause, d.is_stale, d.max_active_runs, p.slots,
        (SELECT count(*)::integer ${LIVE_WORKERS}) AS workers,
        (SELECT count(*)::integer ${LIVE_WORKERS} AND j.running < j.concurrency) AS free_workers,
        ${used("'parallelism'")} AS used_parallelism, ${used("'pool:' || t.pool")} AS used_pool,
        ${used("'run:' || t.dag_run")} AS used_run, ${used("'task:' || t.dag_id || '/' || t.task_id")} AS used_task,
        ${used("CASE WHEN r.backfill_id IS NULL THEN 'runs:' || r.dag_id ELSE 'backfill:' || r.backfill_id END")} AS used_runs
      FROM task_instance t JOIN dag_run r ON r.id = t.dag_run JOIN dag d ON d.dag_id = t.dag_id
        LEFT JOIN slot_pool p ON p.pool = t.pool LEFT JOIN backfill b ON b.id = r.backfill_id
      WHERE t.dag_id = $1 AND t.run_id = $2 AND t.task_id = $3 AND t.map_index = $4`,
    values: [address.dag_id, address.run_id, address.task_id, address.map_index],
  });
  if (row === undefined) return null;
  const plan = await engine.plans.loadOne(engine.db, row.dag_version_id);
  return whyNotRunning(await factsOf(engine, row, plan), engine.clock.now());
}

async function factsOf(engine: Engine, row: Row, plan: DagPlan): Promise<BlockingFacts> {
  const task = taskOf(plan, row.task_id);
  const [decision, upstream, holders] = await Promise.all([
    gatherFacts(engine.db, [{ instance: row, plan, is_paused: row.is_paused, retries: row.retries }]).then(
      ([facts]) => facts,
    ),
    upstreamOf(engine, row, plan),
    holdersOf(engine, row),
  ]);
  if (decision === undefined) throw new Error(`there are no facts about task ${row.task_id}`);
  const named = (kind: Holder["kind"]) => holders.filter((one) => one.kind === kind).map(({ name }) => name);
  const limit = (inUse: number, most: number | null, kind: Holder["kind"]) => ({
    used: inUse,
    limit: most,
    holders: named(kind),
  });
  return {
    ...row,
    run: {
      ...row,
      state: row.run_state,
      retry: row.run_state === "running" && awaitsRetry(row.retries) ? row.run_cause : null,
      running_runs: limit(row.used_runs, row.backfill_limit ?? row.max_active_runs, "runs"),
      backfill: row.backfill_id === null ? null : { id: row.backfill_id, is_paused: row.backfill_is_paused === true },
    },
    decision,
    upstream,
    parallelism: limit(row.used_parallelism, engine.parallelism, "parallelism"),
    pool: { name: row.pool, wanted: row.pool_slots, slots: row.slots, used: row.used_pool, holders: named("pool") },
    max_active_tasks: limit(row.used_run, plan.dag.max_active_tasks, "run"),
    max_active_tis_per_dag: limit(row.used_task, task.max_active_tis_per_dag, "task"),
    max_active_tis_per_dagrun: limit(named("task_in_run").length, task.max_active_tis_per_dagrun, "task_in_run"),
    queue: {
      name: row.queue,
      ...{ workers: row.workers, free_workers: row.free_workers, last_offer_at: row.last_offer_at },
      offers: row.offer_number,
    },
  };
}

/** Those that are open come first. */
async function upstreamOf(engine: Engine, { dag_run, task_id, state }: Row, plan: DagPlan): Promise<RelatedInstance[]> {
  const ids = plan.upstream.get(task_id) ?? [];
  if (state !== null || ids.length === 0) return [];
  return engine.db.rows<RelatedInstance>({
    name: "blocking_upstream",
    text: `SELECT task_id, map_index, state FROM task_instance WHERE dag_run = $1 AND task_id = ANY($2::text[])
      ORDER BY state IN ('success', 'failed', 'skipped', 'upstream_failed', 'removed') NULLS FIRST, task_id, map_index
      LIMIT ${MOST_UPSTREAM}`,
    values: [dag_run, ids],
  });
}

interface Holder {
  readonly kind: "parallelism" | "pool" | "run" | "task" | "task_in_run" | "runs";
  readonly name: string;
}

/**
 * Who holds what this instance waits for. Instances that hold a slot are no more than `parallelism`, so that an index
 * leads to all of them; runs are asked for only where the run itself waits.
 */
async function holdersOf(engine: Engine, row: Row): Promise<Holder[]> {
  if (row.state !== "scheduled" && row.run_state !== "queued") return [];
  const label =
    "t.dag_id || '.' || t.run_id || '.' || t.task_id || CASE WHEN t.map_index < 0 THEN '' ELSE '[' || t.map_index || ']' END || ' (' || t.state || ')'";
  const kind = (name: Holder["kind"], condition: string) =>
    `(SELECT '${name}' AS kind, label AS name FROM held t WHERE ${condition} LIMIT ${MOST_HOLDERS})`;
  return engine.db.rows<Holder>({
    name: "blocking_holders",
    text: `WITH held AS MATERIALIZED (
        SELECT t.*, ${label} AS label FROM task_instance t WHERE t.state = 'queued'
        UNION ALL SELECT t.*, ${label} FROM task_instance t WHERE t.state IN ('running', 'restarting')
        UNION ALL SELECT t.*, ${label} FROM trigger g JOIN task_instance t ON t.id = g.task_instance WHERE t.state = 'deferred')
      ${[
        kind("parallelism", "t.state IN ('queued', 'running')"),
        kind("pool", "t.pool = $2 AND t.state <> 'restarting'"),
        kind("run", "t.dag_run = $1 AND t.state IN ('queued', 'running')"),
        kind("task", "t.dag_id = $3 AND t.task_id = $4 AND t.state <> 'restarting'"),
        kind("task_in_run", "t.dag_run = $1 AND t.task_id = $4 AND t.state <> 'restarting'"),
      ].join(" UNION ALL ")}
      UNION ALL (SELECT 'runs', r.run_id FROM dag_run r WHERE r.dag_id = $3 AND r.state = 'running'
        AND coalesce(r.backfill_id, 0) = $5 ORDER BY r.run_after, r.id LIMIT ${MOST_HOLDERS})`,
    values: [row.dag_run, row.pool, row.dag_id, row.task_id, row.backfill_id ?? 0],
  });
}
