/**
 * What a task that decides skips. It leaves a note about its choice, by which a task that is cleared later is skipped
 * again, and asks for the others to be skipped now.
 */
import { type DagRunType, isLatestRun, type JsonValue } from "@updraft/dag-core";
import type { DagModel, Decision, GroupRecord, TaskRecord } from "./dag-model.ts";
import { downstreamTaskIds, rootsOf } from "./graph.ts";
import { describeValue } from "./json.ts";
import { taskBehind } from "./node-refs.ts";
import { didYouMean } from "./suggestion.ts";
import { readTimetable } from "./timetable.ts";
import type { TryScope } from "./try-scope.ts";

export interface Decided {
  readonly model: DagModel;
  readonly task: TaskRecord;
  readonly decision: Decision;
  readonly returned: unknown;
}

/** What the decision needs to know of the run. */
export interface RunFacts {
  readonly run_type: DagRunType;
  readonly data_interval_start: number | null;
  readonly data_interval_end: number | null;
  readonly now: number;
}

export function factsOf({ context }: TryScope): RunFacts {
  const instant = (text: string | null) => (text === null ? null : Date.parse(text));
  return {
    run_type: context.run_type,
    data_interval_start: instant(context.data_interval_start),
    data_interval_end: instant(context.data_interval_end),
    now: Date.now(),
  };
}

export interface Choice {
  /** Null leaves none. */
  readonly note: JsonValue;
  readonly skipped: string[];
  /** What is stored as the task's result; undefined stores nothing. */
  readonly value: unknown;
}

export function decide(decided: Decided, facts: RunFacts): Choice {
  const { decision } = decided;
  switch (decision.kind) {
    case "if":
      return decideIf(decided, decision);
    case "switch":
      return decideSwitch(decided, decision);
    case "branch":
      return decideBranch(decided);
    case "shortCircuit": {
      if (truthy(decided.returned)) return { note: null, skipped: [], value: decided.returned };
      return skipFollowing(decided, decision.ignoreDownstreamTriggerRules);
    }
    case "latestOnly":
      return isLatest(decided.model, facts)
        ? { note: null, skipped: [], value: undefined }
        : skipFollowing(decided, false);
  }
}

function decideIf({ task, returned }: Decided, decision: Extract<Decision, { kind: "if" }>): Choice {
  if (typeof returned !== "boolean") {
    throw new Error(`Condition "${task.taskId}" must return true or false, but returned ${describeValue(returned)}`);
  }
  const untaken = returned ? decision.whenFalse : decision.whenTrue;
  return noting(untaken === null ? [] : [untaken.taskId], returned);
}

function decideSwitch({ model, task, returned }: Decided, decision: Extract<Decision, { kind: "switch" }>): Choice {
  const chosen = taskBehind(model, returned);
  if (chosen === null || !decision.cases.includes(chosen)) {
    const cases = decision.cases.map((one) => one.taskId).join(", ");
    const what = chosen === null ? describeValue(returned) : `task "${chosen.taskId}"`;
    throw new Error(`Branch "${task.taskId}" must return one of its cases (${cases}), but returned ${what}`);
  }
  return noting(
    decision.cases.filter((one) => one !== chosen).map((one) => one.taskId),
    chosen.taskId,
  );
}

function noting(skipped: string[], value: JsonValue): Choice {
  return { note: skipped.length === 0 ? null : { skipped }, skipped, value };
}

/** A successor is followed too if it comes after something chosen: a join behind one way runs. */
function decideBranch(decided: Decided): Choice {
  const { model, returned } = decided;
  const chosen = chosenTasks(decided);
  const downstream = downstreamTaskIds(model);
  const followed = new Set(chosen);
  for (const id of followed) for (const next of downstream.get(id) ?? []) followed.add(next);
  const direct = successors(model, decided.task);
  const skipped = direct.filter((id) => !followed.has(id));
  const value = skipped.length === 0 ? returned : undefined;
  return { note: { followed: direct.filter((id) => followed.has(id)) }, skipped, value };
}

function chosenTasks({ model, task, returned }: Decided): string[] {
  if (returned === null || returned === undefined) return [];
  const names: unknown[] = Array.isArray(returned) ? returned : [returned];
  return names.flatMap((name) => {
    const ids = typeof name === "string" ? idsNamed(model, name) : null;
    if (ids !== null) return ids;
    const hint = typeof name === "string" ? didYouMean(name, [...model.tasks.keys(), ...model.groups.keys()]) : "";
    throw new Error(
      `Branch "${task.taskId}" must return ids of tasks or groups of Dag "${model.dagId}", a list of them or null, but returned ${describeValue(name)}${hint}`,
    );
  });
}

function idsNamed(model: DagModel, name: string): string[] | null {
  if (model.tasks.has(name)) return [name];
  const group: GroupRecord | undefined = model.groups.get(name);
  return group === undefined ? null : rootsOf(model, group).map(({ taskId }) => taskId);
}

/** Skips what is downstream: everything, or only what comes right after. Teardowns still run. */
export function skipFollowing({ model, task }: Pick<Decided, "model" | "task">, everything: boolean): Choice {
  const ids = everything ? descendants(model, task) : successors(model, task);
  const skipped = ids.filter((id) => model.tasks.get(id)?.role.isTeardown !== true);
  return { note: skipped.length === 0 ? null : { skipped }, skipped, value: undefined };
}

function successors(model: DagModel, task: TaskRecord): string[] {
  return downstreamTaskIds(model).get(task.taskId) ?? [];
}

function descendants(model: DagModel, task: TaskRecord): string[] {
  const downstream = downstreamTaskIds(model);
  const reached = new Set(downstream.get(task.taskId));
  for (const id of reached) for (const next of downstream.get(id) ?? []) reached.add(next);
  return [...reached];
}

/** As Python sees it, whose operators these are: an empty list or object is false. */
function truthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A run that covers a period was made by a timetable of periods. */
const INTERVALS = { createCronDataIntervals: true };

function isLatest(model: DagModel, { run_type, data_interval_start, data_interval_end, now }: RunFacts): boolean {
  if (run_type === "manual" || data_interval_start === null || data_interval_end === null) return true;
  return isLatestRun(readTimetable(model, INTERVALS), { data_interval_start, data_interval_end }, now);
}
