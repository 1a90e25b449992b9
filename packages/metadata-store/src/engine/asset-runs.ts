/**
 * Runs that events of assets make.
 *
 *   event written ──► queued for each DAG that waits for its asset ──► scheduler woken ──► one transaction per run:
 *   the DAG's row locked, the condition evaluated over its queue, the run created, its events consumed
 *
 * The lock of the DAG's row lets any number of schedulers create each run once.
 */
import {
  type AssetRun,
  type AssetTimetable,
  assetSchedule,
  generateRunId,
  type Instant,
  isAssetConditionMet,
  planAssetRuns,
  planPartitionedRuns,
  unmappedEvents,
} from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import type { Announcement, SchedulingStep } from "../store.ts";
import { attachHistory, consumeEvents, markSeen, queuedEvents, refuseEvents } from "./asset-queue.ts";
import type { Engine } from "./context.ts";
import { createRun, type DagFacts, writePartitionKey } from "./create-run.ts";
import { joined } from "./due-runs.ts";
import { ACTIVE_RUNS } from "./runs.ts";
import { Turn } from "./turn.ts";

const BATCH = 20;

interface WaitingDag extends DagFacts {
  readonly dag_id: string;
  readonly dag_version_id: string;
  readonly active_runs: number;
}

/** Each run is a transaction of its own, so that a broken DAG doesn't keep the others. */
export async function createAssetRuns(engine: Engine): Promise<SchedulingStep> {
  const waiting = await dagsWithEvents(engine);
  let announcement: Announcement = NOTHING;
  const failures: unknown[] = [];
  for (const dagId of waiting) {
    try {
      announcement = joined(announcement, await evaluateDag(engine, dagId));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0 && failures.length === waiting.length)
    throw new AggregateError(failures, "no DAG with queued asset events could be evaluated");
  return { announcement, more: waiting.length > 0 && failures.length === 0 };
}

/**
 * DAGs whose events nobody looked at yet, found by one probe of the index for each of them: a DAG may have many events.
 * One that makes a run for each event waits while it has no room.
 */
async function dagsWithEvents(engine: Engine): Promise<string[]> {
  const rows = await engine.db.rows<{ dag_id: string }>({
    name: "dags_with_events",
    text: `WITH RECURSIVE waiting (dag_id) AS (
        (SELECT target_dag_id FROM asset_dag_run_queue WHERE NOT is_seen ORDER BY target_dag_id LIMIT 1)
        UNION ALL
        SELECT (SELECT q.target_dag_id FROM asset_dag_run_queue q
          WHERE NOT q.is_seen AND q.target_dag_id > w.dag_id ORDER BY q.target_dag_id LIMIT 1)
        FROM waiting w WHERE w.dag_id IS NOT NULL)
      SELECT d.dag_id FROM waiting JOIN dag d USING (dag_id)
      WHERE NOT d.is_paused AND NOT d.is_stale AND NOT d.is_draining AND (d.batches_asset_events OR ${ACTIVE_RUNS} < d.max_active_runs)
      LIMIT ${BATCH}`,
  });
  return rows.map(({ dag_id }) => dag_id);
}

async function evaluateDag(engine: Engine, dagId: string): Promise<Announcement> {
  return engine.db.transaction(async (tx) => {
    const [dag] = await tx.rows<WaitingDag>({
      name: "dag_with_events",
      text: `SELECT d.dag_id, d.is_paused, d.max_active_runs, d.dag_version_id, ${ACTIVE_RUNS} AS active_runs
        FROM dag d WHERE d.dag_id = $1 AND NOT d.is_paused AND NOT d.is_stale AND NOT d.is_draining FOR NO KEY UPDATE SKIP LOCKED`,
      values: [dagId],
    });
    if (dag === undefined) return NOTHING;
    const plan = await engine.plans.loadOne(tx, dag.dag_version_id);
    const schedule = assetSchedule(plan.dag.timetable);
    const turn = new Turn(engine, tx, []);
    if (schedule?.type === "asset_and_time") await openGate(turn, dagId, schedule);
    else if (schedule !== null) await createNext(engine, turn, { dag, schedule });
    return turn.settle();
  });
}

/** A tick that is due goes through as soon as the condition is met; its run is created like every other tick's. */
async function openGate(
  turn: Turn,
  dagId: string,
  { condition }: Extract<AssetTimetable, { type: "asset_and_time" }>,
): Promise<void> {
  const events = await queuedEvents(turn.tx, dagId, "all");
  await markSeen(
    turn.tx,
    dagId,
    events.map(({ id }) => id),
  );
  if (!isAssetConditionMet(condition, events)) return;
  await turn.tx.rows({
    name: "open_gate",
    text: `UPDATE dag SET evaluate_at = next_dagrun_run_after
      WHERE dag_id = $1 AND evaluate_at IS NULL AND NOT is_gated AND next_dagrun_run_after IS NOT NULL`,
    values: [dagId],
  });
}

interface Evaluation {
  readonly dag: WaitingDag;
  readonly schedule: Exclude<AssetTimetable, { type: "asset_and_time" }>;
}

/** At most one run: the counter of running runs is written when the transaction settles. */
async function createNext(engine: Engine, turn: Turn, { dag, schedule }: Evaluation): Promise<void> {
  const { condition, batch } = schedule;
  const mapper = schedule.type === "asset" ? (schedule.partition ?? null) : null;
  const waiting = await queuedEvents(turn.tx, dag.dag_id, batch || mapper !== null ? "all" : "next");
  const refused = mapper === null ? [] : unmappedEvents(mapper, waiting);
  await refuseEvents(turn.tx, dag.dag_id, refused, turn.now);
  const queued = waiting.filter((event) => !refused.includes(event));
  const room = dag.max_active_runs - dag.active_runs;
  const facts = { condition, batch, queued, room };
  const [next] = mapper === null ? unpartitioned(planAssetRuns(facts)) : planPartitionedRuns({ ...facts, mapper });
  if (next !== undefined) return createFrom(engine, turn, { dag, ...next });
  if (!batch && room <= 0) return;
  await markSeen(
    turn.tx,
    dag.dag_id,
    queued.map(({ id }) => id),
  );
}

function unpartitioned(runs: readonly AssetRun[]) {
  return runs.map((run) => ({ ...run, partition_key: null }));
}

interface RunToCreate {
  readonly partition_key: string | null;
  readonly dag: WaitingDag;
  readonly event_ids: readonly number[];
  readonly run_after: Instant;
}

async function createFrom(engine: Engine, turn: Turn, { dag, event_ids, ...next }: RunToCreate): Promise<void> {
  const { run_after, partition_key } = next;
  const plan = await engine.plans.loadOne(turn.tx, dag.dag_version_id);
  const run = await createRun(engine, turn, plan, dag, {
    dag_id: dag.dag_id,
    run_id: generateRunId("asset_triggered", run_after, engine.ids.uuid().slice(-8)),
    logical_date: null,
    data_interval_start: null,
    data_interval_end: null,
    run_after,
    run_type: "asset_triggered",
    triggered_by: "asset",
    triggering_user_name: null,
    conf: {},
    note: null,
  });
  if (run === null) throw new Error(`the run id of an asset-triggered run of DAG ${dag.dag_id} was taken`);
  await consumeEvents(turn.tx, dag.dag_id, run.id, event_ids);
  if (partition_key !== null) return writePartitionKey(turn.tx, run.id, partition_key);
  if (plan.dag.catchup) await attachHistory(turn.tx, dag.dag_id, run.id, run_after);
}
