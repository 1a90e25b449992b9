/** How far loops have come. */
import type { JsonValue, TaskLoop } from "@updraft/dag-core";
import type { DagPlan } from "../dag-plan.ts";
import type { Queryable } from "../database.ts";
import type { LoopPosition } from "../store.ts";

interface Place {
  readonly dag_run: number;
  readonly loop: TaskLoop;
}

/** What claimed tries in loops are told, in the order given; undefined: not in a loop. Costs nothing without loops. */
export async function loopPositions(
  db: Queryable,
  tries: readonly { readonly plan: DagPlan; readonly dag_run: number; readonly task_id: string }[],
): Promise<(LoopPosition | undefined)[]> {
  const loops = tries.map(({ plan, task_id }) => plan.loops.get(task_id));
  const places = tries.flatMap(({ dag_run }, n) => placeOf(dag_run, loops[n]));
  if (places.length === 0) return [];
  const positions = await readPositions(db, places);
  let next = 0;
  return loops.map((loop) => (loop === undefined ? undefined : positions[next++]));
}

function placeOf(dag_run: number, loop: TaskLoop | undefined): Place[] {
  return loop === undefined ? [] : [{ dag_run, loop }];
}

/** In the order given. */
export async function readPositions(db: Queryable, places: readonly Place[]): Promise<LoopPosition[]> {
  const rows = await db.rows<{ n: number; iteration: number; result: JsonValue }>({
    name: "loop_positions",
    text: `SELECT w.n, i.iteration, i.result
      FROM unnest($1::integer[], $2::bigint[], $3::text[]) AS w (n, dag_run, group_id),
        LATERAL (SELECT l.iteration, l.result FROM loop_iteration l
          WHERE l.dag_run = w.dag_run AND l.group_id = w.group_id ORDER BY l.iteration DESC LIMIT 1) i`,
    values: [places.map((_, n) => n), places.map(({ dag_run }) => dag_run), places.map(({ loop }) => loop.group_id)],
  });
  const found = new Map(rows.map((row) => [row.n, row]));
  return places.map(({ loop: { max_iterations } }, n) => {
    const latest = found.get(n);
    return { index: (latest?.iteration ?? -1) + 1, max_iterations, previous: latest?.result ?? null };
  });
}
