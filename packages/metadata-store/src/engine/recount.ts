/** The counters of task instances, counted anew from the rows they count. */
import { type DagPlan, sharesIndex } from "../dag-plan.ts";
import type { Queryable } from "../database.ts";

/** Writes the counters of all instances of some tasks of a run. Costs as much as they and their upstream are. */
export async function recount(tx: Queryable, dagRun: number, plan: DagPlan, taskIds: Iterable<string>): Promise<void> {
  const tasks = [...new Set(taskIds)];
  const edges = tasks.flatMap((child) =>
    (plan.upstream.get(child) ?? []).map((parent) => ({ child, parent, isPair: sharesIndex(plan, parent, child) })),
  );
  await tx.rows({
    name: "recount",
    text: `WITH edge AS (SELECT * FROM unnest($2::text[], $3::text[], $4::boolean[]) AS e (child, parent, is_pair)),
      -- Each parent as a whole, and within a mapped group its instances one by one.
      parent AS MATERIALIZED (
        SELECT task_id, map_index, count(*) AS total, ${COUNTS}
        FROM task_instance WHERE dag_run = $1 AND task_id IN (SELECT parent FROM edge)
        GROUP BY GROUPING SETS ((task_id), (task_id, map_index))),
      seen AS (
        SELECT c.id, p.* FROM edge e JOIN task_instance c ON c.dag_run = $1 AND c.task_id = e.child
          JOIN parent p ON p.task_id = e.parent AND p.map_index IS NULL
        WHERE NOT e.is_pair OR c.map_index = -1
        UNION ALL
        SELECT c.id, p.* FROM edge e JOIN task_instance c ON c.dag_run = $1 AND c.task_id = e.child
          JOIN parent p ON p.task_id = e.parent AND p.map_index = ANY(ARRAY[c.map_index, -1])
        WHERE e.is_pair AND c.map_index >= 0)
      UPDATE task_instance t
      SET upstream_total = coalesce(s.total, 0), upstream_success = coalesce(s.success, 0),
          upstream_failed = coalesce(s.failed, 0), upstream_upstream_failed = coalesce(s.upstream_failed, 0),
          upstream_skipped = coalesce(s.skipped, 0), upstream_removed = coalesce(s.removed, 0)
      FROM task_instance own LEFT JOIN (
          SELECT id, sum(total)::integer AS total, sum(success)::integer AS success, sum(failed)::integer AS failed,
            sum(upstream_failed)::integer AS upstream_failed, sum(skipped)::integer AS skipped, sum(removed)::integer AS removed
          FROM seen GROUP BY id) s USING (id)
      WHERE own.dag_run = $1 AND own.task_id = ANY($5::text[]) AND t.id = own.id`,
    values: [
      dagRun,
      edges.map(({ child }) => child),
      edges.map(({ parent }) => parent),
      edges.map(({ isPair }) => isPair),
      tasks,
    ],
  });
}

const COUNTS = ["success", "failed", "upstream_failed", "skipped", "removed"]
  .map((state) => `count(*) FILTER (WHERE state = '${state}') AS ${state}`)
  .join(", ");
