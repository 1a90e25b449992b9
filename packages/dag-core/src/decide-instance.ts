/**
 * May a task instance without a state run, must it wait, or is its end certain already?
 *
 *   groups that run again ──► setups further up ──► trigger rule ──► scope of a teardown ──► decisions of deciders ──► the run before ──► expansion
 *
 * Whatever ends the instance wins over whatever makes it wait. Facts that a task's shape doesn't ask for are null, and
 * nobody reads them.
 */
import { evaluateMappedRule } from "./map-decision.ts";
import type { JsonValue, SerializedTask, TaskInstanceState } from "./model.ts";
import type { PastVerdict } from "./past-depends.ts";
import { skipDecision } from "./skip-decision.ts";
import { isFinished } from "./state-sets.ts";
import type { TaskShape } from "./task-shape.ts";
import { evaluateTriggerRule, type TriggerRuleVerdict, type UpstreamCounts } from "./trigger-rule.ts";

/** An instance elsewhere in the run. */
export interface RelatedInstance {
  readonly task_id: string;
  readonly map_index: number;
  readonly state: TaskInstanceState;
}

/** What a finished decider left in its XCom `skipmixin_key`. */
export interface StoredDecision {
  readonly task_id: string;
  readonly map_index: number;
  readonly value: JsonValue;
}

export interface InstanceFacts {
  readonly task: SerializedTask;
  readonly shape: TaskShape;
  readonly map_index: number;
  readonly upstream: UpstreamCounts;
  /** Of the tasks that `relatedTasks` names. */
  readonly related: readonly RelatedInstance[];
  readonly decisions: readonly StoredDecision[];
  readonly past: PastVerdict;
  /** A task group before it failed and may run again, in a sentence; null: none did. */
  readonly held: string | null;
  readonly is_paused: boolean;
}

export type InstanceVerdict =
  /** `isStuck`: everything upstream is over, and yet the rule can't tell; nothing in this run will change that. */
  | { readonly kind: "wait"; readonly cause: string; readonly isStuck: boolean }
  | { readonly kind: "run" }
  /** The placeholder of a mapped task may become its instances. */
  | { readonly kind: "expand" }
  | {
      readonly kind: "set";
      readonly state: "success" | "skipped" | "upstream_failed" | "removed";
      readonly cause: string;
    };

/** The tasks whose states the decision needs. */
export function relatedTasks({ indirectSetups, directSetups, scope }: TaskShape): readonly string[] {
  if (indirectSetups.length + directSetups.length + scope.length === 0) return NONE;
  return [...new Set([...indirectSetups, ...directSetups, ...scope])];
}

const NONE: readonly string[] = [];

/** Decides one instance that has no state. */
export function decideInstance(facts: InstanceFacts): InstanceVerdict {
  if (facts.held !== null) return wait(facts.held);
  const rule = ruleVerdict(facts);
  if (rule.kind === "set") return unlessWithheld(facts, rule);
  const decider = decisionAgainst(facts);
  if (decider !== null)
    return unlessWithheld(facts, { kind: "set", state: "skipped", cause: `Task ${decider} chose another way` });
  if (rule.kind === "wait") return rule;
  if (facts.past.kind === "blocked") return wait(facts.past.cause);
  if (facts.shape.isMapped && facts.map_index === -1) return { kind: "expand" };
  if (!isEmpty(facts.task)) return { kind: "run" };
  if (facts.is_paused) return wait("The DAG is paused; unpause it to let its tasks run");
  return { kind: "set", state: "success", cause: "An empty task succeeds without a worker" };
}

/** Whether the run before could change the decision, so that it must be read; `past` of these facts is ignored. */
export function asksPast(facts: InstanceFacts): boolean {
  if (!facts.task.depends_on_past) return false;
  const verdict = decideInstance({ ...facts, past: { kind: "met" } });
  if (verdict.kind !== "set") return verdict.kind !== "wait";
  if (verdict.state === "success") return true;
  return verdict.state === "skipped" && facts.task.wait_for_past_depends_before_skipping;
}

