/** Setups and teardowns: tasks that make something for others and take it away again. */
import type { DagModel, SetupRole, TaskRecord } from "./dag-model.ts";
import { describeValue, isPlainObject } from "./json.ts";
import type { UpdraftTaskSpec } from "./spec-types.ts";
import { didYouMean } from "./suggestion.ts";

/** The part that the options of a task give it. */
export function roleOf({ setup, teardown, onFailureFailDagrun }: UpdraftTaskSpec): SetupRole {
  return {
    isSetup: setup === true,
    isTeardown: teardown === true,
    onFailureFailDagrun: onFailureFailDagrun === true,
  };
}

/** Makes a task the teardown of setups and draws the edges to it. */
export function markTeardown(
  model: DagModel,
  task: TaskRecord,
  given: { readonly setups: readonly TaskRecord[]; readonly onFailureFailDagrun: boolean },
): void {
  model.assertOpen("mark a teardown");
  task.role.isTeardown = true;
  task.role.onFailureFailDagrun ||= given.onFailureFailDagrun;
  for (const setup of given.setups) {
    setup.role.isSetup = true;
    model.connect({ up: setup, down: task }, null);
  }
}

const OPTIONS = ["setups", "onFailureFailDagrun"];

export function readTeardownOptions(
  options: unknown,
  where: string,
): { readonly setups: readonly unknown[]; readonly onFailureFailDagrun: boolean } {
  if (options === undefined) return { setups: [], onFailureFailDagrun: false };
  if (!isPlainObject(options))
    throw new Error(`The options of ${where} must be a plain object, not ${describeValue(options)}`);
  for (const key of Object.keys(options)) {
    if (!OPTIONS.includes(key)) throw new Error(`Unknown option "${key}" for ${where}${didYouMean(key, OPTIONS)}`);
  }
  const { setups, onFailureFailDagrun = false } = options;
  if (typeof onFailureFailDagrun !== "boolean")
    throw new Error(`onFailureFailDagrun of ${where} must be a boolean, not ${describeValue(onFailureFailDagrun)}`);
  if (setups === undefined) return { setups: [], onFailureFailDagrun };
  return { setups: Array.isArray(setups) ? setups : [setups], onFailureFailDagrun };
}
