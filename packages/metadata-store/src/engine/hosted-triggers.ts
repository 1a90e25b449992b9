/**
 * Triggers that a triggerer runs: taken by lease, kept by heartbeats, ended by one report. Leases are measured by the
 * database's clock alone. A triggerer that wakes up late holds an older fence, and nothing of it counts any more.
 */
import { NOTHING } from "../announcement.ts";
import type { Queryable } from "../database.ts";
import { RUN_COLUMNS } from "../reads/columns.ts";
import type {
  Announcement,
  DagRunRow,
  HostedTrigger,
  TriggererClaim,
  TriggererStore,
  TriggerHold,
  TriggerReport,
} from "../store.ts";
import type { Engine } from "./context.ts";
import { watcherStore } from "./hosted-watchers.ts";
import { resumeTries, WAITING_COLUMNS, type WaitingInstance } from "./resume.ts";
import { lockRuns } from "./runs.ts";
import { Turn } from "./turn.ts";

export function triggererStore(engine: Engine): TriggererStore {
  return {
    claimTriggers: (claim) => claimTriggers(engine, claim),
    keepTriggers: (triggerer, held, leaseSeconds) => keepTriggers(engine.db, triggerer, held, leaseSeconds),
    releaseTriggers: (triggerer) => releaseTriggers(engine.db, triggerer),
    reportTriggers: (reports) => reportTriggers(engine, reports),
    ...watcherStore(engine),
  };
}

interface ClaimedRow extends Omit<DagRunRow, "dag_version_number"> {
  readonly id: number;
  readonly fence: number;
  readonly classpath: string;
  readonly kwargs: HostedTrigger["kwargs"];
  readonly ti_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly try_number: number;
  readonly max_tries: number;
  readonly dag_version_id: string;
}

async function claimTriggers(
  { db, plans }: Engine,
  { triggerer, capacity, lease_seconds }: TriggererClaim,
): Promise<HostedTrigger[]> {
  const rows = await db.rows<ClaimedRow>({
    name: "claim_triggers",
    text: `UPDATE trigger g SET triggerer = $1, fence = g.fence + 1, lease_until = clock_timestamp() + make_interval(secs => $3)
      FROM task_instance t, dag_run r
      WHERE t.id = g.task_instance AND r.id = t.dag_run AND g.id IN (
        SELECT id FROM trigger WHERE due_at IS NULL AND task_instance IS NOT NULL AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY lease_until NULLS FIRST, id LIMIT $2 FOR UPDATE SKIP LOCKED)
      RETURNING g.id, g.fence, g.classpath, g.kwargs, g.try_number, t.id AS ti_id, t.task_id, t.map_index, t.max_tries,
        r.dag_version_id, ${RUN_COLUMNS}`,
    values: [triggerer, capacity, lease_seconds],
  });
  const loaded = await plans.load(
    db,
    rows.map(({ dag_version_id }) => dag_version_id),
  );
  return rows.flatMap(({ id, fence, classpath, kwargs, ti_id, task_id, map_index, try_number, max_tries, ...run }) => {
    const plan = loaded.get(run.dag_version_id);
    if (plan === undefined) return [];
    const { dag_version_id: _version, ...dagRun } = run;
    const dag_run = { ...dagRun, dag_version_number: plan.version_number };
    const of = { ti_id, dag_id: run.dag_id, run_id: run.run_id, task_id, map_index, try_number, max_tries };
    return [{ id, fence, classpath, kwargs, ...of, artefact_hash: plan.artefact_hash, dag_run }];
  });
}

/** The ids of those that are still the triggerer's; nobody waits for the others any more, or somebody else runs them. */
async function keepTriggers(
  db: Queryable,
  triggerer: string,
  held: readonly TriggerHold[],
  leaseSeconds: number,
): Promise<number[]> {
  if (held.length === 0) return [];
  const rows = await db.rows<{ id: number }>({
    name: "keep_triggers",
    text: `UPDATE trigger g SET lease_until = clock_timestamp() + make_interval(secs => $4)
      FROM unnest($2::bigint[], $3::integer[]) AS h (id, fence)
      WHERE g.id = h.id AND g.fence = h.fence AND g.triggerer = $1 RETURNING g.id`,
    values: [triggerer, held.map(({ id }) => id), held.map(({ fence }) => fence), leaseSeconds],
  });
  return rows.map(({ id }) => id);
}

/** A triggerer that stops hands back what it has. */
async function releaseTriggers(db: Queryable, triggerer: string): Promise<void> {
  await db.rows({
    text: "UPDATE trigger SET triggerer = NULL, lease_until = NULL WHERE triggerer = $1",
    values: [triggerer],
  });
}

/** The ids of the triggers that ended by these reports. Each ends once; a report of an older fence is refused. */
async function reportTriggers(
  engine: Engine,
  reports: readonly TriggerReport[],
): Promise<{ accepted: number[]; announcement: Announcement }> {
  return engine.db.transaction(async (tx) => {
    const found = await tx.rows<{ dag_run: number }>({
      name: "runs_of_triggers",
      text: `SELECT DISTINCT t.dag_run FROM trigger g JOIN task_instance t ON t.id = g.task_instance WHERE g.id = ANY($1::bigint[])`,
      values: [reports.map(({ id }) => id)],
    });
    if (found.length === 0) return { accepted: [], announcement: NOTHING };
    const runIds = found.map(({ dag_run }) => dag_run);
    const turn = new Turn(engine, tx, await lockRuns(tx, engine.plans, runIds));
    const instances = await tx.rows<WaitingInstance & { readonly fence: number }>({
      name: "lock_triggered",
      text: `SELECT ${WAITING_COLUMNS}, g.fence FROM task_instance t JOIN trigger g ON g.id = t.trigger_id
        WHERE g.id = ANY($1::bigint[]) AND t.state = 'deferred' AND t.try_number = g.try_number ORDER BY t.id FOR UPDATE OF t`,
      values: [reports.map(({ id }) => id)],
    });
    const ended = instances.flatMap((instance) => {
      const report = reports.find(({ id, fence }) => id === instance.trigger_id && fence === instance.fence);
      return report === undefined ? [] : [{ instance, end: report.end }];
    });
    await resumeTries(turn, ended);
    const accepted = ended.flatMap(({ instance }) => instance.trigger_id ?? []);
    return { accepted, announcement: await turn.settle() };
  });
}
