/** Small DAGs of any shape, for tests that search. */
import type { SerializedDag, SerializedTask, TriggerRule } from "@updraft/dag-core";
import { dag, task } from "./dags.ts";
import type { SeededRandom } from "./seeded-random.ts";

const RULES: readonly TriggerRule[] = [
  "all_failed",
  "all_done",
  "all_done_min_one_success",
  "one_success",
  "one_failed",
  "one_done",
  "none_failed",
  "none_failed_min_one_success",
  "none_skipped",
  "all_skipped",
  "always",
];

export interface RandomDagOptions {
  readonly pools: readonly [string, ...string[]];
  readonly mostTasks: number;
  readonly retryDelays: readonly [number, ...number[]];
  /** A rule that about half of the tasks have. */
  readonly favouriteRule?: TriggerRule;
}

/** A DAG without cycles: edges lead from earlier to later tasks. No two tasks have the same priority. */
export function randomDag(random: SeededRandom, dagId: string, options: RandomDagOptions): SerializedDag {
  const count = 1 + random.int(options.mostTasks);
  const fail_fast = random.chance(0.1);
  const weights = random.shuffled(Array.from({ length: count }, (_, index) => index + 1));
  const edges = Array.from({ length: count }, (_, from) =>
    Array.from({ length: count }, (_, to) => to).filter(
      (to) => to > from && random.chance(to === from + 1 ? 0.6 : 0.2),
    ),
  );
  const [setup, teardown] = fail_fast ? [-1, -1] : setupOf(random, edges);
  const tasks = edges.map((targets, index): SerializedTask => {
    const isBelowSetup = setup >= 0 && (edges[setup]?.includes(index) ?? false);
    return task({
      ...limitsOf(random, options),
      task_id: `t${index}`,
      downstream_task_ids: targets.map((target) => `t${target}`),
      trigger_rule:
        index === teardown
          ? "all_done_setup_success"
          : fail_fast || isBelowSetup
            ? "all_success"
            : ruleOf(random, options),
      priority_weight: weights[index] ?? 1,
      weight_rule: "absolute",
      is_setup: index === setup,
      is_teardown: index === teardown,
      on_failure_fail_dagrun: index === teardown && random.chance(0.5),
      can_skip_downstream: targets.length > 1 && random.chance(0.3),
      is_empty: random.chance(0.1),
    });
  });
  return dag("", {
    dag_id: dagId,
    relative_fileloc: `${dagId}.ts`,
    is_paused_upon_creation: false,
    tasks,
    fail_fast,
    max_active_tasks: random.weighted([
      [3, 16],
      [1, 1 + random.int(3)],
    ]),
    max_active_runs: 1 + random.int(4),
    dagrun_timeout: random.chance(0.15) ? 20 + random.int(60) : null,
  });
}

/** A setup with a teardown among its successors; -1 where there is none. */
function setupOf(random: SeededRandom, edges: readonly (readonly number[])[]): readonly [number, number] {
  const setup = random.chance(0.25) ? random.int(edges.length) : -1;
  return [setup, random.pick(edges[setup] ?? []) ?? -1];
}

function limitsOf(random: SeededRandom, { pools, retryDelays }: RandomDagOptions): Partial<SerializedTask> {
  const pool = random.pick(pools);
  return {
    retries: random.int(3),
    retry_delay: random.pick(retryDelays),
    retry_exponential_backoff: random.pick([0, 0, 2]),
    pool,
    pool_slots: random.chance(0.2) ? 2 : 1,
    max_active_tis_per_dag: random.chance(0.15) ? 1 + random.int(2) : null,
  };
}

function ruleOf(random: SeededRandom, { favouriteRule }: RandomDagOptions): TriggerRule {
  if (favouriteRule !== undefined && random.chance(0.5)) return favouriteRule;
  return random.chance(0.6) ? "all_success" : (random.pick(RULES) ?? "all_success");
}
