/**
 * How a run must have ended, told from how its tries ended and from its form alone: no queue, no order, no faults. Rules
 * that decide as soon as they can may see their upstream tasks end in any order, so each end that some order gives is
 * right.
 */
import {
  countStates,
  decideInstance,
  effectiveLeaves,
  evaluateRun,
  evaluateTriggerRule,
  type InstanceFacts,
  relatedTasks,
  type SerializedDag,
  type TaskInstanceState,
  taskShapes,
  type UpstreamCounts,
  upstreamIds,
} from "@updraft/dag-core";
import type { SeenInstance, SeenRun } from "@updraft/testkit/worlds";
import type { Performance } from "./script.ts";

const COUNTED = ["success", "failed", "upstream_failed", "skipped", "removed"] as const;

/** What is wrong with the end of a run; empty when nothing is. */
export function judge(
  run: SeenRun,
  instances: readonly SeenInstance[],
  performances: ReadonlyMap<string, Performance>,
): string[] {
  const { form } = run;
  const wrong = instances.flatMap((one) => judgeInstance(form, one, instances, performances));
  const leaves = effectiveLeaves(form);
  const leafStates = countStates(instances.filter(({ task_id }) => leaves.includes(task_id)).map(({ state }) => state));
  const expected = evaluateRun({ unfinished: 0, leafStates, startDate: null, dagrunTimeout: null, now: 0 });
  if (run.state !== expected.state) wrong.push(`the run is ${run.state}, but its leaves say ${expected.state}`);
  return wrong;
}

function judgeInstance(
  form: SerializedDag,
  one: SeenInstance,
  all: readonly SeenInstance[],
  performances: ReadonlyMap<string, Performance>,
): string[] {
  const task = form.tasks.find(({ task_id }) => task_id === one.task_id);
  if (task === undefined) return [`${one.task_id} is no task of the run`];
  const chosen = (other: SeenInstance) => isSkippedByDecider(form, other, all, performances);
  if (chosen(one)) return [];
  // A decider may skip what had failed with its upstream before: who came below has seen either.
  const earlier = all.map((other) => (chosen(other) ? { ...other, state: "upstream_failed" as const } : other));
  const possible = new Set([...possibleEnds(form, one, all), ...possibleEnds(form, one, earlier)]);
  if (one.try_number === 0)
    return possible.has(one.state) ? [] : [`${one.task_id} is ${one.state}; its rule allows ${[...possible]}`];
  if (!possible.has("run")) return [`${one.task_id} ran, but its rule says ${[...possible]}`];
  return judgeTry(one, performances.get(`${one.id}/${one.try_number}`));
}

/** A decider among its upstream tasks left it out. */
function isSkippedByDecider(
  form: SerializedDag,
  one: SeenInstance,
  all: readonly SeenInstance[],
  performances: ReadonlyMap<string, Performance>,
): boolean {
  if (one.state !== "skipped") return false;
  return (upstreamIds(form).get(one.task_id) ?? []).some((id) => {
    const decider = all.find(({ task_id }) => task_id === id);
    return [...performances].some(
      ([key, { skips }]) => key.startsWith(`${decider?.id}/`) && skips.includes(one.task_id),
    );
  });
}

/** Without a script the try was lost with its process. */
function judgeTry({ task_id, state, try_number }: SeenInstance, performance: Performance | undefined): string[] {
  const wanted = performance?.outcome.kind;
  const isRight = state === wanted || state === "failed";
  return isRight ? [] : [`try ${try_number} of ${task_id} did ${wanted ?? "not end"}, but the task is ${state}`];
}

function possibleEnds(
  form: SerializedDag,
  one: SeenInstance,
  all: readonly SeenInstance[],
): Set<TaskInstanceState | "run"> {
  const task = form.tasks.find(({ task_id }) => task_id === one.task_id);
  const shape = taskShapes(form).get(one.task_id);
  if (task === undefined || shape === undefined) return new Set();
  const upstream = upstreamIds(form).get(one.task_id) ?? [];
  const counts = countsOf(all.filter(({ task_id }) => upstream.includes(task_id)));
  const related = relatedTasks(shape);
  const facts: InstanceFacts = {
    ...{
      task,
      shape,
      map_index: one.map_index,
      upstream: counts,
      decisions: [],
      held: null,
      past: { kind: "met" },
      is_paused: false,
    },
    related: all.filter(({ task_id }) => related.includes(task_id)),
  };
  const ends = new Set([endOf(decideInstance(facts))]);
  for (const earlier of earlierCounts(counts)) {
    const verdict = evaluateTriggerRule(task.trigger_rule, earlier, one.map_index);
    ends.add(endOf(verdict));
  }
  return ends;
}

type Verdict = { readonly kind: string; readonly state?: TaskInstanceState };

/** An empty task succeeds without running. */
function endOf({ kind, state }: Verdict): TaskInstanceState | "run" {
  return kind === "run" ? "run" : (state ?? null);
}

function countsOf(instances: readonly SeenInstance[]): UpstreamCounts {
  const count = (wanted: TaskInstanceState) => instances.filter(({ state }) => state === wanted).length;
  return {
    total: instances.length,
    success: count("success"),
    failed: count("failed"),
    upstream_failed: count("upstream_failed"),
    skipped: count("skipped"),
    removed: count("removed"),
  };
}

/** Every way in which some of the upstream tasks had ended before the others. */
function earlierCounts(counts: UpstreamCounts): UpstreamCounts[] {
  return COUNTED.reduce<UpstreamCounts[]>(
    (ways, state) =>
      ways.flatMap((way) => Array.from({ length: counts[state] + 1 }, (_, ended) => ({ ...way, [state]: ended }))),
    [{ total: counts.total, success: 0, failed: 0, upstream_failed: 0, skipped: 0, removed: 0 }],
  );
}
