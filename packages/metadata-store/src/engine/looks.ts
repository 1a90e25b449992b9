/**
 * Runs that somebody must look at again though nothing in them moved. A transition leaves a note; the scheduler, which
 * it wakes, takes the locks of the runs meant in the order of their ids. So no transition ever waits for the lock of
 * another run than its own.
 *
 *   an instance ended well ──► note "next of run 1" ──► the runs after it by logical date, once that end is visible
 *   a new run is blocked ────► note "run 2" ──────────► looks once more when the new run is visible to whoever ends run 1
 *
 * The second note closes the gap in which neither transaction sees the other.
 */
import { NOTHING } from "../announcement.ts";
import { at, type Queryable } from "../database.ts";
import type { SchedulingStep } from "../store.ts";
import type { Engine } from "./context.ts";
import { startDueRunRetries } from "./group-retries.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import type { Look } from "./noted-looks.ts";
import { lockRuns } from "./runs.ts";
import { Turn } from "./turn.ts";

const BATCH = 100;

/** Follows the notes that are due. */
export async function lookAtRuns(engine: Engine): Promise<SchedulingStep> {
  return engine.db.transaction(async (tx) => {
    const notes = await takeNotes(tx, engine.clock.now());
    if (notes.length === 0) return { announcement: NOTHING, more: false };
    const asked = await runsMeant(tx, notes);
    const locked = await lockRuns(tx, engine.plans, [...asked.keys()]);
    const turn = new Turn(engine, tx, locked);
    for (const one of locked) await startDueRunRetries(turn, one);
    const instances = await undecided(tx, asked);
    await turn.move(await turn.decide(instances));
    for (const id of asked.keys()) if (turn.runOf(id).state === "running") turn.patchRun(id, {});
    return { announcement: await turn.settle(), more: notes.length === BATCH };
  });
}

type Note = Pick<Look, "dag_run" | "task_ids" | "of_next">;

function takeNotes(tx: Queryable, now: number): Promise<Note[]> {
  return tx.rows<Note>({
    name: "take_looks",
    text: `DELETE FROM run_look WHERE id IN (
        SELECT id FROM run_look WHERE due_at <= $1 ORDER BY due_at, id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
      RETURNING dag_run, task_ids, of_next`,
    values: [at(now)],
  });
}

/** The running runs that notes mean, with the tasks in question. */
async function runsMeant(tx: Queryable, notes: readonly Note[]): Promise<Map<number, Set<string> | null>> {
  const meant = new Map<number, Set<string> | null>();
  const add = (run: number, tasks: readonly string[] | null) => {
    const known = meant.get(run);
    if (tasks === null || known === null) meant.set(run, null);
    else meant.set(run, new Set([...(known ?? []), ...tasks]));
  };
  const next = notes.filter(({ of_next }) => of_next);
  for (const { id, after } of await runsAfter(tx, next)) {
    for (const { dag_run, task_ids } of next) if (dag_run === after) add(id, task_ids);
  }
  const own = notes.filter(({ of_next }) => !of_next);
  const running = new Set(await runningOnes(tx, own));
  for (const { dag_run, task_ids } of own) if (running.has(dag_run)) add(dag_run, task_ids);
  return meant;
}

/**
 * Running runs whose run before may be one of these. With catch-up a manual run is nobody's run before, so the search
 * goes on past manual runs to the first one of another type.
 */
export async function runsAfter(
  tx: Queryable,
  notes: readonly Pick<Note, "dag_run">[],
): Promise<{ id: number; after: number }[]> {
  if (notes.length === 0) return [];
  return tx.rows({
    name: "runs_after",
    text: `SELECT n.id, p.id AS after FROM dag_run p
      JOIN dag_run n ON n.dag_id = p.dag_id AND n.state = 'running' AND n.logical_date > p.logical_date
        AND n.logical_date <= coalesce((SELECT min(f.logical_date) FROM dag_run f
          WHERE f.dag_id = p.dag_id AND f.logical_date > p.logical_date AND f.run_type <> 'manual'), n.logical_date)
      WHERE p.id = ANY($1::bigint[])`,
    values: [[...new Set(notes.map(({ dag_run }) => dag_run))]],
  });
}

async function runningOnes(tx: Queryable, notes: readonly Note[]): Promise<number[]> {
  if (notes.length === 0) return [];
  const rows = await tx.rows<{ id: number }>({
    name: "running_ones",
    text: "SELECT id FROM dag_run WHERE id = ANY($1::bigint[]) AND state = 'running'",
    values: [[...new Set(notes.map(({ dag_run }) => dag_run))]],
  });
  return rows.map(({ id }) => id);
}

function undecided(tx: Queryable, asked: ReadonlyMap<number, ReadonlySet<string> | null>): Promise<EngineInstance[]> {
  const whole = [...asked].flatMap(([run, tasks]) => (tasks === null ? [run] : []));
  const pairs = [...asked].flatMap(([run, tasks]) => [...(tasks ?? [])].map((task) => ({ run, task })));
  return tx.rows<EngineInstance>({
    name: "undecided_of_looks",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.state IS NULL AND (t.dag_run = ANY($1::bigint[])
        OR (t.dag_run, t.task_id) IN (SELECT * FROM unnest($2::bigint[], $3::text[])))
      ORDER BY t.id FOR UPDATE`,
    values: [whole, pairs.map(({ run }) => run), pairs.map(({ task }) => task)],
  });
}
