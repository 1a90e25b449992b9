import { handOvers, wall } from "../driver.ts";
import type { Row } from "../row.ts";
import { spread } from "../statistics.ts";

const TASKS_OF_A_RUN = 40;

export const b10: Row = {
  id: "B10",
  work: "the chain of 40 with 1,000,000 finished task instances in the store, against an empty one",
  async measure(bench) {
    const installation = await bench.shared();
    const { driver } = installation;
    const { rounds, finishedInstances } = bench.options;
    const before = await driver.rounds("bench_chain40", rounds);
    await installation.sql(filling(Math.ceil(finishedInstances / TASKS_OF_A_RUN)));
    const after = await driver.rounds("bench_chain40", rounds);
    const alone = spread(before.map(wall)).p50;
    return [
      {
        what: `chain of 40 with ${finishedInstances.toLocaleString("en")} finished instances : without`,
        isolation: "warm process",
        unit: "x",
        samples: [spread(after.map(wall)).p50 / alone],
        bars: [{ of: "p50", limit: 1.2 }],
        floor: 1,
        note: `without p50 ${alone.toFixed(0)} ms; hand-over p50 with ${spread(after.flatMap(handOvers)).p50.toFixed(1)} ms`,
      },
    ];
  },
};

/** Runs of the same DAG, as a year of it would leave them. */
function filling(runs: number): string {
  return `
    INSERT INTO dag_run (dag_id, run_id, run_after, run_type, triggered_by, state, conf, queued_at, start_date, end_date,
        unfinished, dag_version_id, updated_at)
      SELECT 'bench_chain40', 'filled__' || n, now() - n * interval '1 minute', 'manual', 'rest_api', 'success', '{}',
        now(), now(), now(), 0, (SELECT dag_version_id FROM dag WHERE dag_id = 'bench_chain40'), now()
      FROM generate_series(1, ${runs}) AS n;
    INSERT INTO task_instance (id, dag_run, dag_id, run_id, task_id, state, try_number, max_tries, start_date, end_date,
        pool, pool_slots, queue, priority_weight, operator, upstream_total, upstream_success)
      SELECT gen_random_uuid(), r.id, r.dag_id, r.run_id, 't' || n, 'success', 1, 0, now(), now(), 'default_pool', 1,
        'default', 1, 'task', 1, 1
      FROM dag_run r, generate_series(0, ${TASKS_OF_A_RUN - 1}) AS n WHERE r.run_id LIKE 'filled\\_\\_%';
    ANALYZE;
    CHECKPOINT`;
}
