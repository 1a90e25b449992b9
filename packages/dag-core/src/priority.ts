/**
 * Effective priority of every task, by its weight rule. Sums count each transitive task once and are clamped to a
 * 32-bit integer, as in Airflow; the queue delivers higher numbers first.
 */
import { downstreamIds, upstreamIds } from "./graph.ts";
import type { SerializedDag, SerializedTask } from "./model.ts";

const INT32_MAX = 2_147_483_647;
const INT32_MIN = -2_147_483_648;

/** Effective priority per task id. */
export function priorityWeights(dag: SerializedDag): Map<string, number> {
  const own = new Map(dag.tasks.map((task) => [task.task_id, task.priority_weight]));
  const edges = { downstream: downstreamIds(dag), upstream: upstreamIds(dag) };
  const weigh = (task: SerializedTask): number =>
    task.weight_rule === "absolute" ? task.priority_weight : sumReachable(task.task_id, edges[task.weight_rule], own);
  return new Map(dag.tasks.map((task) => [task.task_id, clampInt32(weigh(task))]));
}

function sumReachable(start: string, edges: Map<string, string[]>, own: Map<string, number>): number {
  const reached = new Set([start]);
  let sum = 0;
  for (const id of reached) {
    sum += own.get(id) ?? 0;
    for (const next of edges.get(id) ?? []) reached.add(next);
  }
  return sum;
}

function clampInt32(value: number): number {
  return Math.min(INT32_MAX, Math.max(INT32_MIN, Math.trunc(value)));
}
