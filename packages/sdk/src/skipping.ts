/** Operators that choose among the tasks downstream of them, and one that does nothing. Airflow's names, in camelCase. */
import { defineOperator } from "./operator.ts";
import type { Inputs, NoInputs, Operator } from "./task-types.ts";

/** What a branch follows: the ids of tasks or groups, or nothing at all. */
export type BranchChoice = string | readonly string[] | null;

/**
 * Follows what its handler returns, and whatever comes after that. Direct successors that it doesn't lead to are
 * skipped; null skips all of them.
 */
export function branch<A extends Inputs = NoInputs>(
  handler: (args: A) => BranchChoice | Promise<BranchChoice>,
): Operator<A, BranchChoice> {
  return defineOperator({
    operatorName: "BranchPythonOperator",
    takesInputs: true,
    decides: { kind: "branch" },
    execute: handler,
  });
}

export interface ShortCircuitOptions {
  /** False skips the direct successors only and leaves the others to their trigger rules. Default true. */
  readonly ignoreDownstreamTriggerRules?: boolean | undefined;
}

/** Lets what is downstream run if its handler returns something truthy, and skips it otherwise; teardowns still run. */
export function shortCircuit<A extends Inputs = NoInputs, R = unknown>(
  handler: (args: A) => R | Promise<R>,
  options: ShortCircuitOptions = {},
): Operator<A, R> {
  const { ignoreDownstreamTriggerRules = true } = options;
  return defineOperator({
    operatorName: "ShortCircuitOperator",
    takesInputs: true,
    decides: { kind: "shortCircuit", ignoreDownstreamTriggerRules },
    execute: handler,
  });
}

/** Skips its direct successors in a run that is not the latest of its schedule; a manual run never skips. */
export function latestOnly(): Operator<NoInputs, void> {
  return defineOperator({
    operatorName: "LatestOnlyOperator",
    decides: { kind: "latestOnly" },
    execute: () => {},
  });
}

/** A task that does nothing, such as a point where others meet. It succeeds without a worker. */
export function empty(): Operator<NoInputs, void> {
  return defineOperator({ operatorName: "EmptyOperator", isEmpty: true, execute: () => {} });
}
