/** Queued runs become running as `max_active_runs` allows, oldest first. */

import { at, type Queryable } from "../database.ts";
import type { SchedulingStep } from "../store.ts";
import type { Engine } from "./context.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import { lockOccupancy, runningRunsKey } from "./occupancy.ts";
import { type LockedRun, lockRuns } from "./runs.ts";
import { Turn } from "./turn.ts";

const BATCH = 50;

export async function startQueuedRuns(engine: Engine): Promise<SchedulingStep> {
  return engine.db.transaction(async (tx) => {
    const candidates = await startable(engine, tx);
    const locked = await lockRuns(
      tx,
      engine.plans,
      candidates.map(({ id }) => id),
    );
    const turn = new Turn(engine, tx, locked);
    const limits = new Map(candidates.map(({ dag_id, max_active_runs }) => [dag_id, max_active_runs]));
    const started = await pickStartable(tx, locked, limits);
    for (const { run } of started) turn.setRunState(run.id, "running", "Started");
    await decideAll(
      turn,
      started.map(({ run }) => run.id),
    );
    return { announcement: await turn.settle(), more: started.length > 0 && candidates.length === BATCH };
  });
}

/** Decides every instance without a state of runs that just became running, or were changed by hand. */
export async function decideAll(turn: Turn, runIds: readonly number[]): Promise<void> {
  if (runIds.length === 0) return;
  const instances = await turn.tx.rows<EngineInstance>({
    name: "undecided",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = ANY($1::bigint[]) AND t.state IS NULL ORDER BY t.id FOR UPDATE`,
    values: [runIds],
  });
  await turn.move(await turn.decide(instances));
}

interface Startable {
  readonly id: number;
  readonly dag_id: string;
  readonly max_active_runs: number;
}

function startable(engine: Engine, tx: Queryable): Promise<Startable[]> {
  return tx.rows<Startable>({
    name: "startable_runs",
    text: `SELECT r.id, r.dag_id, d.max_active_runs FROM dag_run r JOIN dag d USING (dag_id)
        LEFT JOIN occupancy o ON o.key = 'runs:' || r.dag_id
      WHERE r.state = 'queued' AND NOT d.is_paused AND r.run_after <= $1 AND coalesce(o.used, 0) < d.max_active_runs
      ORDER BY r.run_after, r.id LIMIT ${BATCH}`,
    values: [at(engine.clock.now())],
  });
}

async function pickStartable(
  tx: Queryable,
  locked: readonly LockedRun[],
  limits: ReadonlyMap<string, number>,
): Promise<LockedRun[]> {
  const queued = locked.filter(({ run }) => run.state === "queued" && !run.is_paused);
  if (queued.length === 0) return [];
  const counters = await lockOccupancy(
    tx,
    queued.map(({ run }) => runningRunsKey(run.dag_id)),
  );
  const used = new Map([...counters].map(([key, counter]) => [key, counter.used]));
  return queued
    .toSorted((left, right) => left.run.run_after - right.run.run_after || left.run.id - right.run.id)
    .filter(({ run }) => {
      const key = runningRunsKey(run.dag_id);
      const running = used.get(key) ?? 0;
      if (running >= (limits.get(run.dag_id) ?? 0)) return false;
      used.set(key, running + 1);
      return true;
    });
}
