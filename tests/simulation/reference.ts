/**
 * How a run must have ended, told from how its tries ended and from its form alone: no queue, no order, no faults. Rules
 * that decide as soon as they can may see their upstream tasks end in any order, so each end that some order gives is
 * right.
 */
import {
  countStates,
  effectiveLeaves,
  evaluateRun,
  type SerializedDag,
  type TaskInstanceState,
  taskShapes,
  upstreamIds,
} from "@updraft/dag-core";
import type { SeenInstance, SeenRun } from "@updraft/testkit/worlds";
import { type RuleEnd, referenceRule } from "./reference-rules.ts";
import type { Performance } from "./script.ts";

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
  const statesOf = (ids: readonly string[]) =>
    all.filter(({ task_id }) => ids.includes(task_id)).map(({ state }) => state);
  const upstream = statesOf(upstreamIds(form).get(one.task_id) ?? []);
  const setups = statesOf(shape.directSetups);
  const above = statesOf(shape.indirectSetups);
  const asksSetups = above.length > 0 && upstream.length > 0 && task.trigger_rule !== "always";
  const setupsSay = asksSetups ? referenceRule("all_success", above, above.length, []) : "run";
  const isEmpty = task.is_empty && task.inlets.length + task.outlets.length === 0;
  const endOf = (end: RuleEnd): TaskInstanceState | "run" => {
    if (end === "wait") return null;
    return end === "run" && isEmpty ? "success" : end;
  };
  // Setups further up must have succeeded before anything runs; what a rule ends may have ended before them.
  const ends = new Set(setupsSay === "run" ? [] : [endOf(setupsSay)]);
  for (const ended of earlier(upstream)) {
    const end = referenceRule(task.trigger_rule, ended, upstream.length, setups);
    const isLast = ended.length === upstream.length;
    if (end === "wait" ? isLast && setupsSay === "run" : end !== "run" || setupsSay === "run") ends.add(endOf(end));
  }
  return ends;
}

/** Every way in which some of the upstream tasks had ended before the others. */
function earlier(states: readonly TaskInstanceState[]): TaskInstanceState[][] {
  return states.reduce<TaskInstanceState[][]>((ways, state) => ways.flatMap((way) => [way, [...way, state]]), [[]]);
}
