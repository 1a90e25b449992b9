/** Why a queued run does not start: what keeps a run from it is told of each of its task instances, so one is asked. */
import type { DagRunResponse } from "@updraft/contract";
import { useRunInstances } from "../api/task-instances.ts";
import { WhyWaiting } from "../task-page/why-waiting.tsx";

const OF_THE_RUN: ReadonlySet<string> = new Set([
  "Dag Paused",
  "Dag Stale",
  "Run After",
  "Backfill Paused",
  "Max Active Runs",
  "Dagrun Queued",
]);

export function WhyRunWaits({ run: { dag_id, dag_run_id } }: { readonly run: DagRunResponse }) {
  const [first] = useRunInstances(dag_id, dag_run_id, { limit: 1, offset: 0 }).data?.task_instances ?? [];
  if (first === undefined) return null;
  const instanceKey = { dagId: dag_id, runId: dag_run_id, taskId: first.task_id, mapIndex: first.map_index };
  return <WhyWaiting instanceKey={instanceKey} title="Why the run does not start" only={OF_THE_RUN} />;
}
