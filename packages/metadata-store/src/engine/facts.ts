/** Reads what the decision over task instances needs beyond their own rows: nothing for those whose task asks nothing. */
import {
  asksPast,
  heldByGroup,
  type InstanceFacts,
  type PastVerdict,
  type RelatedInstance,
  type RunRetries,
  relatedTasks,
  SKIP_DECISION_KEY,
  type StoredDecision,
} from "@updraft/dag-core";
import { type DagPlan, shapeOf, sharesIndex, taskOf } from "../dag-plan.ts";
import type { Queryable } from "../database.ts";
import { type EngineInstance, upstreamCounts } from "./instance.ts";
import { readPast } from "./past.ts";

/** An undecided instance with the version of the DAG that its run follows. */
export interface Undecided {
  readonly instance: EngineInstance;
  readonly plan: DagPlan;
  readonly is_paused: boolean;
  readonly retries: RunRetries | null;
}

/** The facts of each instance, in the order given. */
export async function gatherFacts(tx: Queryable, undecided: readonly Undecided[]): Promise<InstanceFacts[]> {
  const [related, decisions] = await Promise.all([readRelated(tx, undecided), readDecisions(tx, undecided)]);
  const facts = undecided.map(({ instance, plan, is_paused, retries }) => ({
    task: taskOf(plan, instance.task_id),
    shape: shapeOf(plan, instance.task_id),
    map_index: instance.map_index,
    upstream: upstreamCounts(instance),
    related: relatedTo(instance, plan, related.get(instance.dag_run)),
    decisions: decisions.get(instance.dag_run) ?? NONE,
    past: MET,
    held: heldByGroup(shapeOf(plan, instance.task_id).retryingGroups, retries),
    is_paused,
  }));
  return withPast(tx, undecided, facts);
}

async function withPast(
  tx: Queryable,
  undecided: readonly Undecided[],
  facts: readonly InstanceFacts[],
): Promise<InstanceFacts[]> {
  const asking = facts.flatMap((one, index) => (asksPast(one) ? [index] : []));
  if (asking.length === 0) return [...facts];
  const verdicts = await readPast(
    tx,
    asking.flatMap((index) => undecided[index] ?? []),
  );
  const past = new Map(asking.map((index, place) => [index, verdicts[place] ?? MET]));
  return facts.map((one, index) => ({ ...one, past: past.get(index) ?? MET }));
}

const MET: PastVerdict = { kind: "met" };
const NONE: readonly never[] = [];

interface Pairs {
  readonly runs: number[];
  readonly tasks: string[];
}

/** The deciders of each instance, once, at the index at which they decide for it. */
function decidersOf(undecided: readonly Undecided[]): Pairs & { readonly indexes: number[] } {
  const asked = new Map<string, readonly [number, string, number]>();
  for (const { instance, plan } of undecided) {
    for (const { task_id, isMapped } of shapeOf(plan, instance.task_id).deciders) {
      const index = isMapped ? instance.map_index : -1;
      asked.set(`${instance.dag_run}/${task_id}/${index}`, [instance.dag_run, task_id, index]);
    }
  }
  const all = [...asked.values()];
  return {
    runs: all.map(([run]) => run),
    tasks: all.map(([, task]) => task),
    indexes: all.map(([, , index]) => index),
  };
}

/** Each run with each task that its instances ask for, once. */
function pairsOf(undecided: readonly Undecided[], asked: (one: Undecided) => readonly string[]): Pairs {
  const pairs = new Map<string, readonly [number, string]>();
  for (const one of undecided) {
    const run = one.instance.dag_run;
    for (const task of asked(one)) pairs.set(`${run}/${task}`, [run, task]);
  }
  return { runs: [...pairs.values()].map(([run]) => run), tasks: [...pairs.values()].map(([, task]) => task) };
}

async function readRelated(tx: Queryable, undecided: readonly Undecided[]): Promise<Map<number, RelatedInstance[]>> {
  const { runs, tasks } = pairsOf(undecided, ({ plan, instance }) => relatedTasks(shapeOf(plan, instance.task_id)));
  if (runs.length === 0) return new Map();
  return byRun(
    await tx.rows<RelatedInstance & { readonly dag_run: number }>({
      name: "related_instances",
      text: `SELECT t.dag_run, t.task_id, t.map_index, t.state FROM task_instance t
        JOIN unnest($1::bigint[], $2::text[]) AS asked (dag_run, task_id) USING (dag_run, task_id)`,
      values: [runs, tasks],
    }),
  );
}

/** A decision counts once its decider has ended: one that is cleared or still runs may choose otherwise. */
async function readDecisions(tx: Queryable, undecided: readonly Undecided[]): Promise<Map<number, StoredDecision[]>> {
  const { runs, tasks, indexes } = decidersOf(undecided);
  if (runs.length === 0) return new Map();
  return byRun(
    await tx.rows<StoredDecision & { readonly dag_run: number }>({
      name: "skip_decisions",
      text: `SELECT x.dag_run, x.task_id, x.map_index, x.value FROM xcom x
        JOIN unnest($1::bigint[], $2::text[], $4::integer[]) AS asked (dag_run, task_id, map_index) USING (dag_run, task_id, map_index)
        JOIN task_instance t USING (dag_run, task_id, map_index)
        WHERE x.key = $3 AND t.state IN ('success', 'failed', 'skipped', 'upstream_failed', 'removed')`,
      values: [runs, tasks, SKIP_DECISION_KEY, indexes],
    }),
  );
}

function byRun<R extends { readonly dag_run: number }>(rows: readonly R[]): Map<number, R[]> {
  return Map.groupBy(rows, ({ dag_run }) => dag_run);
}

/** Within a mapped group those of the same index. */
function relatedTo(
  { task_id, map_index }: EngineInstance,
  plan: DagPlan,
  instances: readonly RelatedInstance[] | undefined,
): readonly RelatedInstance[] {
  const tasks = relatedTasks(shapeOf(plan, task_id));
  if (tasks.length === 0 || instances === undefined) return NONE;
  return instances.filter((one) => {
    const goesTogether = map_index < 0 || one.map_index < 0 || one.map_index === map_index;
    return tasks.includes(one.task_id) && (goesTogether || !sharesIndex(plan, one.task_id, task_id));
  });
}