/** A task that does nothing and updates nothing needs no worker. */
function isEmpty({ is_empty, inlets, outlets }: SerializedTask): boolean {
  return is_empty && inlets.length === 0 && outlets.length === 0;
}

function ruleVerdict(facts: InstanceFacts): Extract<InstanceVerdict, { kind: "wait" | "run" | "set" }> {
  const { task, map_index, related, shape } = facts;
  const setups = setupVerdict(facts);
  if (setups.kind === "set") return setups;
  const counts = withSetupCounts(facts);
  const rule = evaluateMappedRule(task.trigger_rule, counts, { map_index, is_mapped: shape.isMapped });
  if (rule.kind === "set") return rule;
  if (setups.kind === "wait") return wait(`Waits for the setups ${open(related, shape.indirectSetups).join(", ")}`);
  if (rule.kind === "wait") return wait(waitingCause(facts), isOver(counts));
  const unfinished = open(related, shape.scope);
  return unfinished.length === 0 ? rule : wait(`A teardown waits for ${unfinished.join(", ")}`);
}

/** Setups that are no direct upstream count as such under `all_success`: each must succeed. */
function setupVerdict({ shape, related, map_index, task, upstream }: InstanceFacts): TriggerRuleVerdict {
  const hasConstraint = shape.indirectSetups.length > 0 && upstream.total > 0 && task.trigger_rule !== "always";
  if (!hasConstraint) return { kind: "run" };
  const verdict = evaluateTriggerRule("all_success", countsOf(of(related, shape.indirectSetups)), map_index);
  if (verdict.kind !== "set") return verdict;
  return { ...verdict, cause: `Setup: ${verdict.cause.replace("upstream tasks", "setups further up")}` };
}

function withSetupCounts({ upstream, related, shape }: InstanceFacts): UpstreamCounts {
  if (shape.directSetups.length === 0) return upstream;
  const { total, success, skipped } = countsOf(of(related, shape.directSetups));
  return { ...upstream, setups: { total, success, skipped } };
}

function unlessWithheld(facts: InstanceFacts, verdict: Extract<InstanceVerdict, { kind: "set" }>): InstanceVerdict {
  const { task, past } = facts;
  const withheld = verdict.state === "skipped" && task.wait_for_past_depends_before_skipping && past.kind === "blocked";
  return withheld ? wait(`Would be skipped, but ${past.cause}`) : verdict;
}

/** The decider that chose against the task, or null. */
function decisionAgainst({ shape, decisions, task, map_index }: InstanceFacts): string | null {
  for (const { task_id, isMapped } of shape.deciders) {
    const index = isMapped ? map_index : -1;
    const decision = decisions.find((one) => one.task_id === task_id && one.map_index === index);
    if (skipDecision(decision?.value, task.task_id)) return task_id;
  }
  return null;
}

function waitingCause({ task, upstream }: InstanceFacts): string {
  const ended = upstream.success + upstream.failed + upstream.upstream_failed + upstream.skipped + upstream.removed;
  return `Trigger rule ${task.trigger_rule}: ${ended} of ${upstream.total} upstream tasks have ended`;
}

function isOver(counts: UpstreamCounts): boolean {
  return counts.total === counts.success + counts.failed + counts.upstream_failed + counts.skipped + counts.removed;
}

function of(related: readonly RelatedInstance[], ids: readonly string[]): RelatedInstance[] {
  return related.filter(({ task_id }) => ids.includes(task_id));
}

function open(related: readonly RelatedInstance[], ids: readonly string[]): string[] {
  return [...new Set(of(related, ids).flatMap(({ task_id, state }) => (isFinished(state) ? [] : [task_id])))];
}

function countsOf(instances: readonly RelatedInstance[]): UpstreamCounts {
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

function wait(cause: string, isStuck = false): Extract<InstanceVerdict, { kind: "wait" }> {
  return { kind: "wait", cause, isStuck };
}
