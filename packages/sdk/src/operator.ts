/** Ready-made tasks: how providers make them and how `dag.task` recognises them. */
import { brand, brandOf, foreignCopy } from "./brand.ts";
import type { Inputs, NoInputs, Operator, OperatorDecision } from "./task-types.ts";

const operators = new WeakSet<object>();

export interface OperatorDefinition<A extends Inputs, R> {
  /** Airflow's class name for it, such as "BashOperator". */
  readonly operatorName: string;
  /** A line for the UI; never holds a resolved secret. */
  readonly detail?: string | null;
  /** Whether its factory takes named inputs. Default false. */
  readonly takesInputs?: boolean;
  /** The engine lets it succeed without a worker. Default false. */
  readonly isEmpty?: boolean;
  /** What it decides about the tasks downstream of it. */
  readonly decides?: OperatorDecision | null;
  /** Runs inside a try: `getContext()`, `getClient()` and `getLogger()` work. */
  readonly execute: (args: A) => R | Promise<R>;
  /** How the task goes on after a wait, by the names that `defer` gives. */
  readonly methods?: Operator<A, R>["methods"];
  /** What a failed deferral means; unset: the task fails with the error. */
  readonly onDeferralError?: Operator<A, R>["onDeferralError"];
  readonly canSkipDownstream?: boolean;
  /** Task options that make no sense for it, such as an execution_timeout where people are waited for. */
  readonly refusedOptions?: readonly string[];
}

/** Makes an operator for `dag.task("id", operator)`. */
export function defineOperator<A extends Inputs = NoInputs, R = unknown>(
  definition: OperatorDefinition<A, R>,
): Operator<A, R> {
  const operator: Operator<A, R> = {
    operatorName: definition.operatorName,
    detail: definition.detail ?? null,
    takesInputs: definition.takesInputs ?? false,
    isEmpty: definition.isEmpty ?? false,
    decides: definition.decides ?? null,
    execute: definition.execute,
    methods: definition.methods,
    onDeferralError: definition.onDeferralError,
    canSkipDownstream: definition.canSkipDownstream ?? false,
    refusedOptions: definition.refusedOptions ?? [],
  };
  operators.add(brand(operator, "Operator"));
  return Object.freeze(operator);
}

/** True for operators of this copy of the SDK; throws for those of another. */
export function isOperator(value: unknown): value is Operator<Inputs, unknown> {
  if (typeof value !== "object" || value === null) return false;
  if (operators.has(value)) return true;
  if (brandOf(value) === "Operator") throw foreignCopy("The operator");
  return false;
}
